import type { Identifier, Reference } from 'fhir/r4.js';
import { readReference } from '../fhir/references.js';
import type { Found } from './command.js';
import { refusal, refuseStale } from './refusal.js';

/** Whether the identifier beside a reference is another one than the record has; a record without any of its system says nothing. */
const isOfOther = ({ system, value }: Identifier, { resource }: Found): boolean => {
  const all = resource['identifier'];
  const own = (Array.isArray(all) ? (all as readonly Identifier[]) : []).filter((one) => system === undefined || one.system === system);
  return value !== undefined && own.length > 0 && own.every((one) => one.value !== value);
};

/**
 * Refuses a reference that says one record and the identifier of another, as it is of neither (422 CONFLICTING_VALUES), and one to a
 * version that is not the current one (409).
 *
 * @param found what the literal reference names; undefined: nothing, which others refuse
 * @param what the record in the caller's words
 */
export const refuseMisnamed = (
  reference: Reference | undefined,
  found: Found | undefined,
  { baseUrl, what, expression }: { readonly baseUrl: string; readonly what: string; readonly expression: string },
): void => {
  if (reference === undefined || found === undefined) return;
  if (reference.identifier !== undefined && isOfOther(reference.identifier, found))
    throw refusal(
      'business-rule',
      'business-rule',
      'CONFLICTING_VALUES',
      `The reference and the identifier of the ${what} are of different records.`,
      expression,
    );
  refuseStale(readReference(reference.reference ?? '', baseUrl)?.version, found.version, what, expression);
};
