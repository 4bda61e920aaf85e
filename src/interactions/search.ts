import { narrowPlan, searchSightOf } from '../access/narrow-plan.js';
import { mayRead, sightOf } from '../access/policy.js';
import { readReference, findReferences } from '../fhir/references.js';
import { referenceTo, type Key, type Resource } from '../fhir/resource.js';
import type { Include, ParsedQuery } from '../fhir/search/parse.js';
import type { Stored } from '../store/port.js';
import type { Call, House, Success } from './house.js';
import { urlOf, type Query } from './query.js';
import { bundleText, type Link, type SpliceEntry } from './splice.js';

/** `total` is counted when it is cheap: up to this many matches, unless `_total=accurate` asks. */
const countedTo = 1000;
const maxIncluded = 1000;

/** R4 search.html on one type, as text. */
export const search = async (house: House, call: Call, type: string, query: Query): Promise<Success> => {
  const asked = house.parseQuery(type, query, { lenient: call.lenient });
  const parsed = { ...asked, plan: narrowPlan(call.caller, asked.plan) };
  const sight = searchSightOf(call.caller, parsed.plan);
  const total = await totalOf(house, call, parsed);
  if (parsed.plan.count === 0 || parsed.summary === 'count') return answer(house, parsed, total, [], undefined, type);
  const after = parsed.cursor === undefined ? undefined : house.openCursor(parsed.cursor);
  const page = await house.store.search({ ...parsed.plan, ...(after === undefined ? {} : { after }) }, sight);
  const included = parsed.includes.length + parsed.revincludes.length === 0 ? [] : await includedOf(house, call, page.rows, parsed);
  const entries = [
    ...page.rows.map((stored): SpliceEntry => ({ stored, more: { search: { mode: 'match' } } })),
    ...included.map((stored): SpliceEntry => ({ stored, more: { search: { mode: 'include' } } })),
  ];
  return answer(house, parsed, total, entries, page.next, type);
};

const totalOf = async (house: House, call: Call, parsed: ParsedQuery): Promise<number | undefined> => {
  if (parsed.total === 'none') return undefined;
  const limit =
    parsed.total === 'accurate' || parsed.summary === 'count' || parsed.plan.count === 0 ? Number.MAX_SAFE_INTEGER : countedTo + 1;
  const n = await house.store.count(parsed.plan, searchSightOf(call.caller, parsed.plan), limit);
  return n >= limit ? undefined : n;
};

const answer = (
  house: House,
  parsed: ParsedQuery,
  total: number | undefined,
  entries: readonly SpliceEntry[],
  next: string | undefined,
  type: string,
): Success => {
  const url = (extra: Query) => urlOf(`${house.baseUrl}/${type}`, [...parsed.applied, ...extra]);
  const links: Link[] = [{ relation: 'self', url: url(parsed.cursor === undefined ? [] : [['_cursor', parsed.cursor]]) }];
  if (next !== undefined) links.push({ relation: 'next', url: url([['_cursor', house.signCursor(next)]]) });
  return {
    status: 200,
    body: bundleText(house.baseUrl, { type: 'searchset', total, lastUpdated: house.clock() }, links, entries),
    headers: {},
  };
};

/** _include and _revinclude (R4 search.html#include), each followed again where it iterates, every row once, only what the caller may see. */
const includedOf = async (house: House, call: Call, matches: readonly Stored[], parsed: ParsedQuery): Promise<readonly Stored[]> => {
  const seen = new Set(matches.map(referenceTo));
  const all: Stored[] = [];
  let frontier = matches;
  for (let round = 0; frontier.length > 0 && round < 5 && all.length < maxIncluded; round++) {
    const fresh: Stored[] = [];
    const found = [
      ...(await forward(house, call, frontier, active(parsed.includes, round))),
      ...(await backward(house, call, frontier, active(parsed.revincludes, round))),
    ];
    for (const row of found)
      if (!seen.has(referenceTo(row)) && row.body !== undefined) {
        seen.add(referenceTo(row));
        fresh.push(row);
      }
    all.push(...fresh);
    frontier = fresh;
  }
  return all.slice(0, maxIncluded);
};

const active = (includes: readonly Include[], round: number): readonly Include[] =>
  includes.filter(({ iterate }) => round === 0 || iterate);

const readable = (call: Call, type: string): boolean => mayRead(call.caller, type);

const forward = async (house: House, call: Call, rows: readonly Stored[], includes: readonly Include[]): Promise<readonly Stored[]> => {
  const wanted = new Map<string, Key>();
  for (const row of rows)
    for (const include of includes.filter(({ type }) => type === row.type))
      for (const target of await targetsOf(house, row, include))
        if ((include.target === undefined || include.target === target.type) && readable(call, target.type))
          wanted.set(referenceTo(target), target);
  const found = await Promise.all([...wanted.values()].map((key) => house.store.find(key, sightOf(call.caller, key.type))));
  return found.flatMap((stored) => stored ?? []);
};

const targetsOf = async (house: House, row: Stored, include: Include): Promise<readonly Key[]> => {
  const resource = JSON.parse(row.body ?? '{}') as Resource;
  if (include.param === '*')
    return findReferences(resource, row.type).flatMap(({ reference }) => readReference(reference ?? '', house.baseUrl) ?? []);
  const logical = new Map<string, Key | undefined>();
  for (const { reference, identifier } of findReferences(resource, row.type))
    if (reference === undefined && identifier?.value !== undefined)
      logical.set(`${identifier.system ?? ''}|${identifier.value}`, await byIdentifier(house, identifier));
  return house
    .extract(resource, {
      resolve: ({ identifier }) => logical.get(`${identifier.system ?? ''}|${identifier.value ?? ''}`),
      baseUrl: house.baseUrl,
      timeZone: house.timeZone,
    })
    .flatMap((value) => (value.kind === 'reference' && value.param === include.param ? [value.target] : []));
};

const byIdentifier = async (house: House, identifier: { readonly system?: string; readonly value?: string }): Promise<Key | undefined> => {
  for (const type of ['Patient', 'Organization', 'Practitioner', 'HealthcareService']) {
    const page = await house.store.search(
      {
        type,
        where: [{ kind: 'token', param: 'identifier', any: [{ system: identifier.system ?? '', code: identifier.value ?? '' }] }],
        sort: [],
        count: 2,
      },
      'all',
    );
    if (page.rows.length === 1) return page.rows[0];
  }
  return undefined;
};

const backward = async (house: House, call: Call, rows: readonly Stored[], includes: readonly Include[]): Promise<readonly Stored[]> => {
  const found: Stored[] = [];
  for (const { type, param, target } of includes.filter((include) => readable(call, include.type)))
    for (const row of rows)
      if (target === undefined || target === row.type)
        found.push(...(await house.store.referrers(row, sightOf(call.caller, type), maxIncluded, { type, param })));
  return found;
};
