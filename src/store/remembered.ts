import type { Key, Page, SearchPlan, Sight, Store, Stored } from './port.js';

/** What a caller may see, as part of a name; undefined for a scope's own restriction, whose reads are not remembered. */
const sightName = (sight: Sight): string | undefined =>
  sight === 'all' ? '' : sight.narrow === undefined ? sight.keys.join(' ') : undefined;

/** Asks once, and gives the same answer to whoever asks again. */
const once = <T>(known: Map<string, Promise<T>>, name: string, ask: () => Promise<T>): Promise<T> => {
  const answer = known.get(name) ?? ask();
  known.set(name, answer);
  return answer;
};

/**
 * A store for one attempt at a write, which reads each record once: what gathers facts, what checks references and what makes access keys
 * look at the same ones. Whatever moves in the meantime is found by the commit, as each decision names what it relies upon.
 */
export const rememberedStore = (store: Store): Store => {
  const rows = new Map<string, Promise<Stored | undefined>>();
  const pages = new Map<string, Promise<Page>>();
  const find = (key: Key, sight: Sight): Promise<Stored | undefined> => {
    const name = sightName(sight);
    return name === undefined ? store.find(key, sight) : once(rows, `${key.type}/${key.id} ${name}`, () => store.find(key, sight));
  };
  return Object.assign(Object.create(store) as Store, {
    find,
    findVersion: async (key: Key, version: number, sight: Sight) => {
      const row = await find(key, sight);
      return row === undefined || row.version === version ? row : store.findVersion(key, version, sight);
    },
    search: (plan: SearchPlan, sight: Sight) => {
      const name = sightName(sight);
      return name === undefined
        ? store.search(plan, sight)
        : once(pages, `${name} ${JSON.stringify(plan)}`, () => store.search(plan, sight));
    },
  } satisfies Partial<Store>);
};
