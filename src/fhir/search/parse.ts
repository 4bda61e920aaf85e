import type { Predicate, SearchPlan, Sort } from '../../store/port.js';
import { Failure, failure } from '../outcome.js';
import { splitAt, unescaped } from './escaping.js';
import { compositePredicate } from './composite.js';
import {
  anyPredicate,
  dateValue,
  identifierPredicate,
  predicateOf,
  refuseModifier,
  wrongValue,
  type Criterion,
  type Setting,
} from './criteria.js';
import { readFilter, type Scope } from './filter.js';
import type { SearchParameter, SearchParameters } from './parameters.js';
import type { Code, Terminology } from './terminology.js';
import { wordsOf } from './text.js';

/** One _include or _revinclude: the rows of `type` that refer through `param` (`*`: through any). */
export type Include = {
  readonly type: string;
  readonly param: string;
  readonly target: string | undefined;
  readonly iterate: boolean;
};

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
  },
) => ParsedQuery;

type Options = {
  readonly parameters: SearchParameters;
  readonly types: readonly string[];
  readonly baseUrl: () => string;
  readonly timeZone: string;
  readonly clock: () => number;
  readonly terminology: Terminology;
};

const usualCount = 50;
const mostRows = 1000;
const deepestChain = 6;
/** conditions of one search, chains counted each */
const mostConditions = 60;
/** a reference to more types than this is followed to those that are known by their identifiers */
const mostFollowed = 8;
const identified: ReadonlySet<string> = new Set([
  ...['Patient', 'Organization', 'Practitioner', 'PractitionerRole', 'HealthcareService', 'ServiceRequest', 'Appointment'],
]);
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

const tooDeep = (name: string): Failure =>
  failure('too-costly', 'too-costly', `${name}: chains go at most ${String(deepestChain)} steps deep.`, { expression: [name] });

/** Criteria of one query on one type. */
class Reader {
  constructor(
    private readonly options: Options,
    private readonly setting: Setting,
  ) {}

  /** The condition that a parameter sets, chains and _has included (R4 search.html#chaining and #has). */
  criterion(type: string, name: string, value: string, depth = 0): Predicate {
    if (depth > deepestChain) throw tooDeep(name);
    if (name.startsWith('_has:')) return this.has(name, value, depth);
    const dot = name.indexOf('.');
    if (dot > 0) return this.chain(type, name.slice(0, dot), name.slice(dot + 1), value, depth);
    const [code = '', modifier, ...rest] = name.split(':');
    if (rest.length > 0) throw failure('invalid', 'not-supported', `${name}: one modifier is taken.`, { expression: [name] });
    if (modifier === undefined && Object.hasOwn(this.own, code)) return this.own[code]!(type, value, depth);
    const parameter = this.parameter(type, code, name);
    if (parameter.type === 'composite' && modifier !== 'missing') {
      if (modifier !== undefined) throw refuseModifier({ name, parameter, modifier, value });
      return compositePredicate(name, parameter, value, this.options.parameters, this.setting);
    }
    if (parameter.expression === '') throw refuseModifier({ name, parameter, modifier, value });
    if (parameter.type === 'reference' && modifier === 'identifier') return this.byIdentifier({ name, parameter, modifier, value }, depth);
    return predicateOf({ name, parameter, modifier, value }, this.setting);
  }

  /**
   * A reference that carries the identifier, or one that leads to a resource that has it: written either way, a reference to the same
   * resource is found alike.
   */
  private byIdentifier(criterion: Criterion & { readonly parameter: SearchParameter }, depth: number): Predicate {
    const targets = this.targetsOf(criterion.parameter, undefined).filter((target) => this.knows(target, 'identifier'));
    const followed = targets.length <= mostFollowed ? targets : targets.filter((target) => identified.has(target));
    return anyPredicate([
      identifierPredicate(criterion, this.setting),
      ...followed.map((target): Predicate => {
        const where = [this.criterion(target, 'identifier', criterion.value, depth + 1)];
        return { kind: 'chain', param: criterion.parameter.code, type: target, where, implied: true };
      }),
    ]);
  }

  /** Parameters that are about the row itself, or have a grammar of their own. */
  private readonly own: Readonly<Record<string, (type: string, value: string, depth: number) => Predicate>> = {
    _id: (_type, value) => ({ kind: 'id', ids: splitAt(value, ',').map(unescaped) }),
    _lastUpdated: (_type, value) => ({
      kind: 'updated',
      any: splitAt(value, ',').map((part) => dateValue('_lastUpdated', part, this.setting)),
    }),
    _text: (_type, value) => words('_text', value),
    _content: (_type, value) => words('_content', value),
    _list: (_type, value) => this.list(value),
    _filter: (type, value, depth) => readFilter(value, this.scope(type, depth)),
  };

  private scope(type: string, depth: number): Scope {
    return {
      make: (name, text) => this.criterion(type, name, text, depth + 1),
      typeOf: (path) => this.typeAt(type, path),
      into: (path) => {
        const [code = '', asked] = path.split(':');
        const parameter = this.parameter(type, code, path);
        if (parameter.type !== 'reference' || path.includes('.'))
          throw wrongValue('_filter', `${path} is no reference that can be followed.`);
        if (depth > deepestChain) throw tooDeep('_filter');
        return this.targetsOf(parameter, asked).map((target) => ({
          scope: this.scope(target, depth + 1),
          wrap: (where) => ({ kind: 'chain', param: code, type: target, where }),
        }));
      },
    };
  }

  /** R4 search.html#list: the rows that a List has as items. */
  private list(value: string): Predicate {
    const ids = splitAt(value, ',').map((text) => unescaped(text).replace(/^List\//, ''));
    if (ids.some((id) => !/^[A-Za-z0-9\-.]{1,64}$/.test(id))) throw wrongValue('_list', 'takes the id of a List that is kept here.');
    return { kind: 'has', type: 'List', param: 'item', where: [{ kind: 'id', ids }] };
  }

  /** The type of the parameter that a chain ends at; a chain over several types is what the first of them says. */
  private typeAt(type: string, path: string): string {
    if (path.startsWith('_has:')) {
      const [, other = '', , ...inner] = path.split(':');
      return this.setting.types.has(other) ? this.typeAt(other, inner.join(':')) : '';
    }
    const [head = '', ...rest] = path.split('.');
    const [code = '', asked] = head.split(':');
    if (rest.length === 0 && Object.hasOwn(this.own, code) && !this.options.parameters.of(type).has(code)) return 'special';
    const parameter = this.parameter(type, code, path);
    if (rest.length === 0) return parameter.type;
    const [target] = this.targetsOf(parameter, asked).filter((candidate) => this.knows(candidate, rest.join('.')));
    return target === undefined ? '' : this.typeAt(target, rest.join('.'));
  }

  parameter(type: string, code: string, name: string): SearchParameter {
    const offered = this.options.parameters.of(type);
    const parameter = offered.get(code);
    if (parameter?.added?.pending)
      throw failure('invalid', 'not-supported', `${type} is still being indexed for ${code}: try again when it is done.`, {
        expression: [name],
      });
    if (parameter) return parameter;
    const known = [...offered.values()].filter(({ added }) => added?.pending !== true).map((one) => one.code);
    throw failure('invalid', 'not-supported', `${type} has no search parameter ${code}. It has: ${known.join(', ')}.`, {
      expression: [name],
    });
  }

  private chain(type: string, head: string, rest: string, value: string, depth: number): Predicate {
    const [code = '', asked] = head.split(':');
    const parameter = this.parameter(type, code, `${head}.${rest}`);
    if (parameter.type !== 'reference')
      throw failure('invalid', 'not-supported', `${head} is no reference: it cannot be followed.`, { expression: [`${head}.${rest}`] });
    const targets = this.targetsOf(parameter, asked).filter((target) => this.knows(target, rest));
    if (targets.length === 0)
      throw failure('invalid', 'not-supported', `${head} leads to no type that has ${rest}.`, { expression: [`${head}.${rest}`] });
    // R4 search.html#chaining: a reference to several types is followed to each of them
    return anyPredicate(
      targets.map((target) => ({ kind: 'chain', param: code, type: target, where: [this.criterion(target, rest, value, depth + 1)] })),
    );
  }

  private targetsOf(parameter: SearchParameter, asked: string | undefined): readonly string[] {
    const served = (parameter.targets.length > 0 ? parameter.targets : this.options.types).filter((type) => this.setting.types.has(type));
    return asked === undefined ? served : served.filter((type) => type === asked);
  }

  private knows(type: string, name: string): boolean {
    if (name.startsWith('_has:')) return true;
    const [code = ''] = name.split(/[.:]/);
    return Object.hasOwn(this.own, code) || this.options.parameters.of(type).has(code);
  }

  private has(name: string, value: string, depth: number): Predicate {
    const [, type = '', code = '', ...rest] = name.split(':');
    const inner = rest.join(':');
    if (!this.setting.types.has(type) || inner === '')
      throw failure('invalid', 'value', `${name}: write _has:Type:reference:parameter.`, { expression: [name] });
    const parameter = this.parameter(type, code, name);
    if (parameter.type !== 'reference') throw failure('invalid', 'value', `${name}: ${code} is no reference.`, { expression: [name] });
    return { kind: 'has', param: code, type, where: [this.criterion(type, inner, value, depth + 1)] };
  }

  sort(type: string, value: string): readonly Sort[] {
    return splitAt(value, ',').map((part) => {
      const descending = part.startsWith('-');
      const param = descending ? part.slice(1) : part;
      if (param === '_id') return { param, kind: 'id', descending };
      if (param === '_lastUpdated') return { param, kind: 'updated', descending };
      const parameter = this.parameter(type, param, '_sort');
      const kind = sortKinds[parameter.type];
      if (!kind) throw failure('invalid', 'not-supported', `_sort: there is no order by ${param}.`, { expression: ['_sort'] });
      return { param, kind, descending };
    });
  }

  include(name: string, value: string, iterate: boolean): Include {
    const [type = '', param = '', target, ...rest] = value === '*' ? ['*', '*'] : value.split(':');
    if (rest.length > 0 || (type !== '*' && !this.setting.types.has(type)) || param === '')
      throw wrongValue(name, `write Type:parameter or Type:parameter:Target, with types that are served.`);
    if (param !== '*' && this.parameter(type, param, name).type !== 'reference') throw wrongValue(name, `${param} is no reference.`);
    return { type, param, target, iterate };
  }
}

/** Words joined by spaces must all be there; `OR` and commas give alternatives. */
const words = (param: '_text' | '_content', value: string): Predicate => {
  const alternatives = splitAt(value, ',').flatMap((part) => unescaped(part).split(/\sOR\s/));
  const of = alternatives
    .map((text) => [...wordsOf(text.replace(/\bAND\b/g, ' '))].map((word): Predicate => ({ kind: 'word', param, word })))
    .filter((list) => list.length > 0);
  if (of.length === 0) throw wrongValue(param, 'takes words of at least two letters.');
  return { kind: 'either', of };
};

const sortKinds: Readonly<Partial<Record<SearchParameter['type'], Sort['kind']>>> = {
  token: 'token',
  date: 'range',
  number: 'range',
  quantity: 'range',
  string: 'text',
  uri: 'text',
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
      draft.includes.push(reader.include(name, value, iterates(type, name)));
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

/** The forms of e-RS A015 and BaRS for slots, as R4 writes them. */
const slotName = (name: string): string =>
  name === 'appointmentType' ? 'appointment-type' : name.replace(/^Schedule\.(?=actor\b)/, 'schedule.');

const sizeOf = (where: readonly Predicate[]): number =>
  where.reduce((sum, predicate) => {
    if (predicate.kind === 'either') return sum + predicate.of.reduce((inner, list) => inner + sizeOf(list), 0);
    return 'where' in predicate ? sum + 1 + sizeOf(predicate.where) : sum + 1;
  }, 0);

/** Reads the query part of an R4 search. Throws a Failure for whatever it cannot honour; lenient callers are spared the unknown. */
export const createQueryParser = (options: Options): QueryParser => {
  const types = new Set(options.types);
  return (type, query, { lenient, valueSets }) => {
    const setting: Setting = {
      baseUrl: options.baseUrl(),
      timeZone: options.timeZone,
      now: options.clock(),
      types,
      terminology: valueSets
        ? { ...options.terminology, expand: (url) => valueSets.get(url) ?? options.terminology.expand(url) }
        : options.terminology,
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
    if (sizeOf(draft.where) > mostConditions)
      throw failure('too-costly', 'too-costly', `A search has at most ${String(mostConditions)} conditions.`);
    const { where, sort, count, contained, ...rest } = draft;
    return { plan: { type, where, sort, count, ...(contained === 'false' ? {} : { contained }) }, ...rest, applied };
  };
};
