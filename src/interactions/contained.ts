import { createHash } from 'node:crypto';
import { mayRead, sightOf } from '../access/policy.js';
import type { Draft } from '../domain/command.js';
import { parseJson, stringifyJson } from '../fhir/json.js';
import { referenceTo, type Key, type Resource } from '../fhir/resource.js';
import type { Context } from '../fhir/search/extract.js';
import { containedType, isContainedType } from '../store/layout.js';
import type { Predicate, Put, SearchPlan, Sight, Stored, Value } from '../store/port.js';
import type { Call, House } from './house.js';

/** What a row of a contained resource keeps: where it is, and what it says. */
type Held = { readonly container: string; readonly fragment: string; readonly resource: Resource };

/** The token under which the type of its container is kept with a contained resource: who may not read that finds nothing in it. */
const containerParam = '_container';
/** The token under which its id within the container is kept. */
const fragmentParam = '_fragment';

/** Where it is, as values that searches of contained resources ask for. */
const placeValues = (containerType: string, fragment: string): readonly Value[] => [
  { kind: 'token', param: containerParam, system: '', code: containerType },
  { kind: 'token', param: fragmentParam, system: '', code: fragment },
];

/** R4 references.html#contained: the resources inside another one, as far as their types are served. */
const containedIn = (house: House, resource: Resource | undefined): readonly Resource[] =>
  Array.isArray(resource?.['contained'])
    ? (resource['contained'] as readonly Resource[]).filter(({ resourceType, id }) => house.registry.has(resourceType) && id !== undefined)
    : [];

/** The row of a contained resource: an id of its own, as long as ids may be. */
const keyOf = (container: Key, { resourceType, id = '' }: Resource): Key => ({
  type: containedType(resourceType),
  id: createHash('sha256')
    .update(`${referenceTo(container)}#${id}`)
    .digest('base64url'),
});

/** What `#fragment` refers to within a resource; `#` alone is the resource itself. */
export const fragmentsOf = (house: House, container: Key, resource: Resource): Context['fragment'] => {
  const keys = new Map(containedIn(house, resource).map((inner) => [`#${inner.id ?? ''}`, keyOf(container, inner)]));
  return (text) => (text === '#' ? { type: container.type, id: container.id } : keys.get(text));
};

/**
 * The rows of what a resource contains, which are written with it: found by `_contained` and by chains (R4 search.html#contained), and by
 * nothing else, as their types are no types of the API. Those that the version before had and this one has not are deleted.
 */
export const containedPuts = async (house: House, draft: Draft, put: Put, context: Context): Promise<readonly Put[]> => {
  const before = await containedBefore(house, draft);
  const now = containedIn(house, draft.resource);
  if (before.length + now.length === 0) return [];
  const bare = { lastUpdated: put.lastUpdated, values: [], accessKeys: [], accessLinks: [] };
  const kept = new Set(now.map((inner) => referenceTo(keyOf(draft, inner))));
  const gone = before.map((inner) => keyOf(draft, inner)).filter((key) => !kept.has(referenceTo(key)));
  const version = async (key: Key): Promise<number> => (draft.version === 0 ? 0 : ((await house.store.find(key, 'all'))?.version ?? 0));
  const self = referenceTo(draft);
  return Promise.all([
    ...gone.map(async (key): Promise<Put> => ({ ...bare, ...key, version: await version(key), body: undefined })),
    ...now.map(async (inner): Promise<Put> => {
      const key = keyOf(draft, inner);
      return {
        ...{ ...key, version: await version(key), lastUpdated: put.lastUpdated },
        body: stringifyJson({ container: self, fragment: inner.id ?? '', resource: inner } satisfies Held),
        values: [...house.extract(inner, context), ...placeValues(draft.type, inner.id ?? '')],
        accessKeys: put.accessKeys,
        // whoever may read the container, through whatever it is linked to
        accessLinks: [
          { child: key, root: { type: draft.type, id: draft.id } },
          ...put.accessLinks.filter(({ child }) => referenceTo(child) === self).map(({ root }) => ({ child: key, root })),
        ],
      };
    }),
  ]);
};

const containedBefore = async (house: House, draft: Draft): Promise<readonly Resource[]> => {
  if (draft.version === 0) return [];
  const body = (await house.store.findVersion(draft, draft.version, 'all'))?.body;
  return body?.includes('"contained":') === true ? containedIn(house, parseJson(body) as Resource) : [];
};

/** `_id` of a contained resource is its id within its container. */
const byFragment = (predicate: Predicate, contained: 'true' | 'both'): Predicate => {
  const all = (where: readonly Predicate[]): readonly Predicate[] => where.map((one) => byFragment(one, contained));
  if (predicate.kind === 'either') return { ...predicate, of: predicate.of.map(all) };
  if (predicate.kind === 'not') return { ...predicate, where: all(predicate.where) };
  if (predicate.kind !== 'id') return predicate;
  const inside: Predicate = { kind: 'token', param: fragmentParam, any: predicate.ids.map((code) => ({ code })), identifying: true };
  return contained === 'true' ? inside : { kind: 'either', of: [[predicate], [inside]] };
};

/** Narrows a search of contained resources to those whose container the caller may read. */
export const withReadableContainers = (house: House, call: Call, asked: SearchPlan): SearchPlan => {
  const { contained } = asked;
  if (contained === undefined) return asked;
  const plan = { ...asked, where: asked.where.map((one) => byFragment(one, contained)) };
  const types = [...house.registry.keys()];
  const readable = types.filter((type) => mayRead(call.caller, type));
  if (readable.length === types.length) return plan;
  const within: Predicate = { kind: 'token', param: containerParam, any: readable.map((code) => ({ code })) };
  return {
    ...plan,
    where: [...plan.where, { kind: 'either', of: [[{ kind: 'missing', param: containerParam, missing: true }], [within]] }],
  };
};

/**
 * The matches as they are shown (R4 search.html#containedType): the containers, each once over all pages, or the contained resources
 * under the address of their container.
 */
export const shownMatches = async (
  house: House,
  call: Call,
  asked: { readonly plan: SearchPlan; readonly sight: Sight; readonly containedType: 'container' | 'contained' },
  rows: readonly Stored[],
): Promise<readonly Stored[]> => {
  const shown: Stored[] = [];
  for (const row of rows) {
    if (!isContainedType(row.type)) {
      shown.push(row);
      continue;
    }
    const { container, fragment, resource } = parseJson(row.body ?? '{}') as Held;
    const [type = '', id = ''] = container.split('/');
    if (asked.containedType === 'contained') {
      shown.push({ ...row, type, id: `${id}#${fragment}`, body: stringifyJson(resource) });
      continue;
    }
    const found = await house.store.find({ type, id }, sightOf(call.caller, type));
    if (found?.body !== undefined && (await isFirst(house, asked, row, found))) shown.push(found);
  }
  return shown;
};

/** Whether no earlier match of the search leads to the same container. */
const isFirst = async (
  house: House,
  { plan, sight }: { readonly plan: SearchPlan; readonly sight: Sight },
  row: Stored,
  container: Stored,
): Promise<boolean> => {
  const inner = containedIn(house, parseJson(container.body ?? '{}') as Resource).filter(({ resourceType }) => resourceType === plan.type);
  const ids = [...inner.map((one) => keyOf(container, one).id), ...(container.type === plan.type ? [container.id] : [])];
  if (ids.length === 1) return true;
  const { rows } = await house.store.search({ ...plan, where: [...plan.where, { kind: 'id', ids }], count: 1 }, sight);
  return rows[0]?.type === row.type && rows[0].id === row.id;
};

export type IndexedRow = {
  readonly resource: Resource;
  readonly fragment: Context['fragment'];
  /** of one that another contains: values beside those of its parameters */
  readonly place: readonly Value[];
};

/** What is indexed of a row: a resource, or one that another contains. */
export const indexedOf = async (house: House, row: Stored): Promise<IndexedRow> => {
  const body = parseJson(row.body ?? '{}');
  if (!isContainedType(row.type)) return { resource: body as Resource, fragment: fragmentsOf(house, row, body as Resource), place: [] };
  const { container, fragment, resource } = body as Held;
  const [type = '', id = ''] = container.split('/');
  const around = await house.store.find({ type, id }, 'all');
  const isThere = around?.body !== undefined;
  return {
    resource,
    fragment: isThere ? fragmentsOf(house, around, parseJson(around.body) as Resource) : undefined,
    place: placeValues(type, fragment),
  };
};
