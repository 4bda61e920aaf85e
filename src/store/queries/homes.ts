import { sql } from 'kysely';
import { chordSquare, columnFor, homeParam, mostBands, pointOf, runsOf, type Home } from '../layout.js';
import type { Key, Predicate } from '../port.js';
import { bind, type At } from './bindings.js';
import { never, type Dialect, type Fragment } from './dialect.js';
import { momentTest, rangeTest } from './range.js';

/** The number of an interned string; 0, which no row has, when it was never written. */
export type TermNumber = (text: string) => number;

export type Simple = Extract<Predicate, { kind: 'token' | 'reference' | 'range' | 'text' | 'near' | 'word' }>;
type Of<K extends Predicate['kind']> = Extract<Predicate, { kind: K }>;

/** One way in which a condition can hold. */
export type Alternative = {
  readonly test: Fragment;
  /** an index gives the rows of this test in the order of rid */
  readonly ordered: boolean;
  /** a resource has at most one such row */
  readonly unique: boolean;
};

/** Where the values of a condition are kept: a table, what all its rows there have, and the alternatives. */
export type Kept = { readonly table: string; readonly common: readonly Fragment[]; readonly alternatives: readonly Alternative[] };

export const anyOf = (tests: readonly Fragment[]): Fragment => (tests.length === 0 ? never : sql`(${sql.join(tests, sql` or `)})`);
export const allOf = (tests: readonly Fragment[]): Fragment => sql.join(tests, sql` and `);

/** More values than this travel as one JSON array: statements stay few, and below the engines' limits of parameters. */
const mostListed = 8;

export class Homes {
  constructor(
    private readonly term: TermNumber,
    private readonly dialect: Dialect,
  ) {}

  number(text: string): Fragment {
    // asked anew by every run: a term may be written after the statement was made
    return bind(() => this.term(text));
  }

  param(type: string, param: string): Fragment {
    return this.number(`${type}.${homeParam(type, param)}`);
  }

  list(count: number, at: At<readonly string[]>): Fragment {
    if (count > mostListed) return sql`(${this.dialect.elements(bind((run) => JSON.stringify(at(run))))})`;
    return sql`(${sql.join(Array.from({ length: count }, (_, index) => bind((run) => at(run)[index] ?? null)))})`;
  }

  rid(at: At<Key>): Fragment {
    return sql`(select rid from resource where type = ${bind((run) => this.term(at(run).type))} and id = ${bind((run) => at(run).id)})`;
  }

  /**
   * The tests of a condition on rows named `h`. With `byRid` they are of rows that are found by their rid: what is compared as a range is
   * no offer to the planner then, which would rather walk that range for each row.
   */
  of(type: string, predicate: Simple, at: At<Simple>, h: string, byRid = false): Kept {
    const column = columnFor(type, predicate);
    if (column) return { table: column.table, common: [], alternatives: this.inColumn(column, predicate, at, h) };
    const common = [sql`${sql.ref(`${h}.param`)} = ${this.param(type, predicate.param)}`];
    switch (predicate.kind) {
      case 'token':
        return { table: 'search_token', common, alternatives: this.tokens(predicate, at as At<Of<'token'>>, h) };
      case 'reference': {
        const alternatives = predicate.any.map((_, index): Alternative => {
          const target = this.rid((run) => (at as At<Of<'reference'>>)(run).any[index]!);
          return { test: sql`${sql.ref(`${h}.target`)} = ${target}`, ordered: true, unique: true };
        });
        return { table: 'search_reference', common, alternatives };
      }
      case 'range':
        return { table: 'search_range', common, alternatives: this.ranges(predicate, at as At<Of<'range'>>, h, byRid) };
      case 'text':
        return {
          table: 'search_text',
          common,
          alternatives: this.texts(predicate, at as At<Of<'text'>>, this.compared(`${h}.value`, byRid && predicate.mode !== 'exact')),
        };
      case 'near':
        return { table: 'search_position', common, alternatives: this.circles(predicate, at as At<Of<'near'>>, h, byRid) };
      case 'word':
        return this.words(type, predicate, at as At<Of<'word'>>, h);
    }
  }

  private inColumn(column: Home, predicate: Simple, at: At<Simple>, h: string): readonly Alternative[] {
    const cell = sql.ref(`${h}.${column.column}`);
    const exact = (test: Fragment): Alternative => ({ test, ordered: true, unique: true });
    switch (predicate.kind) {
      case 'token':
        return predicate.any.map((value, index) =>
          // the system of a `code` is implied
          value.code === undefined
            ? exact(sql`${cell} is not null`)
            : exact(sql`${cell} = ${bind((run) => this.term((at as At<Of<'token'>>)(run).any[index]?.code ?? ''))}`),
        );
      case 'reference':
        return predicate.any.map((_, index) => exact(sql`${cell} = ${this.rid((run) => (at as At<Of<'reference'>>)(run).any[index]!)}`));
      case 'range':
        return predicate.any.map(({ prefix }, index) => {
          const value = this.ends(at as At<Of<'range'>>, index);
          const span = { low: cell, high: sql.ref(`${h}.${column.column}_end`) };
          const test = column.kind === 'span' ? rangeTest(prefix, span, value) : momentTest(prefix, cell, value);
          return { test, ordered: false, unique: true };
        });
      default:
        throw new Error(`${predicate.kind} is not kept in a column`);
    }
  }

  private ends(at: At<Of<'range' | 'updated'>>, index: number): { readonly low: Fragment; readonly high: Fragment } {
    return { low: bind((run) => at(run).any[index]?.low ?? 0), high: bind((run) => at(run).any[index]?.high ?? 0) };
  }

  private tokens(predicate: Of<'token'>, at: At<Of<'token'>>, h: string): readonly Alternative[] {
    const code = sql.ref(`${h}.code`);
    const system = sql.ref(`${h}.system`);
    if (predicate.any.length > mostListed) return this.manyTokens(at, code, system);
    return predicate.any.map((value, index): Alternative => {
      const codeIs = sql`${code} = ${bind((run) => at(run).any[index]?.code ?? '')}`;
      const systemIs = sql`${system} = ${bind((run) => this.term(at(run).any[index]?.system ?? ''))}`;
      if (value.system === undefined) return { test: codeIs, ordered: true, unique: false };
      if (value.code === undefined) return { test: systemIs, ordered: false, unique: false };
      return { test: sql`${codeIs} and ${systemIs}`, ordered: true, unique: true };
    });
  }

  /** A whole value set: code and system are compared as one text, the codes alone find the rows. */
  private manyTokens(at: At<Of<'token'>>, code: Fragment, system: Fragment): readonly Alternative[] {
    const codes = this.list(mostListed + 1, (run) => at(run).any.flatMap((value) => value.code ?? []));
    const any = this.list(mostListed + 1, (run) => at(run).any.flatMap((value) => (value.system === undefined ? (value.code ?? []) : [])));
    const pairs = this.list(mostListed + 1, (run) =>
      at(run).any.flatMap((value) => (value.system === undefined ? [] : [`${String(this.term(value.system))} ${value.code ?? ''}`])),
    );
    const pair = this.dialect.concatenated([this.dialect.text(system), sql`' '`, code]);
    return [{ test: sql`${code} in ${codes} and (${code} in ${any} or ${pair} in ${pairs})`, ordered: false, unique: false }];
  }

  private compared(column: string, byRid: boolean): Fragment {
    return byRid ? this.dialect.unindexed(sql.ref(column)) : sql.ref(column);
  }

  private ranges(predicate: Of<'range'>, at: At<Of<'range'>>, h: string, byRid: boolean): readonly Alternative[] {
    const row = { low: this.compared(`${h}.low`, byRid), high: this.compared(`${h}.high`, byRid) };
    return predicate.any.map(({ prefix }, index) => ({
      test: rangeTest(prefix, row, this.ends(at, index)),
      ordered: false,
      unique: false,
    }));
  }

  moments(predicate: Of<'updated'>, at: At<Of<'updated'>>, moment: Fragment): Fragment {
    return anyOf(predicate.any.map(({ prefix }, index) => momentTest(prefix, moment, this.ends(at, index))));
  }

  private texts(predicate: Of<'text'>, at: At<Of<'text'>>, value: Fragment): readonly Alternative[] {
    return predicate.any.map((_, index): Alternative => {
      const text = bind((run) => at(run).any[index] ?? '');
      if (predicate.mode === 'exact') return { test: sql`${value} = ${text}`, ordered: true, unique: true };
      if (predicate.mode === 'contains') return { test: this.dialect.contains(value, text), ordered: false, unique: false };
      if (predicate.mode === 'ends') return { test: this.dialect.endsWith(value, text), ordered: false, unique: false };
      if (predicate.mode === 'from') return { test: sql`${value} >= ${text}`, ordered: false, unique: false };
      if (predicate.mode === 'below') return { test: sql`${value} < ${text}`, ordered: false, unique: false };
      const end = bind((run) => this.dialect.afterPrefix(at(run).any[index] ?? ''));
      return { test: sql`(${value} >= ${text} and ${value} < ${end})`, ordered: false, unique: false };
    });
  }

  private circles(predicate: Of<'near'>, at: At<Of<'near'>>, h: string, byRid: boolean): readonly Alternative[] {
    return predicate.any.map((_, index): Alternative => {
      const circle: At<Of<'near'>['any'][number]> = (run) => at(run).any[index]!;
      const edge = (band: number, end: 0 | 1): Fragment =>
        bind((run) => {
          const { latitude, longitude, km } = circle(run);
          const runs = runsOf(latitude, longitude, km);
          // as many tests as a circle can need; those beyond its bands repeat the last
          return runs[Math.min(band, runs.length - 1)]?.[end] ?? 0;
        });
      const cell = this.compared(`${h}.cell`, byRid);
      const bands = Array.from({ length: mostBands }, (_band, band) => sql`${cell} between ${edge(band, 0)} and ${edge(band, 1)}`);
      const squares = (['x', 'y', 'z'] as const).map((axis) => {
        const difference = sql`(${sql.ref(`${h}.${axis}`)} - ${bind((run) => pointOf(circle(run).latitude, circle(run).longitude)[axis])})`;
        return sql`${difference} * ${difference}`;
      });
      const within = sql`${sql.join(squares, sql` + `)} <= ${bind((run) => chordSquare(circle(run).km))}`;
      return { test: sql`${anyOf(bands)} and ${within}`, ordered: false, unique: true };
    });
  }

  /** `_content` is the narrative and all other text; a word stands under `_content` only when the narrative lacks it. */
  private words(type: string, predicate: Of<'word'>, at: At<Of<'word'>>, h: string): Kept {
    const params = predicate.param === '_text' ? ['_text'] : ['_text', '_content'];
    const word = sql`${sql.ref(`${h}.word`)} = ${bind((run) => at(run).word)}`;
    const alternatives = params.map((param): Alternative => ({
      test: sql`${sql.ref(`${h}.param`)} = ${this.param(type, param)} and ${word}`,
      ordered: true,
      unique: true,
    }));
    return { table: 'search_word', common: [], alternatives };
  }
}
