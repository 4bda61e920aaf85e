import { checkInteraction, sightOf } from '../access/policy.js';
import { failure } from '../fhir/outcome.js';
import { compartments } from '../resources/compartments.js';
import type { Key, Predicate } from '../store/port.js';
import { notFound } from './answers.js';
import type { Call, House, Success } from './house.js';
import type { Query } from './query.js';
import { search } from './search.js';
import { systemSearch } from './system-search.js';

/**
 * `Patient/1/Observation` and `Patient/1/*`, for POST with `_search` after them or in place of `*`: the owner and the type in its
 * compartment; undefined for every other path.
 */
export const compartmentOf = (words: readonly string[], method = 'GET'): { readonly owner: Key; readonly type: string } | undefined => {
  const posted = method === 'POST' && words.at(-1) === '_search';
  const [type = '', id = '', inside = posted ? '*' : '', ...rest] = posted ? words.slice(0, -1) : words;
  if (rest.length > 0 || !Object.hasOwn(compartments, type) || !/^(?:[A-Z][A-Za-z]+|\*)$/.test(inside)) return undefined;
  return { owner: { type, id }, type: inside };
};

/** What places a resource of `type` in the compartment; undefined when the type has no place there. */
const placedIn = (owner: Key, type: string): Predicate | undefined => {
  const params = compartments[owner.type]?.[type];
  return params && { kind: 'either', of: params.map((param) => [{ kind: 'reference', param, any: [owner] }]) };
};

/** R4 compartmentdefinition.html: a search of what belongs to a patient (or practitioner, or related person) whom the caller may see. */
export const compartmentSearch = async (
  house: House,
  call: Call,
  { owner, type }: { readonly owner: Key; readonly type: string },
  query: Query,
): Promise<Success> => {
  const path = `${owner.type}/${owner.id}/${type}`;
  if (type !== '*') checkInteraction(call.caller, type, 's');
  checkInteraction(call.caller, owner.type, 'r');
  const found = await house.store.find(owner, sightOf(call.caller, owner.type));
  if (found?.body === undefined) throw notFound(owner);
  if (type === '*')
    return systemSearch(house, call, query, {
      path,
      types: Object.keys(compartments[owner.type] ?? {}),
      also: (each) => placedIn(owner, each),
    });
  const placed = placedIn(owner, type);
  if (!placed) throw failure('not-found', 'not-supported', `${type} has no place in the compartment of a ${owner.type}.`);
  return search(house, call, type, query, { path, also: [placed] });
};
