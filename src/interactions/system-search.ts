import { checkInteraction, mayRead } from '../access/policy.js';
import { failure } from '../fhir/outcome.js';
import { readSubset } from '../fhir/subset.js';
import type { Predicate, Stored } from '../store/port.js';
import type { Call, House, Success } from './house.js';
import { includedOf } from './includes.js';
import type { Query } from './query.js';
import { answer, entriesOf, fingerprint, narrowedQuery, positionOf, type Narrowed } from './search.js';

/** Where a walk over several types stands: the type it reads, and the position there. */
type Place = readonly [index: number, after: string];

/** A walk over part of the types, as a compartment has it. `also` is what places a type there. */
type Part = { readonly path: string; readonly types: readonly string[]; readonly also: (type: string) => Predicate | undefined };

const typesOf = (house: House, call: Call, query: Query, part: Part | undefined): readonly string[] => {
  const named = query.filter(([name]) => name === '_type').flatMap(([, value]) => value.split(','));
  const served = [...house.registry.values()]
    .filter(({ type, interactions }) => interactions.includes('search-type') && (part === undefined || part.types.includes(type)))
    .map(({ type }) => type);
  for (const type of named) {
    if (!served.includes(type)) throw failure('invalid', 'value', `_type: ${type} is not searched here.`, { expression: ['_type'] });
    checkInteraction(call.caller, type, 's');
  }
  // the audit trail is read by its own name alone
  return named.length > 0 ? [...new Set(named)] : served.filter((type) => type !== 'AuditEvent' && mayRead(call.caller, type));
};

const placeOf = (text: string | undefined): Place => {
  if (text === undefined) return [0, ''];
  const [index = '', after = ''] = text.split('~');
  return [Number(index), after];
};

/** R4 search.html#all: several types at once, one after the other, by the parameters that all of them have. */
export const systemSearch = async (house: House, call: Call, query: Query, part?: Part): Promise<Success> => {
  const path = part?.path ?? '';
  const types = typesOf(house, call, query, part);
  const rest = query.filter(([name]) => name !== '_type');
  const asked = types.map((type) => narrowedQuery(house, call, type, rest, [part?.also(type) ?? []].flat()));
  const [first] = asked;
  if (!first) throw failure('forbidden', 'forbidden', 'There is no type that the caller may search.');
  if (first.plan.sort.length > 0)
    throw failure('invalid', 'not-supported', 'A search over several types has no order: leave _sort out, or search one type.', {
      expression: ['_sort'],
    });
  const applied: Query = [...query.filter(([name]) => name === '_type'), ...first.applied];
  const head = { applied, cursor: first.cursor };
  const counted = first.plan.count === 0 || first.summary === 'count';
  const total = first.total === 'none' && !counted ? undefined : await totalOf(house, asked, counted || first.total === 'accurate');
  if (counted) return answer(house, head, path, { total, entries: [] });
  const { rows, place } = await walk(house, asked, placeOf(positionOf(house, { ...first, applied }, path)), first.plan.count);
  const included = first.includes.length + first.revincludes.length === 0 ? [] : await includedOf(house, call, rows, first);
  const next = place && house.signCursor(`${fingerprint(path, { applied })}${String(place[0])}~${place[1]}`);
  return answer(house, head, path, { total, entries: entriesOf(house, rows, included, readSubset(first.summary, first.elements)), next });
};

const totalOf = async (house: House, asked: readonly Narrowed[], exact: boolean): Promise<number | undefined> => {
  const most = 1000;
  let total = 0;
  for (const { plan, sight } of asked) {
    total += await house.store.count(plan, sight, exact ? Number.MAX_SAFE_INTEGER : most + 1 - total);
    if (!exact && total > most) return undefined;
  }
  return total;
};

const walk = async (
  house: House,
  asked: readonly Narrowed[],
  [start, from]: Place,
  count: number,
): Promise<{ readonly rows: readonly Stored[]; readonly place: Place | undefined }> => {
  const rows: Stored[] = [];
  let after = from;
  for (let index = start; index < asked.length; index++) {
    const { plan, sight } = asked[index]!;
    const page = await house.store.search({ ...plan, count: count - rows.length, ...(after === '' ? {} : { after }) }, sight);
    rows.push(...page.rows);
    if (page.next !== undefined) return { rows, place: [index, page.next] };
    if (rows.length >= count) return { rows, place: index + 1 < asked.length ? [index + 1, ''] : undefined };
    after = '';
  }
  return { rows, place: undefined };
};
