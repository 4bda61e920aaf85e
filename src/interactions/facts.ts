import { sightOf } from '../access/policy.js';
import type { Caller } from '../access/caller.js';
import { foundOf, type Draft, type Facts, type Found } from '../domain/command.js';
import { parseJson } from '../fhir/json.js';
import type { Key, Store, Stored } from '../store/port.js';

type Parsed = { readonly version: number; readonly lastUpdated: number; readonly found: Found };
const parsedCodeSystems = new WeakMap<Store, Map<string, Parsed>>();
const mostParsed = 100;

/** CodeSystems are large, change seldom, and are asked by every command for its codes: one is parsed once a version. */
const parsedOnce = (store: Store, row: Stored | undefined): Found | undefined => {
  if (row?.type !== 'CodeSystem' || row.body === undefined) return foundOf(row, parseJson);
  const kept = parsedCodeSystems.get(store) ?? new Map<string, Parsed>();
  parsedCodeSystems.set(store, kept);
  const known = kept.get(row.id);
  if (known?.version === row.version && known.lastUpdated === row.lastUpdated) return known.found;
  const found = foundOf(row, parseJson);
  if (kept.size >= mostParsed) kept.clear();
  if (found) kept.set(row.id, { version: row.version, lastUpdated: row.lastUpdated, found });
  return found;
};

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
    find: async (key, sight) => drafted(key) ?? parsedOnce(store, await store.find(key, sight ?? sightOf(caller, key.type))),
    byIdentifier: async (type, system, value) => {
      const page = await store.search(
        { type, where: [{ kind: 'token', param: 'identifier', any: [{ system, code: value }] }], sort: [], count: 2 },
        'all',
      );
      const only = page.rows.length === 1 ? page.rows[0] : undefined;
      // a logical reference stands for the one resource that has the identifier, and only if the caller may see that
      return only && foundOf(await store.find(only, sightOf(caller, type)), parseJson);
    },
    findClaim: (kind, key) => store.findClaim(kind, key),
    search: async ({ type, where, sort = [], count }, sight) => {
      const page = await store.search({ type, where, sort, count }, sight ?? sightOf(caller, type));
      return page.rows.flatMap((row) => foundOf(row, parseJson) ?? []);
    },
  };
};
