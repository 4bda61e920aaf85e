import type { Slot } from 'fhir/r4.js';
import { created, type Decision, type Facts } from '../command.js';
import { failure } from '../../fhir/outcome.js';
import type { Situation } from '../situation.js';
import { slotSystems } from './place.js';

/** Refuses a slot under a number that another slot has: slots are booked by it (e-RS facts 2.4, the key of a slot is its USRN). */
export const refuseOtherNumber = async (facts: Facts, { identifier = [] }: Slot, own?: string): Promise<void> => {
  for (const [index, { system, value }] of identifier.entries()) {
    if (value === undefined || system === undefined || !slotSystems.includes(system)) continue;
    const where = [{ kind: 'token' as const, param: 'identifier', any: slotSystems.map((one) => ({ system: one, code: value })) }];
    const found = await facts.search({ type: 'Slot', where, count: 2 }, 'all');
    if (found.some(({ id }) => id !== own))
      throw failure('conflict', 'duplicate', `Another slot has the number ${value}.`, {
        expression: [`Slot.identifier[${String(index)}].value`],
      });
  }
};

/** POST Slot by a provider: a place in its own diary, under a number of its own. */
export const publishSlot = async ({ facts, newId }: Situation, slot: Slot): Promise<Decision> => {
  await refuseOtherNumber(facts, slot);
  const made = created(slot, newId());
  return { drafts: [{ ...made, plain: true }], result: { type: made.type, id: made.id } };
};
