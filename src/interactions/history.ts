import { isAllowed, sightOf } from '../access/policy.js';
import { mayInteract } from '../access/scopes.js';
import { etagOf } from '../fhir/etag.js';
import { failure } from '../fhir/outcome.js';
import { readReference } from '../fhir/references.js';
import type { Key, Resource } from '../fhir/resource.js';
import { dateValue } from '../fhir/search/criteria.js';
import { readDate, type Span } from '../fhir/search/dates.js';
import { readSubset, type Subset } from '../fhir/subset.js';
import type { HistoryScope, Page, Sight, Stored, Window } from '../store/port.js';
import { notFound } from './answers.js';
import type { Call, House, Success } from './house.js';
import { urlOf, type Query } from './query.js';
import { parametersOf } from './read.js';
import { mayHideVersions, ofSamePerson } from './same-person.js';
import { bundleText, type Link } from './splice.js';
import { subsetText } from './subset-text.js';

const kept = ['_count', '_since', '_at', '_sort', '_list', '_summary', '_elements'];
const known = [...kept, '_cursor', '_format', '_pretty'];
const usualCount = 50;
const mostRows = 1000;
/** versions that `_count=0` and `_summary=count` count */
const mostCounted = 20_000;

/** R4 http.html#history of one resource or one type. */
export const history = async (
  house: House,
  call: Call,
  scope: { readonly type: string; readonly id?: string },
  query: Query,
): Promise<Success> => {
  const path = scope.id === undefined ? scope.type : `${scope.type}/${scope.id}`;
  const asked = readQuery(house, call, path, query);
  if (scope.id !== undefined && !(await exists(house, call, { type: scope.type, id: scope.id })))
    throw notFound({ type: scope.type, id: scope.id });
  const keys = await listed(house, call, asked.list);
  return shown(house, path, query, asked, { ...scope, ...(keys ? { keys } : {}) }, sightOf(call.caller, scope.type));
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
  const asked = readQuery(house, call, '', query);
  const keys = await listed(house, call, asked.list);
  const own = keys ? types.filter((type) => keys.some((key) => key.type === type)) : types;
  return shown(house, '', query, asked, { types: own, ...(keys ? { keys } : {}) }, 'all');
};

/** The types that the caller may read, without AuditEvent. */
export const typesReadBy = (house: House, call: Call): readonly string[] =>
  [...house.registry.values()]
    .filter(({ type, interactions }) => interactions.includes('read') && type !== 'AuditEvent')
    .map(({ type }) => type)
    .filter((type) => isAllowed(call.caller.kind, type, 'r') && mayInteract(call.caller, type, 'r'));

type Asked = {
  readonly window: Window;
  readonly cursor: string | undefined;
  readonly list: string | undefined;
  readonly subset: Subset | undefined;
  /** the total alone */
  readonly counted: boolean;
};

/** R4 http.html#history, `_list`: the resources that a List has as items. */
const listed = async (house: House, call: Call, list: string | undefined): Promise<readonly Key[] | undefined> => {
  if (list === undefined) return undefined;
  const key = { type: 'List', id: list.replace(/^List\//, '') };
  const stored = await house.store.find(key, sightOf(call.caller, 'List'));
  if (stored?.body === undefined) throw failure('invalid', 'value', `There is no List/${key.id}.`, { expression: ['_list'] });
  const entries = ((JSON.parse(stored.body) as Resource)['entry'] ?? []) as readonly { readonly item?: { readonly reference?: string } }[];
  return entries.flatMap(({ item }) => readReference(item?.reference ?? '', house.baseUrl) ?? []);
};

const shown = async (house: House, path: string, query: Query, asked: Asked, scope: HistoryScope, sight: Sight): Promise<Success> => {
  if (scope.keys?.length === 0 || scope.types?.length === 0) return answer(house, path, query, asked, { rows: [], next: undefined }, 0);
  if (asked.counted) return answer(house, path, query, asked, { rows: [], next: undefined }, await countOf(house, asked, scope, sight));
  const page = await pageOf(house, asked.window, scope, sight);
  return answer(house, path, query, asked, page, totalOf(asked, scope, sight, page));
};

const pageOf = async (house: House, window: Window, scope: HistoryScope, sight: Sight): Promise<Page> => {
  const page = await house.store.history(scope, window, sight);
  return { ...page, rows: await ofSamePerson(house, sight, page.rows) };
};

/** Versions are counted one by one: an order or a filter of them has no other count. */
const countOf = async (house: House, { window }: Asked, scope: HistoryScope, sight: Sight): Promise<number> => {
  let total = 0;
  let after: string | undefined;
  do {
    const page = await pageOf(house, { ...window, count: mostRows, ...(after === undefined ? {} : { after }) }, scope, sight);
    total += page.rows.length;
    after = page.next;
    if (total > mostCounted)
      throw failure('too-costly', 'too-costly', `More than ${String(mostCounted)} versions are not counted: narrow them by _since.`, {
        expression: ['_count'],
      });
  } while (after !== undefined);
  return total;
};

/**
 * What costs nothing to tell: all that is on the page, and the versions of one resource, whose newest one bears their number where all of them
 * are shown.
 */
const totalOf = ({ window, cursor }: Asked, scope: HistoryScope, sight: Sight, page: Page): number | undefined => {
  if (cursor !== undefined) return undefined;
  if (page.next === undefined) return page.rows.length;
  const whole = scope.id !== undefined && window.since === undefined && window.at === undefined && window.ascending !== true;
  return whole && !mayHideVersions(scope.type, sight) ? page.rows[0]?.version : undefined;
};

/** What a cursor belongs to. */
const fingerprint = (path: string, query: Query): string =>
  JSON.stringify(['history', path, query.filter(([name]) => ['_since', '_at', '_sort', '_list'].includes(name))]);

const readQuery = (house: House, call: Call, path: string, query: Query): Asked => {
  const values = parametersOf(query, call, known, 'History');
  const since = values.get('_since');
  const at = values.get('_at');
  const cursor = values.get('_cursor');
  const summary = values.get('_summary');
  const counted = summary === 'count' || values.get('_count') === '0';
  return {
    cursor,
    list: values.get('_list'),
    counted,
    subset: counted ? undefined : readSubset(summary, values.get('_elements')),
    window: {
      count: counted ? 1 : pageSizeOf(values.get('_count')),
      ...(since === undefined ? {} : { since: spanOf(house, '_since', since).low }),
      ...(at === undefined ? {} : { at: momentsOf(house, at) }),
      ...(isAscending(values.get('_sort')) ? { ascending: true } : {}),
      ...(cursor === undefined ? {} : { after: house.openCursor(cursor, fingerprint(path, query)) }),
    },
  };
};

/** no version is from before it, or after the other */
const [firstMoment, lastMoment] = [0, Date.UTC(9999, 11, 31)];

/** R4 http.html#history, `_at`: the time that a date stands for, or with a prefix what lies before or after it (search.html#prefix). */
const momentsOf = ({ timeZone, clock }: House, text: string): NonNullable<Window['at']> => {
  const { prefix, low, high } = dateValue('_at', text, { timeZone, now: clock() });
  switch (prefix) {
    case 'gt':
    case 'sa':
      return { from: high, to: lastMoment };
    case 'ge':
      return { from: low, to: lastMoment };
    case 'lt':
    case 'eb':
      return { from: firstMoment, to: low - 1 };
    case 'le':
      return { from: firstMoment, to: high - 1 };
    case 'ne':
      throw failure('invalid', 'value', '_at: every version is there at another time as well, so that ne leaves none out.', {
        expression: ['_at'],
      });
    default:
      return { from: low, to: high - 1 };
  }
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
const pageSizeOf = (text: string | undefined): number => {
  if (text === undefined) return usualCount;
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw failure('invalid', 'value', '_count takes a whole number from 0.', { expression: ['_count'] });
  if (Number(text) > mostRows)
    throw failure('too-costly', 'too-costly', `A page holds at most ${String(mostRows)} entries.`, { expression: ['_count'] });
  return Number(text);
};

const answer = (house: House, path: string, query: Query, { cursor, subset }: Asked, page: Page, total: number | undefined): Success => {
  const base = `${house.baseUrl}/${path === '' ? '' : `${path}/`}_history`;
  const honoured = query.filter(([name]) => kept.includes(name));
  const url = (extra: Query) => urlOf(base, [...honoured, ...extra]);
  const links: Link[] = [{ relation: 'self', url: url(cursor === undefined ? [] : [['_cursor', cursor]]) }];
  if (cursor !== undefined) links.push({ relation: 'first', url: url([]) });
  if (page.next !== undefined)
    links.push({ relation: 'next', url: url([['_cursor', house.signCursor(page.next, fingerprint(path, query))]]) });
  return {
    status: 200,
    body: bundleText(
      house.baseUrl,
      { type: 'history', lastUpdated: house.clock(), total },
      links,
      page.rows.map((stored) => ({ stored: subsetText(house, stored, subset), more: entryOf(stored) })),
    ),
    headers: {},
    seen: page.rows,
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
