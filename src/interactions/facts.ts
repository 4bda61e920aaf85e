import { sightOf } from '../access/policy.js';
import type { Caller } from '../access/caller.js';
import { foundOf, type Draft, type Facts, type Found } from '../domain/command.js';
import type { Key, Store } from '../store/port.js';

/**
 * The facts a command gathers: drafts of the same unit first (a transaction's entries see each other), then the store, narrowed
 * to what the caller may see.
 */
export const factsOf = (store: Store, caller: Caller, drafts: readonly Draft[] = []): Facts => {
  const drafted = (key: Key): Found | undefined => {
    const draft = drafts.findLast(({ type, id }) => type === key.type && id === key.id);
    return draft?.resource && { type: draft.type, id: draft.id, version: draft.version, resource: draft.resource };
  };
  return {
    find: async (key, sight) => drafted(key) ?? foundOf(await store.find(key, sight ?? sightOf(caller, key.type))),
    byIdentifier: async (type, system, value) => {
      const page = await store.search(
        { type, where: [{ kind: 'token', param: 'identifier', any: [{ system, code: value }] }], sort: [], count: 2 },
        'all',
      );
      const only = page.rows.length === 1 ? page.rows[0] : undefined;
      // a logical reference stands for the one resource that has the identifier, and only if the caller may see that
      return only && foundOf(await store.find(only, sightOf(caller, type)));
    },
    findClaim: (kind, key) => store.findClaim(kind, key),
    search: async ({ type, where, sort = [], count }, sight) => {
      const page = await store.search({ type, where, sort, count }, sight ?? sightOf(caller, type));
      return page.rows.flatMap((row) => foundOf(row) ?? []);
    },
  };
};
