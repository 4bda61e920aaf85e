import type { Predicate } from '../../store/port.js';
import { failure, type Failure } from '../outcome.js';
import { afterFolded, fold } from './text.js';

/** Makes the condition of `path[:modifier]=value`, as in the query part of a search. */
export type Make = (name: string, value: string) => Predicate;
/** The type of the parameter at the end of a path, which decides what an operator means. */
export type TypeOf = (path: string) => string;

const wrong = (text: string): Failure => failure('invalid', 'value', `_filter: ${text}`, { expression: ['_filter'] });

const tokens = /\s*(\(|\)|"(?:[^"\\]|\\.)*"|[^\s()"]+)/y;

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

const ordered = new Set(['gt', 'lt', 'ge', 'le', 'ap', 'sa', 'eb']);
const mostNested = 20;

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

/**
 * R4 search_filter.html: comparisons joined by `and`, `or` and `not`, with parentheses; `and` binds closer than `or`, as the examples of
 * the page read.
 */
class Filter {
  private at = 0;

  constructor(
    private readonly tokens: readonly string[],
    private readonly make: Make,
    private readonly typeOf: TypeOf,
  ) {}

  whole(): Predicate {
    const predicate = this.either(0);
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
    if (token === undefined || token === '(' || token === ')') throw wrong(`${what} is expected.`);
    return token;
  }

  private either(depth: number): Predicate {
    if (depth > mostNested)
      throw failure('too-costly', 'too-costly', `_filter is nested more than ${mostNested} deep.`, { expression: ['_filter'] });
    const branches = [this.both(depth)];
    while (this.take('or')) branches.push(this.both(depth));
    return branches.length === 1 ? branches[0]!.one : { kind: 'either', of: branches.map(({ all }) => all) };
  }

  private both(depth: number): { readonly all: readonly Predicate[]; readonly one: Predicate } {
    const all = [this.term(depth)];
    while (this.take('and')) all.push(this.term(depth));
    return { all, one: all.length === 1 ? all[0]! : { kind: 'either', of: [all] } };
  }

  private term(depth: number): Predicate {
    if (this.take('not')) return { kind: 'not', where: [this.term(depth + 1)] };
    if (this.take('(')) {
      const inner = this.either(depth + 1);
      if (!this.take(')')) throw wrong('a ) is missing.');
      return inner;
    }
    const path = this.next('a parameter');
    if (!/^[A-Za-z_][\w\-.:]*$/.test(path)) throw wrong(`"${path}" is no path of search parameters.`);
    return this.comparison(path, this.next('an operator'));
  }

  private comparison(path: string, operator: string): Predicate {
    const value = escaped(this.next('a value'));
    const make = (suffix: string, text: string): Predicate => this.make(`${path}${suffix}`, text);
    if (ordered.has(operator)) return make('', `${operator}${value}`);
    switch (operator) {
      case 'eq':
        return this.typeOf(path) === 'string' ? whole(make('', value)) : make('', value);
      case 'ne':
        return { kind: 'not', where: [this.typeOf(path) === 'string' ? whole(make('', value)) : make('', value)] };
      case 'co':
        return make(':contains', value);
      case 'sw':
        return make('', value);
      case 'pr':
        return make(':missing', value === 'true' ? 'false' : value === 'false' ? 'true' : value);
      case 'po':
        // overlaps: neither wholly after nor wholly before
        return {
          kind: 'either',
          of: [
            [make(':missing', 'false'), { kind: 'not', where: [make('', `sa${value}`)] }, { kind: 'not', where: [make('', `eb${value}`)] }],
          ],
        };
      case 'ss':
        return make(':above', value);
      case 'sb':
        return make(':below', value);
      case 'in':
        return make(':in', value);
      case 're':
        return make('', value);
      default:
        throw wrong(`"${operator}" is no operator that is offered: eq, ne, co, sw, pr, gt, lt, ge, le, ap, sa, eb, po, ss, sb, in, re.`);
    }
  }
}

/** A string that is equal as a whole, whatever its case: what starts with it, and ends there. */
const whole = (predicate: Predicate): Predicate => {
  if (predicate.kind === 'chain' || predicate.kind === 'has') return { ...predicate, where: predicate.where.map(whole) };
  if (predicate.kind === 'either') return { kind: 'either', of: predicate.of.map((where) => where.map(whole)) };
  if (predicate.kind !== 'text' || predicate.mode !== 'starts') return predicate;
  const any = predicate.any.map(fold);
  return {
    kind: 'either',
    of: [[{ ...predicate, mode: 'exact', any }], [{ ...predicate, any: any.map((text) => `${text}${afterFolded}`) }]],
  };
};

/** The condition of a _filter expression. Throws a Failure for whatever is not in the grammar. */
export const readFilter = (text: string, make: Make, typeOf: TypeOf): Predicate => new Filter(tokensOf(text), make, typeOf).whole();
