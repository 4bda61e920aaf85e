import { Stale, type Entry, type Store, type Unit } from '../../src/store/port.js';

/** The entries of a store, in memory: what the server keeps for itself, with the versions that a real store checks. */
export const memoryEntries = (): Pick<Store, 'findEntry' | 'listEntries' | 'commit'> => {
  const rows = new Map<string, Entry>();
  return {
    findEntry: (kind, key) => Promise.resolve(rows.get(`${kind}|${key}`)),
    listEntries: (kind) => Promise.resolve([...rows.values()].filter((row) => row.kind === kind)),
    commit: async ({ entries = [] }: Unit) => {
      await new Promise(setImmediate);
      for (const { kind, key, version, body } of entries) {
        const name = `${kind}|${key}`;
        if ((rows.get(name)?.version ?? 0) !== version) throw new Stale({ type: kind, id: key });
        if (body === undefined) rows.delete(name);
        else rows.set(name, { kind, key, version: version + 1, body });
      }
    },
  };
};
