/**
 * Failures as categories with FHIR issues (R4 operationoutcome.html). Only `http` and the batch writer
 * map a category to a status; everything else throws or returns these.
 */
export type Category =
  | 'invalid' // 400
  | 'business-rule' // 422
  | 'login' // 401
  | 'forbidden' // 403
  | 'not-found' // 404
  | 'gone' // 410
  | 'method' // 405
  | 'not-acceptable' // 406
  | 'media-type' // 415
  | 'conflict' // 409
  | 'precondition' // 412
  | 'too-large' // 413
  | 'range' // 416
  | 'too-costly' // 422
  | 'too-early' // 425
  | 'throttled' // 429
  | 'transient' // 503
  | 'provider-error' // 502
  | 'provider-timeout' // 504
  | 'exception'; // 500

export type Severity = 'fatal' | 'error' | 'warning' | 'information';

export type Coding = { readonly system: string; readonly code: string; readonly display?: string };

export type Issue = {
  readonly severity: Severity;
  /** R4 valueset-issue-type */
  readonly code: string;
  /** What a person reads: goes to details.text */
  readonly text: string;
  /** FHIRPath with indexes, e.g. `Patient.name[0].given` */
  readonly expression?: readonly string[];
  /** details.coding; without one the writer adds the http-error-codes REC_* code of the category */
  readonly coding?: Coding;
  readonly diagnostics?: string;
};

/** Thrown anywhere right of `http`; carries all that the answer needs. */
export class Failure extends Error {
  override readonly name = 'Failure';
  constructor(
    readonly category: Category,
    readonly issues: readonly Issue[],
    /** e.g. `Allow` for method, `WWW-Authenticate` for login */
    readonly headers: Readonly<Record<string, string>> = {},
    /** what it was made of, for the log */
    cause?: unknown,
  ) {
    super(issues.map((issue) => issue.text).join('; '), cause === undefined ? undefined : { cause });
  }

  /** The same failure with the `Allow` header that R4 http.html and RFC 9110 15.5.6 ask of a 405. */
  withAllow(methods: readonly string[]): Failure {
    return new Failure(this.category, this.issues, { ...this.headers, allow: methods.join(', ') });
  }
}

/** One-issue failure, the usual case. */
export const failure = (category: Category, code: string, text: string, more: Omit<Partial<Issue>, 'code' | 'text'> = {}): Failure =>
  new Failure(category, [{ severity: 'error', code, text, ...more }]);
