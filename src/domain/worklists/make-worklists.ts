import type { Store } from '../../store/port.js';
import { listing } from './listed-store.js';

const together = 200;
const mark = { kind: 'worklists-made', key: '1', version: 0, body: '' } as const;

export const areWorklistsMade = async (store: Pick<Store, 'findEntry'>): Promise<boolean> =>
  (await store.findEntry(mark.kind, mark.key)) !== undefined;

/**
 * Makes the worklists of a store that has referrals from before there were any; does nothing when they are there. Resolves with the
 * number of referrals. One process at a time: see store/alone.
 */
export const makeWorklists = async (store: Store): Promise<number> => {
  if (await areWorklistsMade(store)) return 0;
  let made = 0;
  for (let after: string | undefined, more = true; more;) {
    const page = await store.search(
      { type: 'ServiceRequest', where: [], sort: [], count: together, ...(after === undefined ? {} : { after }) },
      'all',
    );
    await store.commit(
      await listing(
        store,
        {},
        page.rows.map(({ id }) => id),
        true,
      ),
    );
    made += page.rows.length;
    after = page.next;
    more = after !== undefined;
  }
  await store.commit({ entries: [mark] });
  return made;
};
