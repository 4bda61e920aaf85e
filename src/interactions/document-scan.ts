import type { Draft } from '../domain/command.js';
import { availabilityOf, withMarks, type Availability } from '../domain/documents/availability.js';
import { refusal } from '../domain/refusal.js';
import { parseJson } from '../fhir/json.js';
import type { Resource } from '../fhir/resource.js';
import type { EntryPut, Stored } from '../store/port.js';
import type { House } from './house.js';

/** A new document waits for the scanner, where there is one: its record says so, and an entry of the same unit has it scanned. */
export const awaitingScan = (house: House, draft: Draft): { readonly draft: Draft; readonly entries: readonly EntryPut[] } => {
  if (house.scanner === undefined || draft.type !== 'Binary' || draft.version !== 0 || draft.resource === undefined)
    return { draft, entries: [] };
  return {
    draft: { ...draft, resource: withMarks(draft.resource, { availability: 'PENDING' }) },
    entries: [{ kind: 'scan', key: draft.id, version: 0, body: '0' }],
  };
};

const refusals: Readonly<Record<Exclude<Availability, 'AVAILABLE'>, string>> = {
  PENDING: 'The file is being scanned: ask for it again in five minutes.',
  THREATS_FOUND: 'The scan found a threat in the file.',
  VALIDATION_FAILED: 'The file could not be validated.',
};

/** e-RS A042: a file is given out when its scan has found nothing against it. */
export const refuseUnavailable = ({ type, body }: Stored): void => {
  if (type !== 'Binary' || body === undefined) return;
  const status = availabilityOf(parseJson(body) as Resource);
  if (status !== 'AVAILABLE') throw refusal('business-rule', 'invalid', status, refusals[status], 'Binary');
};
