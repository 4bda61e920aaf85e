import type { Resource } from '../../fhir/resource.js';
import { refuseBreaches, unless, type Rule } from './rule.js';

const endsAfterItStarts = (type: string): Rule<Resource> => ({
  code: 'INVALID_VALUE',
  expression: `${type}.end`,
  evaluate: ({ start, end }) =>
    unless(
      typeof start !== 'string' || typeof end !== 'string' || Date.parse(end) > Date.parse(start),
      `It must end after it starts, at ${String(start)}.`,
    ),
});

/** What R4 leaves open, and a diary cannot be kept with. */
const rules: Readonly<Record<string, readonly Rule<Resource>[]>> = {
  Slot: [endsAfterItStarts('Slot')],
  Appointment: [endsAfterItStarts('Appointment')],
};

/** Throws what no record of its type may say, whoever writes it; the resource is valid R4. */
export const checkRecord = (resource: Resource): void => {
  refuseBreaches(rules[resource.resourceType] ?? [], resource);
};
