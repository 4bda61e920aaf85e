import type { Entry, Reader, Store, Unit } from '../store/port.js';

const nothing = (): Promise<undefined> => Promise.resolve(undefined);

/**
 * A store without anything in it, for sealing what goes into a new store: sealing reads what is there. `known` answers instead where the
 * caller has made something already. What the server writes of its own for a start (the key of its cursors) is remembered and comes to
 * nothing; resources are written elsewhere.
 */
export const blankStore = (known: Partial<Pick<Reader, 'find' | 'search'>> = {}): Store => {
  const entries = new Map<string, Entry>();
  const reads = {
    find: nothing,
    findVersion: nothing,
    findMany: () => Promise.resolve([]),
    findClaim: nothing,
    findEntry: (kind: Entry['kind'], key: string) => Promise.resolve(entries.get(`${kind} ${key}`)),
    listEntries: (kind: Entry['kind']) => Promise.resolve([...entries.values()].filter((entry) => entry.kind === kind)),
    history: () => Promise.resolve({ rows: [], next: undefined }),
    search: () => Promise.resolve({ rows: [], next: undefined }),
    commit: ({ puts = [], entries: written = [] }: Unit) => {
      if (puts.length > 0) return Promise.reject(new Error('a blank store takes no resources'));
      for (const { body, ...entry } of written)
        if (body !== undefined) entries.set(`${entry.kind} ${entry.key}`, { ...entry, version: entry.version + 1, body });
      return Promise.resolve();
    },
    ...known,
  } satisfies Partial<Store>;
  return reads as unknown as Store;
};
