import { Failure, type Issue } from '../fhir/outcome.js';
import type { House } from './house.js';

/** Throws all errors that the validator finds, as one failure; warnings never block. */
export const refuseInvalid = (house: House, resource: unknown): void => {
  const errors: readonly Issue[] = house.validate(resource).filter(({ severity }) => severity === 'error' || severity === 'fatal');
  if (errors.length > 0) throw new Failure(errors.some(({ code }) => code === 'too-costly') ? 'too-costly' : 'invalid', errors);
};
