import type { CodeSystem, ValueSet } from 'fhir/r4.js';
import { mayRead, sightOf } from '../access/policy.js';
import { parseJson } from '../fhir/json.js';
import { createTerminology, type Terminology } from '../validation/terminology/terminology.js';
import type { Definitions } from '../validation/definitions.js';
import type { Call, House } from './house.js';

/** Code systems and value sets that one question may draw in from the store. */
const mostDrawn = 100;

type Kind = 'CodeSystem' | 'ValueSet';
type Wanted = { readonly type: Kind; readonly canonical: string };
type Kept = CodeSystem | ValueSet;

/** The newest resource of this server that has the canonical (`url` or `url|version`), as far as the caller may read it. */
export const storedCanonical = async (house: House, call: Call, type: Kind, canonical: string): Promise<Kept | undefined> => {
  if (!mayRead(call.caller, type)) return undefined;
  const [url = '', version] = canonical.split('|');
  const { rows } = await house.store.search(
    {
      type,
      where: [
        { kind: 'text', param: 'url', mode: 'exact', any: [url] },
        ...(version === undefined ? [] : [{ kind: 'token', param: 'version', any: [{ code: version }] } as const]),
      ],
      sort: [{ param: '_lastUpdated', kind: 'updated', descending: true }],
      count: 1,
    },
    sightOf(call.caller, type),
  );
  return rows[0]?.body === undefined ? undefined : (parseJson(rows[0].body) as Kept);
};

/** What a value set is made of (R4 valueset.html#compositions). */
const partsOf = ({ compose }: ValueSet): readonly Wanted[] =>
  [...(compose?.include ?? []), ...(compose?.exclude ?? [])].flatMap(({ system, version, valueSet = [] }) => [
    ...(system === undefined
      ? []
      : [{ type: 'CodeSystem' as const, canonical: system }, ...(version === undefined ? [] : [versioned(system, version)])]),
    ...valueSet.map((canonical) => ({ type: 'ValueSet' as const, canonical })),
  ]);

const versioned = (system: string, version: string): Wanted => ({ type: 'CodeSystem', canonical: `${system}|${version}` });

/** What a question is about: resources that came with it, and canonicals. */
export type Question = {
  readonly resources?: readonly (Kept | undefined)[];
  readonly valueSets?: readonly (string | undefined)[];
  readonly systems?: readonly (string | undefined)[];
};

export type KnownHere = Terminology & { readonly definitions: Definitions };

/**
 * The code systems and value sets of the definitions, and beside them those that the question brings along or that are kept here as
 * resources, with all that they are made of. The definitions go before what is kept under the same URL.
 */
export const terminologyFor = async (house: House, call: Call, question: Question): Promise<KnownHere> => {
  const brought = (question.resources ?? []).filter((resource) => resource !== undefined);
  const drawn: Kept[] = [...brought];
  const wanted: Wanted[] = [
    ...(question.valueSets ?? []).flatMap((canonical) => (canonical === undefined ? [] : [{ type: 'ValueSet' as const, canonical }])),
    ...(question.systems ?? []).flatMap((canonical) => (canonical === undefined ? [] : [{ type: 'CodeSystem' as const, canonical }])),
    ...brought.flatMap((resource) => (resource.resourceType === 'ValueSet' ? partsOf(resource) : [])),
  ];
  const seen = new Set<string>();
  for (let next = wanted.shift(); next !== undefined && seen.size < mostDrawn; next = wanted.shift()) {
    const { type, canonical } = next;
    const isKnown = type === 'ValueSet' ? house.definitions.findValueSet(canonical) : house.definitions.findCodeSystem(canonical);
    if (isKnown !== undefined || seen.has(`${type} ${canonical}`)) continue;
    seen.add(`${type} ${canonical}`);
    const found = await storedCanonical(house, call, type, canonical);
    if (found === undefined) continue;
    drawn.push(found);
    if (found.resourceType === 'ValueSet') wanted.push(...partsOf(found));
  }
  if (drawn.length === 0) return { ...house.terminology, definitions: house.definitions };
  const definitions = house.definitions.with(drawn);
  return { ...createTerminology(definitions), definitions };
};
