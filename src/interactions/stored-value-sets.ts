import type { ValueSet } from 'fhir/r4.js';
import { mayRead, sightOf } from '../access/policy.js';
import { parseJson } from '../fhir/json.js';
import { failure } from '../fhir/outcome.js';
import { readReference } from '../fhir/references.js';
import type { Code } from '../fhir/search/terminology.js';
import type { Call, House } from './house.js';
import type { Query } from './query.js';
import { storedCanonical, terminologyFor } from './stored-terminology.js';

const modifier = /:(?:not-)?in$/;
const inFilter = /\s(?:in|ni)\s+("[^"]+"|[^\s()\]]+)/g;

/** What a query calls value sets by. */
const namesIn = (query: Query): readonly string[] =>
  query.flatMap(([name, value]) => {
    if (modifier.test(name)) return value.split(',');
    return name === '_filter' ? [...value.matchAll(inFilter)].map(([, text = '']) => text.replaceAll('"', '')) : [];
  });

const find = async (house: House, call: Call, name: string): Promise<ValueSet | undefined> => {
  const sight = sightOf(call.caller, 'ValueSet');
  const key = readReference(name, house.baseUrl);
  if (key) {
    const stored = key.type === 'ValueSet' ? await house.store.find(key, sight) : undefined;
    if (stored?.body === undefined) throw failure('invalid', 'value', `There is no value set ${name}.`, { expression: [':in'] });
    return parseJson(stored.body) as ValueSet;
  }
  return (await storedCanonical(house, call, 'ValueSet', name)) as ValueSet | undefined;
};

/**
 * R4 search.html#token: `:in` and `:not-in` name a value set by its canonical URL, or by a reference to a ValueSet that is kept here.
 * Those that are resources of this server, and not of the definitions, as codes; undefined when the query names none.
 *
 * @throws Failure `invalid` for a reference that leads to no value set
 */
export const storedValueSets = async (
  house: House,
  call: Call,
  query: Query,
): Promise<ReadonlyMap<string, readonly Code[]> | undefined> => {
  const names = namesIn(query);
  if (names.length === 0 || !mayRead(call.caller, 'ValueSet')) return undefined;
  const found = new Map<string, readonly Code[]>();
  for (const name of names) {
    if (house.terminology.valueSets.find(name)) continue;
    const resource = await find(house, call, name);
    const set = resource && (await terminologyFor(house, call, { resources: [resource] })).valueSets.expand(resource);
    // of a set that only a terminology server could list the search says so
    if (set?.enumerated)
      found.set(
        name,
        [...set.codes].flatMap(([system, codes]) => [...codes.keys()].map((code) => ({ system, code }))),
      );
  }
  return found;
};
