import { isAllowed, sightOf } from '../access/policy.js';
import { mayInteract } from '../access/scopes.js';
import { etagOf } from '../fhir/etag.js';
import { failure } from '../fhir/outcome.js';
import { readDate, type Span } from '../fhir/search/dates.js';
import type { HistoryScope, Sight, Stored, Window } from '../store/port.js';
import { notFound } from './answers.js';
import type { Call, House, Success } from './house.js';
import { urlOf, type Query } from './query.js';
import { parametersOf } from './read.js';
import { bundleText, type Link } from './splice.js';

const kept = ['_count', '_since', '_at', '_sort'];
const known = [...kept, '_cursor', '_format', '_pretty'];
const usualCount = 50;
const mostRows = 1000;

/** R4 http.html#history of one resource or one type. */
export const history = async (
  house: House,
  call: Call,
  scope: { readonly type: string; readonly id?: string },
  query: Query,
): Promise<Success> => {
  const asked = readQuery(house, call, query);
  const page = await house.store.history(scope, asked.window, sightOf(call.caller, scope.type));
  const path = scope.id === undefined ? scope.type : `${scope.type}/${scope.id}`;
  if (scope.id !== undefined && page.rows.length === 0 && !(await exists(house, call, { type: scope.type, id: scope.id })))
    throw notFound({ type: scope.type, id: scope.id });
  return answer(house, path, query, asked, page);
};

const exists = async (house: House, call: Call, key: { readonly type: string; readonly id: string }): Promise<boolean> =>
  (await house.store.find(key, sightOf(call.caller, key.type))) !== undefined;

/**
 * R4 http.html#history of everything, for system clients: of the types that the scopes let them read. AuditEvent is never in it: who
 * asked for what is not to be read by whoever may read the records.
 */
export const systemHistory = async (house: House, call: Call, query: Query): Promise<Success> => {
  // a scope that narrows a type to some of its records covers no history of all of them
  const types = typesReadBy(house, call).filter((type) => sightOf(call.caller, type) === 'all');
  if (call.caller.kind !== 'system' || types.length === 0)
    throw failure('forbidden', 'forbidden', 'The history of the whole system is for system clients that may read it.');
  const asked = readQuery(house, call, query);
  const scope: HistoryScope = { types };
  const sight: Sight = 'all';
  return answer(house, '', query, asked, await house.store.history(scope, asked.window, sight));
};

/** The types that the caller may read, without AuditEvent. */
export const typesReadBy = (house: House, call: Call): readonly string[] =>
  [...house.registry.values()]
    .filter(({ type, interactions }) => interactions.includes('read') && type !== 'AuditEvent')
    .map(({ type }) => type)
    .filter((type) => isAllowed(call.caller.kind, type, 'r') && mayInteract(call.caller, type, 'r'));

type Asked = { readonly window: Window; readonly cursor: string | undefined };

const readQuery = (house: House, call: Call, query: Query): Asked => {
  const values = parametersOf(query, call, known, 'History');
  const since = values.get('_since');
  const at = values.get('_at');
  const cursor = values.get('_cursor');
  const span = at === undefined ? undefined : spanOf(house, '_at', at);
  return {
    cursor,
    window: {
      count: countOf(values.get('_count')),
      ...(since === undefined ? {} : { since: spanOf(house, '_since', since).low }),
      ...(span === undefined ? {} : { at: { from: span.low, to: span.high - 1 } }),
      ...(isAscending(values.get('_sort')) ? { ascending: true } : {}),
      ...(cursor === undefined ? {} : { after: house.openCursor(cursor) }),
    },
  };
};

const spanOf = (house: House, name: string, text: string): Span => {
  // a + that was not encoded arrives as a space
  const span = readDate(text.replace(' ', '+'), house.timeZone);
  if (!span) throw failure('invalid', 'value', `${name} takes a date or an instant, such as 2026-03-01T09:00:00Z.`, { expression: [name] });
  return span;
};

/** R4 http.html#history: newest first; `_sort=_lastUpdated` turns the order round. */
const isAscending = (sort: string | undefined): boolean => {
  if (sort === undefined || sort === '-_lastUpdated') return false;
  if (sort === '_lastUpdated') return true;
  throw failure('invalid', 'not-supported', 'History is sorted by _lastUpdated or -_lastUpdated.', { expression: ['_sort'] });
};

/** Throws a Failure for what is no count, and for more than a page holds. */
const countOf = (text: string | undefined): number => {
  if (text === undefined) return usualCount;
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw failure('invalid', 'value', '_count takes a whole number from 1.', { expression: ['_count'] });
  if (Number(text) > mostRows)
    throw failure('too-costly', 'too-costly', `A page holds at most ${String(mostRows)} entries.`, { expression: ['_count'] });
  return Number(text);
};

const answer = (
  house: House,
  path: string,
  query: Query,
  { window, cursor }: Asked,
  page: { readonly rows: readonly Stored[]; readonly next: string | undefined },
): Success => {
  const base = `${house.baseUrl}/${path === '' ? '' : `${path}/`}_history`;
  const honoured = query.filter(([name]) => kept.includes(name));
  const url = (extra: Query) => urlOf(base, [...honoured, ...extra]);
  const links: Link[] = [{ relation: 'self', url: url(cursor === undefined ? [] : [['_cursor', cursor]]) }];
  if (cursor !== undefined) links.push({ relation: 'first', url: url([]) });
  if (page.next !== undefined) links.push({ relation: 'next', url: url([['_cursor', house.signCursor(page.next)]]) });
  // only an instance has a total that costs nothing: its newest version's number
  const whole = window.since === undefined && window.at === undefined && cursor === undefined && page.next === undefined;
  return {
    status: 200,
    body: bundleText(
      house.baseUrl,
      { type: 'history', lastUpdated: house.clock(), ...(whole ? { total: page.rows.length } : {}) },
      links,
      page.rows.map((stored) => ({ stored, more: entryOf(stored) })),
    ),
    headers: {},
  };
};

const givenByServer = /^(?:[a-z]\.)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** R4 http.html#history: what was asked and answered. A first version under an id that the server did not give came by PUT. */
const entryOf = ({ type, id, version, body, lastUpdated }: Stored): object => {
  const first = version === 1;
  const method = body === undefined ? 'DELETE' : first && givenByServer.test(id) ? 'POST' : 'PUT';
  return {
    request: { method, url: method === 'POST' ? type : `${type}/${id}` },
    response: {
      status: body === undefined ? '204' : first ? '201' : '200',
      etag: etagOf(version),
      lastModified: new Date(lastUpdated).toISOString(),
    },
  };
};
