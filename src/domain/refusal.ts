import { failure, type Category, type Failure } from '../fhir/outcome.js';
import { systems } from './codes.js';

/** A refusal with the code that e-RS names for it (ers-error-codes). */
export const refusal = (category: Category, issueCode: string, ersCode: string, text: string, expression?: string): Failure =>
  failure(category, issueCode, text, {
    coding: { system: systems.errorCodes, code: ersCode },
    ...(expression === undefined ? {} : { expression: [expression] }),
  });
