import type { Failure } from '../fhir/outcome.js';
import type { Caller } from '../access/caller.js';
import type { Call } from '../interactions/house.js';

/** The call of work that is done later: by the request's ids its audit is found with that of the request; what was claimed for it was so already. */
export type LaterCall = Call;

export const laterCall = ({ about, ...call }: Call): LaterCall => ({
  ...call,
  ...(about === undefined ? {} : { about: { requestId: about.requestId, correlationId: about.correlationId } }),
});

/** Who may ask after a job: the client, the person it acted for, and in the same place and function: another may not see what this one did. */
export const ownerOf = ({ clientId, user, patient, organisation, businessFunction, onBehalfOf }: Caller): string =>
  [clientId, user, patient, organisation, businessFunction, onBehalfOf].map((part) => part ?? '').join('|');

/** A file that a job has made. */
export type Output = { readonly type: string; readonly blob: string; readonly count: number };

export type ExportRequest = {
  readonly call: LaterCall;
  readonly url: string;
  readonly level: 'system' | 'Patient' | 'Group';
  /** ids of the patients: of the group, or those asked for */
  readonly patients?: readonly string[];
  readonly types: readonly string[];
  /** search criteria by type: a resource is exported when it matches one of its type's */
  readonly filters: readonly { readonly type: string; readonly query: string }[];
  readonly since?: number;
  /** names of elements: only these, and what is mandatory */
  readonly elements?: string;
  /** the moment whose versions are exported */
  readonly at: number;
};

export type ImportRequest = { readonly call: LaterCall; readonly url: string; readonly blobs: readonly string[]; readonly at: number };

export type DeferredRequest = {
  readonly call: LaterCall;
  readonly method: string;
  readonly url: string;
  /** the blob that holds the body as JSON */
  readonly body?: string;
};

/** What a bulk job tells in the end. */
export type BulkResult = {
  readonly transactionTime: number;
  readonly request: string;
  readonly outputs: readonly Output[];
  readonly errors: readonly Output[];
  /** of an export since a moment: Bundles that tell what was deleted since */
  readonly deleted?: readonly Output[];
  /** of an import: resources written, by type */
  readonly written?: Readonly<Record<string, number>>;
};

/** What a deferred request came to. */
export type DeferredResult =
  | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly blob?: string }
  | { readonly category: Failure['category']; readonly issues: Failure['issues'] };
