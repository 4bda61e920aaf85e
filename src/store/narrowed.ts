import type { Key, Reader, SearchPlan, Sight, Store, Stored } from './port.js';
import { withReads } from './reads.js';

type Narrow = NonNullable<Exclude<Sight, 'all'>['narrow']>;
type Narrowed = { readonly base: Sight; readonly narrow: Narrow };

const narrowOf = (sight: Sight): Narrowed | undefined => {
  if (sight === 'all' || !sight.narrow) return undefined;
  return { base: sight.narrow.anyKey ? 'all' : { keys: sight.keys }, narrow: sight.narrow };
};

/**
 * A store whose reads hold the restriction of a scope (`system/Observation.rs?category=laboratory`) as they hold access keys, so that no
 * path needs to think of it. A deleted row matches no restriction. Reads without one go straight through.
 */
export const narrowedStore = (store: Store): Store => withReads(store, narrowedReads);

const narrowedReads = (store: Reader): Partial<Reader> => {
  /** Of the rows, those whose current version meets the restriction. */
  const matching = async <Row extends Key>(rows: readonly Row[], { base, narrow }: Narrowed): Promise<readonly Row[]> => {
    const ids = [...new Set(rows.filter(({ type }) => type === narrow.type).map(({ id }) => id))];
    if (ids.length === 0) return [];
    const plan: SearchPlan = { type: narrow.type, where: [{ kind: 'id', ids }, ...narrow.where], sort: [], count: 1000 };
    const found = new Set((await store.search(plan, base)).rows.map(({ id }) => id));
    return rows.filter(({ type, id }) => type === narrow.type && found.has(id));
  };
  const one = async (row: Stored | undefined, narrowed: Narrowed): Promise<Stored | undefined> =>
    row && (await matching([row], narrowed))[0];
  const planOf = (plan: SearchPlan, { narrow }: Narrowed): SearchPlan =>
    plan.type === narrow.type ? { ...plan, where: [...plan.where, ...narrow.where] } : { ...plan, where: [{ kind: 'never' }] };
  return {
    find: (key: Key, sight: Sight) => {
      const narrowed = narrowOf(sight);
      return narrowed ? store.find(key, narrowed.base).then((row) => one(row, narrowed)) : store.find(key, sight);
    },
    findVersion: async (key: Key, version: number, sight: Sight) => {
      const narrowed = narrowOf(sight);
      return narrowed ? one(await store.findVersion(key, version, narrowed.base), narrowed) : store.findVersion(key, version, sight);
    },
    findMany: async (keys: readonly Key[], sight: Sight) => {
      const narrowed = narrowOf(sight);
      return narrowed ? matching(await store.findMany(keys, narrowed.base), narrowed) : store.findMany(keys, sight);
    },
    search: async (plan: SearchPlan, sight: Sight) => {
      const narrowed = narrowOf(sight);
      return narrowed ? store.search(planOf(plan, narrowed), narrowed.base) : store.search(plan, sight);
    },
    count: async (plan: SearchPlan, sight: Sight, limit: number) => {
      const narrowed = narrowOf(sight);
      return narrowed ? store.count(planOf(plan, narrowed), narrowed.base, limit) : store.count(plan, sight, limit);
    },
    history: async (...[scope, window, sight]: Parameters<Reader['history']>) => {
      const narrowed = narrowOf(sight);
      if (!narrowed) return store.history(scope, window, sight);
      const page = await store.history(scope, window, narrowed.base);
      return { ...page, rows: await matching(page.rows, narrowed) };
    },
    referrers: async (...[target, sight, limit, of]: Parameters<Reader['referrers']>) => {
      const narrowed = narrowOf(sight);
      return narrowed
        ? matching(await store.referrers(target, narrowed.base, limit, of), narrowed)
        : store.referrers(target, sight, limit, of);
    },
  } satisfies Partial<Reader>;
};
