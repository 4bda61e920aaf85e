import { sightOf } from '../access/policy.js';
import type { Caller } from '../access/caller.js';
import { foundOf, type Draft, type Facts, type Found } from '../domain/command.js';
import { parseJson } from '../fhir/json.js';
import type { Key, Store, Stored } from '../store/port.js';

const parsedCodeSystems = new Map<string, { readonly body: string; readonly found: Found }>();
const mostParsed = 100;

/** CodeSystems are large, change seldom, and are asked by every command for its codes: one is parsed once for its text. */
const parsedOnce = (row: Stored | undefined): Found | undefined => {
  if (row?.type !== 'CodeSystem' || row.body === undefined) return foundOf(row, parseJson);
  const known = parsedCodeSystems.get(row.id);
  if (known?.body === row.body && known.found.version === row.version) return known.found;
  const found = foundOf(row, parseJson);
  if (parsedCodeSystems.size >= mostParsed) parsedCodeSystems.clear();
  if (found) parsedCodeSystems.set(row.id, { body: row.body, found });
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
    find: async (key, sight) => drafted(key) ?? parsedOnce(await store.find(key, sight ?? sightOf(caller, key.type))),
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
