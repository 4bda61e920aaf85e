import type { Caller } from '../access/caller.js';
import { decideLapse, findHold } from '../domain/booking/hold.js';
import { factsOf } from './facts.js';
import type { House } from './house.js';
import { perform } from './perform.js';

const server: Caller = { kind: 'system', clientId: 'server', scopes: ['system/*.cruds'], organisations: [] };
const together = 200;

/**
 * Frees the slots whose hold ran out, so that searches find them again; a booking need not wait for this, as a hold that ran out counts
 * for nothing. Several servers may do it at once: the version of the slot decides. Resolves with the number freed.
 */
export const lapseHolds = async (house: House): Promise<number> => {
  const facts = factsOf(house.store, server);
  const held = await facts.search(
    { type: 'Slot', where: [{ kind: 'token', param: 'status', any: [{ code: 'busy-tentative' }] }], count: together },
    'all',
  );
  let freed = 0;
  for (const slot of held) {
    const decision = decideLapse(slot, await findHold(facts, slot.id, new Date(house.clock()).toISOString()));
    if (!decision) continue;
    // a slot that somebody books or holds at this moment is his
    const done = await perform(house, { caller: server, lenient: false }, () => Promise.resolve(decision)).then(
      () => 1,
      () => 0,
    );
    freed += done;
  }
  return freed;
};
