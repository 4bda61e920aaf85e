import { failure, type Category, type Failure } from '../fhir/outcome.js';
import { systems } from './codes.js';

/** A refusal with the code that e-RS names for it (ers-error-codes). */
export const refusal = (category: Category, issueCode: string, ersCode: string, text: string, expression?: string): Failure =>
  failure(category, issueCode, text, {
    coding: { system: systems.errorCodes, code: ersCode },
    ...(expression === undefined ? {} : { expression: [expression] }),
  });

/**
 * Refuses a reference to a version that is not the current one: 409.
 *
 * @param asked the version that was named; undefined: none was
 * @param current undefined: there is none
 * @param what the request in the caller's words
 */
export const refuseStale = (asked: string | undefined, current: number | undefined, what: string, expression: string): void => {
  if (asked === undefined || current === undefined || asked === String(current)) return;
  throw refusal('conflict', 'conflict', 'INVALID_STATE', `The ${what} has moved on: its version is ${String(current)}.`, expression);
};
