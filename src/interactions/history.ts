import { sightOf } from '../access/policy.js';
import { etagOf } from '../fhir/etag.js';
import { failure } from '../fhir/outcome.js';
import type { Stored } from '../store/port.js';
import { notFound } from './answers.js';
import type { Call, House, Success } from './house.js';
import { urlOf, type Query } from './query.js';
import { bundleText, type Link } from './splice.js';

const known = ['_count', '_since', '_at', '_cursor', '_format', '_pretty'];

const instant = (name: string, text: string): number => {
  const ms = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw failure('invalid', 'value', `${name} takes an instant with a zone, such as 2026-03-01T09:00:00Z.`, { expression: [name] });
  return ms;
};

/** R4 http.html#history for an instance or a type: newest first, in the order of commits, which paging follows. */
export const history = async (
  house: House,
  call: Call,
  scope: { readonly type: string; readonly id?: string },
  query: Query,
): Promise<Success> => {
  const values = new Map(query);
  for (const [name] of query)
    if (!known.includes(name) && !call.lenient)
      throw failure('invalid', 'not-supported', `History does not know the parameter ${name}; it knows ${known.join(', ')}.`, {
        expression: [name],
      });
  const count = Math.min(countOf(values.get('_count')), 1000);
  const since = values.get('_since');
  const at = values.get('_at');
  const cursor = values.get('_cursor');
  const window = {
    count,
    ...(since === undefined ? {} : { since: instant('_since', since) }),
    ...(at === undefined ? {} : { at: instant('_at', at) }),
    ...(cursor === undefined ? {} : { after: house.openCursor(cursor) }),
  };
  const page = await house.store.history(scope, window, sightOf(call.caller, scope.type));
  if (scope.id !== undefined && page.rows.length === 0 && cursor === undefined && since === undefined && at === undefined)
    throw notFound({ type: scope.type, id: scope.id });
  const path = `${house.baseUrl}/${scope.type}${scope.id === undefined ? '' : `/${scope.id}`}/_history`;
  const kept = query.filter(([name]) => ['_count', '_since', '_at'].includes(name));
  const url = (extra: Query) => urlOf(path, [...kept, ...extra]);
  const links: Link[] = [{ relation: 'self', url: url(cursor === undefined ? [] : [['_cursor', cursor]]) }];
  if (page.next !== undefined) links.push({ relation: 'next', url: url([['_cursor', house.signCursor(page.next)]]) });
  return {
    status: 200,
    body: bundleText(
      house.baseUrl,
      { type: 'history', lastUpdated: house.clock() },
      links,
      page.rows.map((stored) => ({ stored, more: entryOf(stored) })),
    ),
    headers: {},
  };
};

const countOf = (text: string | undefined): number => {
  if (text === undefined) return 20;
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw failure('invalid', 'value', '_count takes a whole number from 1.', { expression: ['_count'] });
  return Number(text);
};

const entryOf = (stored: Stored): object => {
  const method = stored.body === undefined ? 'DELETE' : stored.version === 1 ? 'POST' : 'PUT';
  return {
    request: { method, url: method === 'POST' ? stored.type : `${stored.type}/${stored.id}` },
    response: {
      status: stored.body === undefined ? '204' : stored.version === 1 ? '201' : '200',
      etag: etagOf(stored.version),
      lastModified: new Date(stored.lastUpdated).toISOString(),
    },
  };
};
