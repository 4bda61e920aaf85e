import { checkInteraction, mayRead } from '../access/policy.js';
import { failure } from '../fhir/outcome.js';
import { readSubset } from '../fhir/subset.js';
import { TooCostly, type Page, type Place, type Predicate, type Sort, type Stored } from '../store/port.js';
import { behindWarning } from './behind-index.js';
import type { Call, House, Success } from './house.js';
import { includedOf } from './includes.js';
import type { Query } from './query.js';
import { inOneState } from './one-state.js';
import { shownOnce, type PageContent } from './page-content.js';
import { affordable, answer, fingerprint, narrowedQuery, positionOf, tooCostly, type Narrowed } from './search.js';

/** Where a walk over several types stands: the type it reads, and the position there. */
type Standing = readonly [index: number, after: string];

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

const standingOf = (text: string | undefined): Standing => {
  if (text === undefined) return [0, ''];
  const [index = '', after = ''] = text.split('~');
  return [Number(index), after];
};

/** R4 search.html#all: several types at once, one after the other, by the parameters that all of them have. */
export const systemSearch = async (house: House, call: Call, query: Query, part?: Part): Promise<Success> => {
  const path = part?.path ?? '';
  const types = typesOf(house, call, query, part);
  const rest = query.filter(([name]) => name !== '_type');
  const asked = await Promise.all(types.map((type) => narrowedQuery(house, call, type, rest, [part?.also(type) ?? []].flat())));
  const [first] = asked;
  if (!first) throw failure('forbidden', 'forbidden', 'There is no type that the caller may search.');
  if (first.plan.contained !== undefined)
    throw failure('invalid', 'not-supported', 'Contained resources are searched by one type at a time.', { expression: ['_contained'] });
  const applied: Query = [...query.filter(([name]) => name === '_type'), ...first.applied];
  const warning = behindWarning(
    house,
    asked.map(({ plan }) => plan),
  );
  const head = { applied, cursor: first.cursor, warning };
  const counted = first.plan.count === 0 || first.summary === 'count';
  const content = await inOneState(house, (at) =>
    contentOf(at, call, { asked, first, counted, from: positionOf(at, { ...first, applied }, path) }),
  );
  const { position, ...shown } = content;
  const next = position === undefined ? undefined : house.signCursor(position, fingerprint(path, { applied }));
  return answer(house, head, path, { ...shown, next });
};

type Content = PageContent & {
  readonly total: number | undefined;
  readonly position?: string | undefined;
};

const contentOf = async (
  house: House,
  call: Call,
  {
    asked,
    first,
    counted,
    from,
  }: { readonly asked: readonly Narrowed[]; readonly first: Narrowed; readonly counted: boolean; readonly from: string | undefined },
): Promise<Content> => {
  const total = first.total === 'none' && !counted ? undefined : await totalOf(house, asked, counted || first.total === 'accurate');
  if (counted) return { total, entries: [], seen: [] };
  const { rows, position } = first.plan.sort.length > 0 ? await merged(house, asked, from) : await walk(house, asked, from);
  const included = first.includes.length + first.revincludes.length === 0 ? [] : await includedOf(house, call, rows, first);
  return {
    total,
    ...shownOnce(house, rows, included, readSubset(first.summary, first.elements)),
    position,
  };
};

const totalOf = async (house: House, asked: readonly Narrowed[], exact: boolean): Promise<number | undefined> => {
  const most = 1000;
  let total = 0;
  try {
    for (const { plan, sight } of asked) {
      total += await house.store.count(plan, sight, exact ? Number.MAX_SAFE_INTEGER : most + 1 - total);
      if (!exact && total > most) return undefined;
    }
    return total;
  } catch (error) {
    if (!(error instanceof TooCostly)) throw error;
    if (exact) throw tooCostly();
    return undefined;
  }
};

type Walked = { readonly rows: readonly Stored[]; readonly position: string | undefined };

/** One type after the other. */
const walk = async (house: House, asked: readonly Narrowed[], position: string | undefined): Promise<Walked> => {
  const [start, from] = standingOf(position);
  const count = asked[0]?.plan.count ?? 0;
  const rows: Stored[] = [];
  let after = from;
  for (let index = start; index < asked.length; index++) {
    const { plan, sight } = asked[index]!;
    const page = await affordable(house.store.search({ ...plan, count: count - rows.length, ...(after === '' ? {} : { after }) }, sight));
    rows.push(...page.rows);
    if (page.next !== undefined) return { rows, position: `${String(index)}~${page.next}` };
    if (rows.length >= count) return { rows, position: index + 1 < asked.length ? `${String(index + 1)}~` : undefined };
    after = '';
  }
  return { rows, position: undefined };
};

/** What is left of one type: where it stands, and the rows that were read ahead. */
type Strand = { readonly page: Page; at: number; after: string };

const ended = '-';

/** Whether a place comes before another; a missing value comes last. */
const isBefore = (sort: readonly Sort[], left: Place, right: Place): boolean => {
  for (const [index, { descending }] of sort.entries()) {
    const [a, b] = [left.keys[index] ?? null, right.keys[index] ?? null];
    if (a === b) continue;
    if (a === null || b === null) return b === null;
    return a < b !== descending;
  }
  return false;
};

/** In an order that all types have: the types' own orders merged. The position names where each of them stands. */
const merged = async (house: House, asked: readonly Narrowed[], position: string | undefined): Promise<Walked> => {
  const { sort = [], count = 0 } = asked[0]?.plan ?? {};
  const standing = position?.split('~') ?? asked.map(() => '');
  const strands = await Promise.all(
    asked.map(async ({ plan, sight }, index): Promise<Strand> => {
      const after = standing[index] ?? ended;
      if (after === ended) return { page: { rows: [], next: undefined, places: [] }, at: 0, after };
      const page = await affordable(house.store.search({ ...plan, placed: true, ...(after === '' ? {} : { after }) }, sight));
      return { page, at: 0, after };
    }),
  );
  const rows: Stored[] = [];
  while (rows.length < count) {
    let next: Strand | undefined;
    for (const strand of strands) {
      const place = strand.page.places?.[strand.at];
      const best = next?.page.places?.[next.at];
      if (place && (!best || isBefore(sort, place, best))) next = strand;
    }
    if (!next) break;
    rows.push(next.page.rows[next.at]!);
    next.after = next.page.places?.[next.at]?.after ?? ended;
    next.at++;
  }
  const isDone = ({ page, at }: Strand): boolean => at >= page.rows.length && page.next === undefined;
  return {
    rows,
    position: strands.every(isDone) ? undefined : strands.map((strand) => (isDone(strand) ? ended : strand.after)).join('~'),
  };
};
