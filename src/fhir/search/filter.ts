import type { Predicate, Prefix } from '../../store/port.js';
import { Failure, failure } from '../outcome.js';
import { anyPredicate } from './criteria.js';
import { afterFolded, fold } from './text.js';

/** The parameters of a type, as a filter names them. */
export type Scope = {
  /** the condition of `path[:modifier]=value`, as in the query part of a search */
  readonly make: (name: string, value: string) => Predicate;
  /** the type of the parameter at the end of a path, which decides what an operator means */
  readonly typeOf: (path: string) => string;
  /** what a reference leads to: each type with its parameters, and what holds there as a condition here */
  readonly into: (path: string) => readonly { readonly scope: Scope; readonly wrap: (where: readonly Predicate[]) => Predicate }[];
};

const wrong = (text: string): Failure => failure('invalid', 'value', `_filter: ${text}`, { expression: ['_filter'] });

const tokens = /\s*(\(|\)|\[|\]|"(?:[^"\\]|\\.)*"|[^\s()[\]"]+)/y;

const tokensOf = (text: string): readonly string[] => {
  const found: string[] = [];
  tokens.lastIndex = 0;
  const end = text.trimEnd().length;
  while (tokens.lastIndex < end) {
    const match = tokens.exec(text);
    if (!match?.[1]) throw wrong(`it cannot be read near "${text.slice(found.join(' ').length, found.join(' ').length + 20)}".`);
    found.push(match[1]);
  }
  return found;
};

const mostNested = 20;

// the page predefines these names
const namespaces: Readonly<Record<string, string>> = {
  loinc: 'http://loinc.org',
  snomed: 'http://snomed.info/sct',
  rxnorm: 'http://www.nlm.nih.gov/research/umls/rxnorm',
  ucum: 'http://unitsofmeasure.org',
};

/** Values in quotes are JSON strings; what the query part gives a meaning to is escaped. */
const escaped = (token: string): string => {
  if (!token.startsWith('"')) return token;
  let text: unknown;
  try {
    text = JSON.parse(token);
  } catch {
    throw wrong(`${token} is no string.`);
  }
  return String(text).replace(/[\\,$]/g, '\\$&');
};

const inFull = (value: string): string =>
  value.replace(/(^|\|)(loinc|snomed|rxnorm|ucum)(?=\|)/, (_whole, before: string, name: string) => `${before}${namespaces[name] ?? name}`);

type Kinds = readonly string[];
type Operator = { readonly of: Kinds; readonly make: (scope: Scope, path: string, value: string) => Predicate };

const ordered: Kinds = ['number', 'date', 'quantity', 'string'];
const periods: Kinds = ['date'];
const texts: Kinds = ['string', 'uri'];
const concepts: Kinds = ['token'];
const any: Kinds = ['number', 'date', 'quantity', 'string', 'uri', 'token', 'reference', 'composite', 'special'];

/** Every condition on texts or ranges within a predicate, changed. */
const changed = (predicate: Predicate, change: (one: Predicate) => Predicate): Predicate => {
  const all = (where: readonly Predicate[]): readonly Predicate[] => where.map((one) => changed(one, change));
  if (predicate.kind === 'chain' || predicate.kind === 'has') return { ...predicate, where: all(predicate.where) };
  if (predicate.kind === 'either') return { kind: 'either', of: predicate.of.map(all) };
  return change(predicate);
};

type Text = Extract<Predicate, { kind: 'text' }>;
const asText = (predicate: Predicate, change: (text: Text) => Predicate): Predicate =>
  changed(predicate, (one) => (one.kind === 'text' ? change(one) : one));
const asPrefix = (predicate: Predicate, prefix: Prefix): Predicate =>
  changed(predicate, (one) =>
    one.kind === 'range' || one.kind === 'updated' ? { ...one, any: one.any.map((value) => ({ ...value, prefix })) } : one,
  );

/** A string that is equal as a whole, whatever its case: what starts with it, and ends there. */
const whole = (predicate: Predicate): Predicate =>
  asText(predicate, (text) => {
    if (text.mode !== 'starts') return text;
    const folded = text.any.map(fold);
    return {
      kind: 'either',
      of: [[{ ...text, mode: 'exact', any: folded }], [{ ...text, any: folded.map((one) => `${one}${afterFolded}`) }]],
    };
  });

const endsWith = (predicate: Predicate): Predicate =>
  asText(predicate, (text) => ({
    kind: 'either',
    // the folded text stands alone, or before its original
    of: [[{ ...text, mode: 'ends' }], [{ ...text, mode: 'contains', any: text.any.map((one) => `${one}${afterFolded}`) }]],
  }));

/** What follows a text and all that is equal to it but for its case. */
const justAfter = (text: string): string => `${text}${afterFolded}\uffff`;

/** Strings by code points, whatever their case. */
const stringOrder: Readonly<Record<string, (text: Text) => Predicate>> = {
  gt: (text) => ({ ...text, mode: 'from', any: text.any.map(justAfter) }),
  ge: (text) => ({ ...text, mode: 'from' }),
  lt: (text) => ({ ...text, mode: 'below' }),
  le: (text) => ({ ...text, mode: 'below', any: text.any.map(justAfter) }),
};

const comparing = (name: 'gt' | 'ge' | 'lt' | 'le'): Operator => ({
  of: ordered,
  make: (scope, path, value) =>
    scope.typeOf(path) === 'string' ? asText(scope.make(path, value), stringOrder[name]!) : scope.make(path, `${name}${value}`),
});
const prefixed = (name: 'ap' | 'sa' | 'eb'): Operator => ({
  of: ['number', 'date', 'quantity'],
  make: (scope, path, value) => scope.make(path, `${name}${value}`),
});
const modified = (kinds: Kinds, modifier: string): Operator => ({
  of: kinds,
  make: (scope, path, value) => scope.make(`${path}:${modifier}`, value),
});

const equal = (scope: Scope, path: string, value: string): Predicate =>
  scope.typeOf(path) === 'string' ? whole(scope.make(path, value)) : scope.make(path, value);

/** R4 search_filter.html#ops: what each operator means, by the type of the parameter. */
const operators: Readonly<Record<string, Operator>> = {
  eq: { of: any, make: equal },
  ne: {
    of: any,
    // there is a value, and it is another one
    make: (scope, path, value) =>
      ['number', 'date', 'quantity'].includes(scope.typeOf(path))
        ? scope.make(path, `ne${value}`)
        : { kind: 'either', of: [[scope.make(`${path}:missing`, 'false'), { kind: 'not', where: [equal(scope, path, value)] }]] },
  },
  co: {
    of: [...texts, ...periods],
    make: (scope, path, value) =>
      scope.typeOf(path) === 'date' ? asPrefix(scope.make(path, value), 'co') : scope.make(`${path}:contains`, value),
  },
  sw: {
    of: texts,
    make: (scope, path, value) => asText(scope.make(path, value), (text) => ({ ...text, mode: 'starts' })),
  },
  ew: { of: texts, make: (scope, path, value) => endsWith(scope.make(`${path}:contains`, value)) },
  gt: comparing('gt'),
  ge: comparing('ge'),
  lt: comparing('lt'),
  le: comparing('le'),
  ap: prefixed('ap'),
  sa: prefixed('sa'),
  eb: prefixed('eb'),
  pr: {
    of: any,
    make: (scope, path, value) => scope.make(`${path}:missing`, value === 'true' ? 'false' : value === 'false' ? 'true' : value),
  },
  po: { of: periods, make: (scope, path, value) => asPrefix(scope.make(path, value), 'po') },
  // the value subsumes what is there, which is below it; and the other way round
  ss: modified(concepts, 'below'),
  sb: modified(concepts, 'above'),
  in: modified(concepts, 'in'),
  ni: modified(concepts, 'not-in'),
  re: { of: ['reference'], make: (scope, path, value) => scope.make(path, value) },
};

/** R4 search_filter.html: tests joined by `and`, `or` and `not`, from left to right without precedence, with parentheses. */
class Filter {
  private at = 0;

  constructor(private readonly tokens: readonly string[]) {}

  whole(scope: Scope): Predicate {
    const predicate = this.joined(scope, 0);
    if (this.at < this.tokens.length) throw wrong(`nothing is expected at "${this.tokens[this.at] ?? ''}".`);
    return predicate;
  }

  private take(word: string): boolean {
    if (this.tokens[this.at] !== word) return false;
    this.at++;
    return true;
  }

  private next(what: string): string {
    const token = this.tokens[this.at++];
    if (token === undefined || ['(', ')', '[', ']'].includes(token)) throw wrong(`${what} is expected.`);
    return token;
  }

  private joined(scope: Scope, depth: number): Predicate {
    if (depth > mostNested)
      throw failure('too-costly', 'too-costly', `_filter is nested more than ${String(mostNested)} deep.`, { expression: ['_filter'] });
    let of: readonly (readonly Predicate[])[] = [[this.term(scope, depth)]];
    for (;;) {
      const [first = []] = of;
      if (this.take('and'))
        of = [of.length === 1 ? [...first, this.term(scope, depth)] : [{ kind: 'either', of }, this.term(scope, depth)]];
      else if (this.take('or')) of = [...of, [this.term(scope, depth)]];
      else return of.length === 1 && first.length === 1 ? first[0]! : { kind: 'either', of };
    }
  }

  private term(scope: Scope, depth: number): Predicate {
    if (this.take('not')) return { kind: 'not', where: [this.term(scope, depth + 1)] };
    if (this.take('(')) {
      const inner = this.joined(scope, depth + 1);
      if (!this.take(')')) throw wrong('a ) is missing.');
      return inner;
    }
    return this.test(scope, this.next('a parameter'), depth);
  }

  private test(scope: Scope, path: string, depth: number): Predicate {
    if (!/^[A-Za-z_][\w\-.:]*$/.test(path)) throw wrong(`"${path}" is no path of search parameters.`);
    if (this.take('[')) return this.narrowed(scope, path, depth);
    const name = this.next('an operator');
    const operator = Object.hasOwn(operators, name) ? operators[name] : undefined;
    if (!operator) throw wrong(`"${name}" is no operator: ${Object.keys(operators).join(', ')}.`);
    const kind = scope.typeOf(path);
    if (!operator.of.includes(kind)) throw wrong(`${name} does not work for ${path}, which is a ${kind}.`);
    return operator.make(scope, path, inFull(escaped(this.next('a value'))));
  }

  /** `reference[filter].path`: what the reference leads to must meet the filter, and the rest of the path is asked of the same. */
  private narrowed(scope: Scope, path: string, depth: number): Predicate {
    const [start, found] = [this.at, scope.into(path)];
    let end = start;
    let refusal = wrong(`${path} leads to nothing that can be searched.`);
    const predicates = found.flatMap(({ scope: inner, wrap }): readonly Predicate[] => {
      this.at = start;
      try {
        const predicate = wrap(this.inside(inner, depth));
        end = this.at;
        return [predicate];
      } catch (error) {
        // of several types that the reference may lead to, those count that have the parameters
        if (!(error instanceof Failure) || error.issues[0]?.code !== 'not-supported') throw error;
        refusal = error;
        return [];
      }
    });
    if (predicates.length === 0) throw refusal;
    this.at = end;
    return anyPredicate(predicates);
  }

  private inside(scope: Scope, depth: number): readonly Predicate[] {
    const filter = this.joined(scope, depth + 1);
    if (!this.take(']')) throw wrong('a ] is missing.');
    const rest = this.next('a . and a parameter');
    if (!rest.startsWith('.')) throw wrong(`a . is expected at "${rest}".`);
    return [filter, this.test(scope, rest.slice(1), depth + 1)];
  }
}

/** The condition of a _filter expression. Throws a Failure for whatever is not in the grammar. */
export const readFilter = (text: string, scope: Scope): Predicate => new Filter(tokensOf(text)).whole(scope);
