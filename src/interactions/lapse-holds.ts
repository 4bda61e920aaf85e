import type { Caller } from '../access/caller.js';
import { decideLapse, findHolds, isBooked } from '../domain/booking/hold.js';
import { foundOf } from '../domain/command.js';
import { factsOf } from './facts.js';
import type { House } from './house.js';
import { perform } from './perform.js';

const server: Caller = { kind: 'system', clientId: 'server', scopes: ['system/*.cruds'], organisations: [] };
const together = 200;

const tentative = [{ kind: 'token' as const, param: 'status', any: [{ code: 'busy-tentative' }] }];

/**
 * Frees the slots whose hold ran out, each once, so that searches find them again; a booking need not wait for this, as a hold that ran out
 * binds nobody. Several servers may do it at once: the version of the slot decides. Resolves with the number freed.
 */
export const lapseHolds = async (house: House): Promise<number> => {
  const facts = factsOf(house.store, server);
  let freed = 0;
  let after: string | undefined;
  do {
    const plan = { type: 'Slot', where: tentative, sort: [], count: together, ...(after === undefined ? {} : { after }) };
    const page = await house.store.search(plan, 'all');
    for (const row of page.rows) {
      const slot = foundOf(row);
      const now = new Date(house.clock()).toISOString();
      const decision = slot && decideLapse(slot, await findHolds(facts, slot.id, now), await isBooked(facts, slot.id));
      if (!decision) continue;
      // a slot that somebody books or holds at this moment is his
      freed += await perform(house, { caller: server, lenient: false }, () => Promise.resolve(decision)).then(
        () => 1,
        () => 0,
      );
    }
    after = page.next;
  } while (after !== undefined);
  return freed;
};
