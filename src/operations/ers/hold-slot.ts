import { decideHold, decideRelease, findHolds, findPlace, isBooked } from '../../domain/booking/hold.js';
import { onInstance } from './ers-operation.js';

/** Keeps a slot for ten minutes while a patient decides. */
export const holdSlotOperation = onInstance({
  code: 'hold',
  name: 'HoldSlot',
  description: 'Keeps a free slot for ten minutes, busy-tentative to all others; its holder may renew that once.',
  type: 'Slot',
  parameters: [],
  decide: async ({ facts, caller, now }, found) =>
    decideHold(found, await findHolds(facts, found.id, now), caller, {
      now,
      free: await findPlace(facts, caller, found.id, now),
      booked: await isBooked(facts, found.id),
    }),
});

/** Gives a held slot back before its time. */
export const releaseSlotOperation = onInstance({
  code: 'release',
  name: 'ReleaseSlot',
  description: 'Gives a slot back that the caller holds.',
  type: 'Slot',
  parameters: [],
  decide: async ({ facts, caller, now }, found) =>
    decideRelease(found, await findHolds(facts, found.id, now), caller, await isBooked(facts, found.id)),
});
