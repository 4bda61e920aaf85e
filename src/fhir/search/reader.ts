import type { Predicate, Sort } from '../../store/port.js';
import { type Failure, failure } from '../outcome.js';
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
import type { Terminology } from './terminology.js';
import { wordsOf } from './text.js';

/** One _include or _revinclude: the rows of `type` that refer through `param` (`*`: through any). */
export type Include = {
  readonly type: string;
  readonly param: string;
  readonly target: string | undefined;
  readonly iterate: boolean;
};

/** What a parser of queries knows of the server. */
export type Options = {
  readonly parameters: SearchParameters;
  readonly types: readonly string[];
  readonly baseUrl: () => string;
  readonly timeZone: string;
  readonly clock: () => number;
  readonly terminology: Terminology;
};

const deepestChain = 6;
/** a reference to more types than this is followed to those that are known by their identifiers */
const mostFollowed = 8;
const identified: ReadonlySet<string> = new Set([
  ...['Patient', 'Organization', 'Practitioner', 'PractitionerRole', 'HealthcareService', 'ServiceRequest', 'Appointment'],
]);
const everyRowHas: ReadonlySet<string> = new Set(['_id', '_lastUpdated']);

/** `:missing` of what every resource has. */
const missingFromNone = (name: string, value: string): Predicate => {
  if (value !== 'true' && value !== 'false') throw wrongValue(name, ':missing takes true or false.');
  return value === 'true' ? { kind: 'never' } : { kind: 'not', where: [{ kind: 'never' }] };
};

const tooDeep = (name: string): Failure =>
  failure('too-costly', 'too-costly', `${name}: chains go at most ${String(deepestChain)} steps deep.`, { expression: [name] });

/** Criteria of one query on one type. */
export class Reader {
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
    if (modifier === 'missing' && everyRowHas.has(code)) return missingFromNone(name, value);
    const parameter = this.parameter(type, code, name);
    if (modifier === 'missing' && (code === '_text' || code === '_content')) throw refuseModifier({ name, parameter, modifier, value });
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
  reference: 'reference',
  date: 'range',
  number: 'range',
  quantity: 'range',
  string: 'text',
  uri: 'text',
};
