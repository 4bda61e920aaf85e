import type { Predicate, SearchPlan, Sort } from '../../store/port.js';
import { Failure, failure } from '../outcome.js';
import { wrongValue, type Setting } from './criteria.js';
import { Reader, type Include, type Options } from './reader.js';
import { slotInclude, slotIncludes, slotName } from './slot-forms.js';
import type { Kin } from './hierarchy.js';
import type { Code } from './terminology.js';

export type { Include } from './reader.js';

export type ParsedQuery = {
  readonly plan: SearchPlan;
  readonly summary: 'count' | 'true' | 'text' | 'data' | 'false' | undefined;
  readonly total: 'none' | 'estimate' | 'accurate' | undefined;
  readonly includes: readonly Include[];
  readonly revincludes: readonly Include[];
  readonly cursor: string | undefined;
  /** names of elements that _elements asks for */
  readonly elements: string | undefined;
  /** e-RS's page, from 1 (Slot only) */
  readonly page: number | undefined;
  /** how matches that are contained in another resource are shown (R4 search.html#contained) */
  readonly containedType: 'container' | 'contained';
  /** what was honoured, for the self link */
  readonly applied: readonly (readonly [string, string])[];
};

export type QueryParser = (
  type: string,
  query: readonly (readonly [string, string])[],
  options: {
    readonly lenient: boolean;
    /** the codes of value sets that are kept here as resources, by what the query calls them */
    readonly valueSets?: ReadonlyMap<string, readonly Code[]>;
    /** the members of the hierarchies that the query names */
    readonly kin?: Kin;
  },
) => ParsedQuery;

const usualCount = 50;
const mostRows = 1000;
/** conditions of one search, chains counted each */
const mostConditions = 60;
/** each order is a join of the index with itself */
const mostOrders = 10;
const mostIncludes = 60;
/** values of one query in all */
const longestQuery = 16_384;

type Draft = {
  where: Predicate[];
  sort: readonly Sort[];
  count: number;
  summary: ParsedQuery['summary'];
  total: ParsedQuery['total'];
  includes: Include[];
  revincludes: Include[];
  cursor: string | undefined;
  elements: string | undefined;
  page: number | undefined;
  contained: 'false' | 'true' | 'both';
  containedType: ParsedQuery['containedType'];
};

const chosen = <const T extends string>(name: string, value: string, allowed: readonly T[]): T => {
  const found = allowed.find((candidate): candidate is T => candidate === value);
  if (found === undefined) throw wrongValue(name, `takes ${allowed.join(', ')}.`);
  return found;
};

// R4 before 4.0 said :recurse; e-RS and BaRS iterate without saying so
const iterates = (type: string, name: string): boolean => type === 'Slot' || name.endsWith(':iterate') || name.endsWith(':recurse');

/** One result parameter (R4 search.html#summary and after); true when the name is one. */
const control = (reader: Reader, type: string, draft: Draft, name: string, value: string): boolean => {
  switch (name) {
    case '_count': {
      if (!/^\d{1,9}$/.test(value)) throw wrongValue(name, 'takes a number from 0.');
      draft.count = Math.min(Number(value), mostRows);
      return true;
    }
    case '_sort':
      draft.sort = reader.sort(type, value);
      return true;
    case '_summary':
      draft.summary = chosen(name, value, ['true', 'text', 'data', 'count', 'false']);
      return true;
    case '_elements':
      draft.elements = value;
      return true;
    case '_contained':
      draft.contained = chosen(name, value, ['false', 'true', 'both']);
      return true;
    case '_containedType':
      draft.containedType = chosen(name, value, ['container', 'contained']);
      return true;
    case '_total':
      draft.total = chosen(name, value, ['none', 'estimate', 'accurate']);
      return true;
    case '_cursor':
      draft.cursor = value;
      return true;
    case '_include':
    case '_include:iterate':
    case '_include:recurse':
      draft.includes.push(reader.include(name, type === 'Slot' ? slotInclude(value) : value, iterates(type, name)));
      return true;
    case '_revinclude':
    case '_revinclude:iterate':
    case '_revinclude:recurse':
      draft.revincludes.push(reader.include(name, value, iterates(type, name)));
      return true;
    case 'page': {
      // e-RS A015 counts pages; R4 has no such parameter, so that only this type takes it
      if (type !== 'Slot') return false;
      if (!/^[1-9]\d{0,3}$/.test(value)) throw wrongValue(name, 'takes a number from 1.');
      draft.page = Number(value);
      return true;
    }
    default:
      return name === '_format' || name === '_pretty';
  }
};

const isUnknown = (error: unknown): boolean => error instanceof Failure && error.issues[0]?.code === 'not-supported';

const sizeOf = (where: readonly Predicate[]): number =>
  where.reduce((sum, predicate) => {
    if (predicate.kind === 'either') return sum + predicate.of.reduce((inner, list) => inner + sizeOf(list), 0);
    return 'where' in predicate ? sum + 1 + sizeOf(predicate.where) : sum + 1;
  }, 0);

/** Reads the query part of an R4 search. Throws a Failure for whatever it cannot honour; lenient callers are spared the unknown. */
export const createQueryParser = (options: Options): QueryParser => {
  const types = new Set(options.types);
  return (type, query, { lenient, valueSets, kin }) => {
    const setting: Setting = {
      baseUrl: options.baseUrl(),
      timeZone: options.timeZone,
      now: options.clock(),
      types,
      terminology: valueSets
        ? { ...options.terminology, expand: (url) => valueSets.get(url) ?? options.terminology.expand(url) }
        : options.terminology,
      ...(kin ? { kin } : {}),
    };
    const reader = new Reader(options, setting);
    const draft: Draft = {
      where: [],
      sort: [],
      count: usualCount,
      summary: undefined,
      total: undefined,
      includes: [],
      revincludes: [],
      cursor: undefined,
      elements: undefined,
      page: undefined,
      contained: 'false',
      containedType: 'container',
    };
    const applied: (readonly [string, string])[] = [];
    if (query.reduce((sum, [name, value]) => sum + name.length + value.length, 0) > longestQuery)
      throw failure('too-costly', 'too-costly', `A query has at most ${String(longestQuery)} characters.`);
    for (const [name, value] of query) {
      try {
        if (!control(reader, type, draft, name, value))
          draft.where.push(reader.criterion(type, type === 'Slot' ? slotName(name) : name, value));
      } catch (error) {
        // R4 search.html#errors: Prefer: handling=lenient passes over what is not known
        if (lenient && isUnknown(error)) continue;
        throw error;
      }
      if (name !== '_cursor') applied.push(name === '_count' ? [name, String(draft.count)] : [name, value]);
    }
    if (draft.sort.length > mostOrders)
      throw failure('too-costly', 'too-costly', `A search is sorted by at most ${String(mostOrders)} parameters.`);
    if (draft.includes.length + draft.revincludes.length > mostIncludes)
      throw failure('too-costly', 'too-costly', `A search has at most ${String(mostIncludes)} includes.`);
    if (sizeOf(draft.where) > mostConditions)
      throw failure('too-costly', 'too-costly', `A search has at most ${String(mostConditions)} conditions.`);
    const { where, sort, count, contained, ...rest } = draft;
    const includes = slotIncludes(rest.includes, rest.page);
    return { plan: { type, where, sort, count, ...(contained === 'false' ? {} : { contained }) }, ...rest, includes, applied };
  };
};
