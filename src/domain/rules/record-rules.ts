import type { Resource } from '../../fhir/resource.js';
import { refuseBreaches, unless, type Rule } from './rule.js';

/** ms from the start to the end; undefined where one of them is not said */
const lengthOf = ({ start, end }: Resource): number | undefined =>
  typeof start === 'string' && typeof end === 'string' ? Date.parse(end) - Date.parse(start) : undefined;

const endsAfterItStarts: Rule<Resource> = {
  code: 'INVALID_VALUE',
  expression: 'Slot.end',
  evaluate: (slot) => unless((lengthOf(slot) ?? 1) > 0, `It must end after it starts, at ${String(slot['start'])}.`),
};

/** e-RS: one that was booked with the provider ends when it starts, as no slot says how long it is. */
const endsNotBeforeItStarts: Rule<Resource> = {
  code: 'INVALID_VALUE',
  expression: 'Appointment.end',
  evaluate: (appointment) => unless((lengthOf(appointment) ?? 0) >= 0, `It ends before it starts, at ${String(appointment['start'])}.`),
};

/** What R4 leaves open, and a diary cannot be kept with. */
const rules: Readonly<Record<string, readonly Rule<Resource>[]>> = {
  Slot: [endsAfterItStarts],
  Appointment: [endsNotBeforeItStarts],
};

/** Throws what no record of its type may say, whoever writes it; the resource is valid R4. */
export const checkRecord = (resource: Resource): void => {
  refuseBreaches(rules[resource.resourceType] ?? [], resource);
};
