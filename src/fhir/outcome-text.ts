import type { Category, Issue } from './outcome.js';

const system = 'https://fhir.nhs.uk/CodeSystem/http-error-codes';

/** One row per category: its HTTP status and the code of http-error-codes that stands when the issue names none of its own. */
export const categories: Readonly<Record<Category, { readonly status: number; readonly code: string }>> = {
  invalid: { status: 400, code: 'REC_BAD_REQUEST' },
  'business-rule': { status: 422, code: 'REC_UNPROCESSABLE_ENTITY' },
  login: { status: 401, code: 'REC_UNAUTHORIZED' },
  forbidden: { status: 403, code: 'REC_FORBIDDEN' },
  'not-found': { status: 404, code: 'REC_NOT_FOUND' },
  gone: { status: 410, code: 'REC_GONE' },
  method: { status: 405, code: 'REC_METHOD_NOT_ALLOWED' },
  'not-acceptable': { status: 406, code: 'REC_NOT_ACCEPTABLE' },
  'media-type': { status: 415, code: 'REC_UNSUPPORTED_MEDIA_TYPE' },
  conflict: { status: 409, code: 'REC_CONFLICT' },
  precondition: { status: 412, code: 'REC_PRECONDITION_FAILED' },
  'too-large': { status: 413, code: 'REC_PAYLOAD_TOO_LARGE' },
  range: { status: 416, code: 'REC_RANGE_NOT_SATISFIABLE' },
  'too-costly': { status: 422, code: 'REC_UNPROCESSABLE_ENTITY' },
  'too-early': { status: 425, code: 'REC_TOO_EARLY' },
  throttled: { status: 429, code: 'REC_TOO_MANY_REQUESTS' },
  'provider-error': { status: 502, code: 'REC_BAD_GATEWAY' },
  'provider-timeout': { status: 504, code: 'REC_TIMEOUT' },
  transient: { status: 503, code: 'REC_UNAVAILABLE' },
  exception: { status: 500, code: 'REC_SERVER_ERROR' },
};

/** The OperationOutcome of a failure (R4 operationoutcome.html). */
export const outcomeOf = (category: Category, issues: readonly Issue[]): object => ({
  resourceType: 'OperationOutcome',
  issue: issues.map((issue) => ({
    severity: issue.severity,
    code: issue.code,
    details: { coding: [issue.coding ?? { system, code: categories[category].code }], text: issue.text },
    ...(issue.diagnostics === undefined ? {} : { diagnostics: issue.diagnostics }),
    ...(issue.expression === undefined || issue.expression.length === 0 ? {} : { expression: issue.expression }),
  })),
});
