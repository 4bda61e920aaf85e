import { sql } from 'kysely';
import { columnFor, columnOf, isNeverLinked, longestOf, type Home } from '../layout.js';
import type { Predicate, Sight, Sort } from '../port.js';
import { bind, type At, type Run } from './bindings.js';
import type { Conditions, Row, Step } from './conditions.js';
import type { Dialect, Fragment } from './dialect.js';
import { allOf, anyOf, type Simple, type TermNumber } from './homes.js';
import { driverOf, isDrivenBySight } from './ranks.js';
import { keyAt } from './sight.js';

type Of<K extends Predicate['kind']> = Extract<Predicate, { kind: K }>;

/** Where the rows of a search come from: one table that is sought or walked, and whose every row is then tested. */
export type Source = {
  /** tables, each with its alias */
  readonly from: Fragment;
  readonly rid: Fragment;
  readonly where: readonly Fragment[];
  /** `from` is the resource itself, its type tested */
  readonly self: boolean;
  /** the alias of the type's narrow table, when that is what is visited */
  readonly narrow: string | undefined;
  /** gives each row once */
  readonly unique: boolean;
  /** what the caller may see is settled */
  readonly sighted: boolean;
  /** conditions that its `where` has taken care of */
  readonly covers: ReadonlySet<Predicate>;
};

type Seen = { readonly sight: Sight; readonly at: At<Sight> };

/** Where the values to sort by are, and what tells rows of one resource with equal values apart. */
const sortTables = {
  text: { up: ['search_text', 'value', undefined], down: ['search_text', 'value', undefined] },
  range: { up: ['search_range', 'low', 'high'], down: ['search_range', 'high', 'low'] },
  token: { up: ['search_token', 'code', 'system'], down: ['search_token', 'code', 'system'] },
} as const;

/** Several statuses and the like are walked one by one and merged; more than this many are tested together. */
const mostBranches = 12;

/** Chooses the condition that drives a search, and turns it into sources: one for each of its alternatives. */
export class Sources {
  constructor(
    private readonly term: TermNumber,
    private readonly dialect: Dialect,
    private readonly conditions: Conditions,
  ) {}

  /** `rows`: the types that rows may have, where that is not `type` alone */
  of(
    type: string,
    where: readonly Predicate[],
    at: At<readonly Predicate[]>,
    seen: Seen,
    row: Row,
    rows: readonly string[] = [type],
  ): readonly Source[] {
    const driver = driverOf(type, where);
    if (isDrivenBySight(type, driver, seen.sight)) return this.sighted(type, seen, row);
    if (!driver) return rows.map((each) => this.whole(each, row));
    const index = where.indexOf(driver);
    const own = (run: Parameters<typeof at>[0]): Predicate => at(run)[index]!;
    if ('param' in driver && columnFor(type, driver)) return this.narrow(type, where, at);
    if (driver.kind === 'chain' && columnOf(type, driver.param)) return this.narrowChain(type, driver, where, at);
    return this.driven(type, driver, own, seen, row, rows);
  }

  /** All rows of the type, in the order of rid, of time or of id. */
  private whole(type: string, { resource, rid }: Row): Source {
    return {
      from: sql`resource ${sql.ref(resource)}`,
      rid,
      where: [sql`${sql.ref(`${resource}.type`)} = ${bind(() => this.term(type))}`],
      ...{ self: true, narrow: undefined, unique: true, sighted: false, covers: new Set() },
    };
  }

  /**
   * All rows that have a value of a parameter without a column, in the order of those values: of several values of a row that which counts
   * (R4 search.html#sort), the smallest ascending, the largest descending.
   */
  bySort(type: string, sort: Sort, where: readonly Predicate[] = []): { readonly source: Source; readonly value: Fragment } {
    const { param, kind, descending } = sort;
    const [table, first, second] = sortTables[kind as keyof typeof sortTables][descending ? 'down' : 'up'];
    const [h, v] = [(name: string) => sql.ref(`h.${name}`), (name: string) => sql.ref(`v.${name}`)];
    const sooner = descending ? sql`>` : sql`<`;
    const tie = second === undefined ? sql`` : sql` or (${v(first)} = ${h(first)} and ${v(second)} ${sooner} ${h(second)})`;
    const of = this.conditions.homes.param(type, param);
    const other = sql`select 1 as one from ${sql.table(table)} v where ${v('rid')} = ${h('rid')} and ${v('param')} = ${of}
      and (${this.dialect.unindexed(v(first))} ${sooner} ${h(first)}${tie})`;
    const source: Source = {
      from: sql`${sql.table(table)} h`,
      rid: h('rid'),
      where: [sql`${h('param')} = ${of}`, ...this.within(type, sort, where, h), sql`not exists (${other})`],
      ...{ self: false, narrow: undefined, unique: true, sighted: false, covers: new Set<Predicate>() },
    };
    return { source, value: h(first) };
  }

  /** All rows of the type's narrow table, in the order of one of its columns. */
  byColumn({ table }: Home): Source {
    return {
      from: sql`${sql.table(table)} h`,
      rid: sql.ref('h.rid'),
      where: [],
      ...{ self: false, narrow: 'h', unique: true, sighted: false, covers: new Set<Predicate>() },
    };
  }

  /** Where a condition on the parameter that is walked lets the walk begin and end. */
  private within(
    type: string,
    { param, descending }: Sort,
    where: readonly Predicate[],
    h: (name: string) => Fragment,
  ): readonly Fragment[] {
    const longest = longestOf(type, param);
    if (longest === undefined) return [];
    return where.flatMap((predicate, index) => {
      if (predicate.kind !== 'range' || predicate.param !== param || predicate.any.length !== 1) return [];
      const prefix = predicate.any[0]?.prefix ?? 'ne';
      const asked = (run: Run) => (run.plan.where[index] as Of<'range'>).any[0]!;
      // the end that the walk goes by is sought, the other one tested
      const [low, high] = descending ? [this.dialect.unindexed(h('low')), h('high')] : [h('low'), this.dialect.unindexed(h('high'))];
      const from = sql`${low} >= ${bind((run) => asked(run).low - longest)} and ${high} >= ${bind((run) => asked(run).low)}`;
      const until = sql`${high} <= ${bind((run) => asked(run).high + longest)} and ${low} <= ${bind((run) => asked(run).high)}`;
      if (['ge', 'gt', 'sa'].includes(prefix)) return [from];
      return ['le', 'lt', 'eb'].includes(prefix) ? [until] : prefix === 'eq' ? [from, until] : [];
    });
  }

  /** The rows a caller may see, found by the keys. */
  private sighted(type: string, { sight, at }: Seen, row: Row): readonly Source[] {
    const keys = sight === 'all' ? [] : sight.keys;
    if (keys.length === 0) return [this.nothing(row)];
    const common = { self: false, narrow: undefined, unique: true, sighted: true, covers: new Set<Predicate>() };
    return keys.flatMap((_, index): readonly Source[] => {
      const key = keyAt(at, index);
      const links = sql`select distinct l.child as rid from access_key a ${this.dialect.join} access_link l on l.root = a.rid where ${sql.ref('a.key')} = ${key}`;
      const own = { ...common, from: sql`access_key h`, rid: sql.ref('h.rid'), where: [sql`${sql.ref('h.key')} = ${key}`] };
      return isNeverLinked(type) ? [own] : [own, { ...common, from: sql`(${links}) h`, rid: sql.ref('h.rid'), where: [] }];
    });
  }

  private nothing({ resource, rid }: Row): Source {
    return {
      from: sql`resource ${sql.ref(resource)}`,
      rid,
      where: [sql`1 = 0`],
      ...{ self: true, narrow: undefined, unique: true, sighted: true, covers: new Set() },
    };
  }

  /**
   * All conditions on columns of the type's narrow table together, so that one index takes them. Alternatives of points (several
   * statuses) are sources of their own: each is walked in order up to the limit.
   */
  private narrow(type: string, where: readonly Predicate[], at: At<readonly Predicate[]>, most = mostBranches): readonly Source[] {
    const covers = new Set<Predicate>();
    let branches: readonly (readonly Fragment[])[] = [[]];
    let table = '';
    where.forEach((predicate, index) => {
      const isPoint = predicate.kind === 'token' || predicate.kind === 'reference';
      if (!(isPoint || predicate.kind === 'range') || (predicate.kind === 'token' && predicate.not === true)) return;
      const column = columnFor(type, predicate);
      if (!column) return;
      table = column.table;
      covers.add(predicate);
      const { alternatives } = this.conditions.homes.of(type, predicate, (run) => at(run)[index] as Simple, 'h');
      const tests = alternatives.map(({ test }) => test);
      branches =
        isPoint && branches.length * tests.length <= most
          ? branches.flatMap((branch) => tests.map((test) => [...branch, test]))
          : branches.map((branch) => [...branch, anyOf(tests)]);
    });
    return branches.map((tests) => ({
      from: sql`${sql.table(table)} h`,
      rid: sql.ref('h.rid'),
      where: tests,
      ...{ self: false, narrow: 'h', unique: true, sighted: false, covers },
    }));
  }

  /**
   * A chain through a column of the type's narrow table: the rows of each other end by one range of the index that begins with that
   * column, as the free slots of a service's diaries in a window.
   */
  private narrowChain(type: string, driver: Of<'chain'>, where: readonly Predicate[], at: At<readonly Predicate[]>): readonly Source[] {
    const index = where.indexOf(driver);
    const ends = this.set(driver, (run) => at(run)[index] as Step);
    const [source] = this.narrow(type, where, at, 1);
    const column = columnOf(type, driver.param);
    if (!source || !column) throw new Error(`${type}.${driver.param} has no column`);
    return [
      {
        ...source,
        from: sql`(select distinct rid from (${ends}) e) t ${this.dialect.join} ${sql.table(column.table)} h on ${sql.ref(`h.${column.column}`)} = t.rid`,
        covers: new Set([...source.covers, driver]),
      },
    ];
  }

  private driven(type: string, driver: Predicate, at: At<Predicate>, seen: Seen, row: Row, rows: readonly string[]): readonly Source[] {
    const covers = new Set([driver]);
    const rest = { narrow: undefined, sighted: false, covers };
    switch (driver.kind) {
      case 'never':
        return [this.nothing(row)];
      case 'id':
      case 'updated': {
        return rows
          .map((each) => this.whole(each, row))
          .map((whole) => ({ ...whole, where: [...whole.where, this.conditions.test(type, driver, at, row)], covers }));
      }
      case 'either':
        return this.either(type, driver, at as At<Of<'either'>>, seen, row, rows);
      case 'chain':
      case 'has': {
        const rids = driver.kind === 'chain' ? this.chain(type, driver, at as At<Step>) : this.has(driver, at as At<Step>);
        return [{ ...rest, from: sql`(${rids}) h`, rid: sql.ref('h.rid'), where: [], self: false, unique: true }];
      }
      case 'not':
      case 'missing':
        throw new Error(`${driver.kind} does not drive`);
      default: {
        const { table, common, alternatives } = this.conditions.homes.of(type, driver, at as At<Simple>, 'h');
        return alternatives.map(({ test, unique }) => ({
          ...rest,
          from: sql`${sql.table(table)} h`,
          rid: sql.ref('h.rid'),
          where: [...common, test],
          ...{ self: false, unique },
        }));
      }
    }
  }

  /** The sources of every branch; where one leaves some of its conditions open, the whole is tested again. */
  private either(
    type: string,
    driver: Of<'either'>,
    at: At<Of<'either'>>,
    seen: Seen,
    row: Row,
    rows: readonly string[],
  ): readonly Source[] {
    return driver.of.flatMap((where, index) =>
      this.of(type, where, (run) => at(run).of[index]!, seen, row, rows).map((source) => ({
        ...source,
        covers: new Set<Predicate>(where.every((one) => source.covers.has(one)) ? [driver] : []),
        narrow: undefined,
      })),
    );
  }

  /** The rows of the other end of a chain or _has, as a select of rids. */
  private set(step: Step, at: At<Step>): Fragment {
    const resource = this.conditions.alias('r');
    const row: Row = { rid: sql.ref(`${resource}.rid`), resource, narrow: undefined };
    const sources = this.of(
      step.type,
      step.where,
      (run) => at(run).where,
      { sight: step.sight ?? 'all', at: (run) => at(run).sight ?? 'all' },
      row,
    );
    const selects = sources.map((source) => {
      const from = source.self
        ? source.from
        : sql`${source.from} ${this.dialect.join} resource ${sql.ref(resource)} on ${row.rid} = ${source.rid}`;
      return sql`select ${row.rid} as rid from ${from} where ${allOf([...source.where, ...this.conditions.ends(step, at, resource, source.covers)])}`;
    });
    return sql.join(selects, sql` union all `);
  }

  private chain(type: string, step: Step, at: At<Step>): Fragment {
    const column = columnOf(type, step.param);
    const set = this.set(step, at);
    if (column)
      return sql`select distinct n.rid from (${set}) t ${this.dialect.join} ${sql.table(column.table)} n on ${sql.ref(`n.${column.column}`)} = t.rid`;
    const param = this.conditions.homes.param(type, step.param);
    return sql`select distinct s.rid from (${set}) t ${this.dialect.join} search_reference s on s.target = t.rid and s.param = ${param}`;
  }

  private has(step: Step, at: At<Step>): Fragment {
    const column = columnOf(step.type, step.param);
    const set = this.set(step, at);
    if (column)
      return sql`select distinct ${sql.ref(`n.${column.column}`)} as rid from (${set}) t ${this.dialect.join} ${sql.table(column.table)} n on n.rid = t.rid`;
    const param = this.conditions.homes.param(step.type, step.param);
    return sql`select distinct s.target as rid from (${set}) t ${this.dialect.join} search_reference s on s.rid = t.rid and s.param = ${param}`;
  }
}
