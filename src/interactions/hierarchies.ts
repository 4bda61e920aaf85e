import { mayRead, sightOf } from '../access/policy.js';
import { failure } from '../fhir/outcome.js';
import { readReference } from '../fhir/references.js';
import { referenceTo, type Key, type Resource } from '../fhir/resource.js';
import { hierarchies, type Kin } from '../fhir/search/hierarchy.js';
import type { Stored } from '../store/port.js';
import type { Call, House } from './house.js';
import type { Query } from './query.js';

/** Members of one hierarchy that a search may name. */
const mostKin = 1000;

const modifier = /:(above|below)$/;

const tooMany = (name: string) =>
  failure('too-costly', 'too-costly', `${name}: the hierarchy has more than ${String(mostKin)} members here.`, { expression: [name] });

/** The resources of a hierarchical type that a value may name. */
const namedBy = (house: House, text: string): readonly Key[] => {
  const key = readReference(text, house.baseUrl);
  if (key) return hierarchies.has(key.type) ? [{ type: key.type, id: key.id }] : [];
  return /^[A-Za-z0-9\-.]{1,64}$/.test(text) ? [...hierarchies.keys()].map((type) => ({ type, id: text })) : [];
};

/** What a resource is part of. */
const parentOf = (house: House, { body }: Stored): Key | undefined => {
  const { partOf } = JSON.parse(body ?? '{}') as Resource & { readonly partOf?: { readonly reference?: string } };
  return readReference(partOf?.reference ?? '', house.baseUrl);
};

const kinOf = async (house: House, call: Call, name: string, start: Key, direction: string): Promise<readonly Key[]> => {
  const { type } = start;
  const sight = sightOf(call.caller, type);
  const found = new Map([[referenceTo(start), start]]);
  let frontier: readonly Key[] = [start];
  while (frontier.length > 0) {
    const next: readonly Key[] =
      direction === 'below'
        ? (
            await house.store.search(
              {
                type,
                where: [{ kind: 'reference', param: hierarchies.get(type) ?? '', any: frontier }],
                sort: [],
                count: mostKin,
              },
              sight,
            )
          ).rows
        : (await house.store.findMany(frontier, sight)).flatMap((row) => parentOf(house, row) ?? []);
    // a circle ends where it began
    frontier = next.flatMap(({ type: of, id }) => (of === type && !found.has(referenceTo({ type, id })) ? [{ type, id }] : []));
    for (const key of frontier) found.set(referenceTo(key), key);
    if (found.size > mostKin) throw tooMany(name);
  }
  return [...found.values()];
};

/**
 * R4 search.html, on hierarchies: `location:below=1` also finds what is in the parts of that location, and `:above` what is in those that it
 * is part of. Read ahead, as far as the caller may; undefined when the query names none.
 *
 * @throws Failure `too-costly` for a hierarchy of more than 1,000 members
 */
export const kinIn = async (house: House, call: Call, query: Query): Promise<Kin | undefined> => {
  const asked = query.flatMap(([name, value]) => {
    const direction = modifier.exec(name)?.[1];
    return direction === undefined ? [] : value.split(',').map((text) => ({ name, direction, text }));
  });
  if (asked.length === 0) return undefined;
  const known = new Map<string, readonly Key[]>();
  for (const { name, direction, text } of asked)
    for (const key of namedBy(house, text))
      if (mayRead(call.caller, key.type)) known.set(`${direction} ${referenceTo(key)}`, await kinOf(house, call, name, key, direction));
  return (key, direction) => known.get(`${direction} ${referenceTo(key)}`) ?? [key];
};
