import { mayRead, sightOf } from '../access/policy.js';
import { failure } from '../fhir/outcome.js';
import { findReferences, readReference } from '../fhir/references.js';
import { referenceTo, type Key, type Resource } from '../fhir/resource.js';
import type { Include, ParsedQuery } from '../fhir/search/parse.js';
import { isContainedType } from '../store/layout.js';
import type { Stored } from '../store/port.js';
import type { Call, House } from './house.js';

/** More than this beside the matches of one page is refused. */
const mostIncluded = 1000;
/** Steps that an include which iterates follows. */
const mostRounds = 5;

const tooMany = () =>
  failure(
    'too-costly',
    'too-costly',
    `The includes of this page are more than ${String(mostIncluded)} resources: ask for fewer with _count.`,
    {
      expression: ['_include'],
    },
  );

/**
 * What _include and _revinclude add to a page (R4 search.html#include): each row once, only what the caller may see, and again from what
 * was added where an include iterates.
 */
export const includedOf = async (house: House, call: Call, matches: readonly Stored[], parsed: ParsedQuery): Promise<readonly Stored[]> => {
  const seen = new Set(matches.map(referenceTo));
  const all: Stored[] = [];
  let frontier = matches;
  for (let round = 0; frontier.length > 0 && round < mostRounds; round++) {
    const found = [
      ...(await forward(house, call, frontier, active(parsed.includes, round))),
      ...(await backward(house, call, frontier, active(parsed.revincludes, round))),
    ];
    const fresh: Stored[] = [];
    for (const row of found) {
      if (row.body === undefined || seen.has(referenceTo(row))) continue;
      seen.add(referenceTo(row));
      fresh.push(row);
    }
    all.push(...fresh);
    if (all.length > mostIncluded) throw tooMany();
    frontier = fresh;
  }
  return all;
};

const active = (includes: readonly Include[], round: number): readonly Include[] =>
  includes.filter(({ iterate }) => round === 0 || iterate);

/** Rows by type, so that each type is read with the sight that the caller has of it. */
const read = async (house: House, call: Call, keys: Iterable<Key>): Promise<readonly Stored[]> => {
  const byType = new Map<string, Key[]>();
  for (const key of keys) byType.set(key.type, [...(byType.get(key.type) ?? []), key]);
  const found = await Promise.all(
    [...byType]
      .filter(([type]) => mayRead(call.caller, type))
      .map(([type, wanted]) => house.store.findMany(wanted, sightOf(call.caller, type))),
  );
  return found.flat();
};

const forward = async (house: House, call: Call, rows: readonly Stored[], includes: readonly Include[]): Promise<readonly Stored[]> => {
  const wanted = new Map<string, Key>();
  for (const row of rows) {
    const own = includes.filter(({ type }) => type === row.type || type === '*');
    if (own.length === 0) continue;
    const resource = JSON.parse(row.body ?? '{}') as Resource;
    for (const include of own)
      for (const target of await targetsOf(house, resource, include))
        if (include.target === undefined || include.target === target.type) wanted.set(referenceTo(target), target);
    if (wanted.size > 2 * mostIncluded) throw tooMany();
  }
  return read(house, call, wanted.values());
};

/** What a resource refers to through one parameter, logical references included. */
const targetsOf = async (house: House, resource: Resource, { param }: Include): Promise<readonly Key[]> => {
  const references = findReferences(resource, resource.resourceType);
  if (param === '*') return references.flatMap(({ reference }) => readReference(reference ?? '', house.baseUrl) ?? []);
  const logical = new Map<string, Key | undefined>();
  for (const { reference, identifier } of references)
    if (reference === undefined && identifier?.value !== undefined)
      logical.set(`${identifier.system ?? ''}|${identifier.value}`, await byIdentifier(house, identifier));
  const context = {
    resolve: ({ identifier }: { readonly identifier: { readonly system?: string; readonly value?: string } }) =>
      logical.get(`${identifier.system ?? ''}|${identifier.value ?? ''}`),
    baseUrl: house.baseUrl,
    timeZone: house.timeZone,
  };
  return house.extract(resource, context, param).flatMap((value) => (value.kind === 'reference' ? [value.target] : []));
};

const byIdentifier = async (house: House, identifier: { readonly system?: string; readonly value?: string }): Promise<Key | undefined> => {
  for (const type of ['Patient', 'Organization', 'Practitioner', 'HealthcareService']) {
    const any = [{ system: identifier.system ?? '', code: identifier.value ?? '' }];
    const page = await house.store.search({ type, where: [{ kind: 'token', param: 'identifier', any }], sort: [], count: 2 }, 'all');
    if (page.rows.length === 1) return page.rows[0];
  }
  return undefined;
};

/** What is contained in another resource is shown with that alone. */
const isPlain = ({ type }: Key): boolean => !isContainedType(type);

const backward = async (house: House, call: Call, rows: readonly Stored[], includes: readonly Include[]): Promise<readonly Stored[]> => {
  const found: Stored[] = [];
  for (const { type, param, target } of includes)
    for (const row of rows) {
      // the audit trail is read by its own name alone
      if (type === 'AuditEvent') continue;
      if (target !== undefined && target !== row.type) continue;
      if (param === '*') {
        const referrers = (await house.store.referrers(row, 'all', mostIncluded + 1)).filter(isPlain);
        found.push(
          ...(await read(
            house,
            call,
            referrers.filter((referrer) => referrer.type !== 'AuditEvent' && (type === '*' || referrer.type === type)),
          )),
        );
      } else if (mayRead(call.caller, type))
        found.push(...(await house.store.referrers(row, sightOf(call.caller, type), mostIncluded + 1, { type, param })).filter(isPlain));
      if (found.length > 2 * mostIncluded) throw tooMany();
    }
  return found;
};
