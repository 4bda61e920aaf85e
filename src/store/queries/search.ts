import { sql } from 'kysely';
import { columnOf, homeParam } from '../layout.js';
import type { Predicate, SearchPlan, Sight, Sort } from '../port.js';
import { never, type Dialect, type Fragment } from './dialect.js';
import { sightTest } from './sight.js';
import { rangeTest } from './range.js';

/** The number of an interned string; 0, which no row has, when it was never written. */
export type TermNumber = (text: string) => number;

/**
 * The driving condition decides the cost. Lower ranks match fewer rows in this domain; the rest of a plan's conditions are
 * tested row by row through rid-first indexes. The dialect's `join` and `unindexed` pin that choice against the planner, which picks
 * plans a thousand times slower on a million rows.
 */
const rankOf = (type: string, predicate: Predicate): number => {
  switch (predicate.kind) {
    case 'never':
    case 'id':
      return 0;
    case 'token':
      if (predicate.not) return 99;
      if (predicate.param === 'identifier') return 1;
      return columnOf(type, predicate.param) ? 6 : 5;
    case 'reference':
      return columnOf(type, predicate.param) ? 2 : 3;
    case 'chain':
    case 'has':
      return 4;
    case 'text':
      return predicate.mode === 'contains' ? 99 : 7;
    case 'range':
      return columnOf(type, predicate.param) ? 8 : 9;
    case 'updated':
    case 'missing':
      return 99;
  }
};

const list = (values: readonly (string | number)[]): Fragment => sql`(${sql.join(values)})`;

export class SearchBuilder {
  constructor(
    private readonly term: TermNumber,
    private readonly dialect: Dialect,
  ) {}

  /** One page: the newest text of each match, one row more than asked for tells that there is a next page. */
  page(plan: SearchPlan, sight: Sight, after: readonly (string | number | null)[] | undefined): Fragment {
    const keys = plan.sort.map((sort) => this.sortKey(plan.type, sort));
    const names = keys.map((_, index) => sql.raw(`k${String(index)}`));
    const order = plan.sort.flatMap((sort, index) => {
      const name = names[index] ?? sql.raw('rid');
      // a missing value sorts last in either direction, and stays there
      return [this.dialect.missingLast(name), sort.descending ? sql`${name} desc` : name];
    });
    const inner = sql`select r.rid, r.id, r.version, r.last_updated, r.body${sql.join([sql``, ...keys.map((key, index) => sql`${key} as ${names[index] ?? sql``}`)], sql`, `)} from ${this.matches(plan)} where ${this.tests(plan, sight)}`;
    const window = after ? sql`where ${this.beyond(plan.sort, names, after)}` : sql``;
    return sql`select * from (${inner}) p ${window} order by ${sql.join([...order, sql.raw('rid')])} ${this.dialect.limit(plan.count + 1)}`;
  }

  count(plan: SearchPlan, sight: Sight, limit: number): Fragment {
    return sql`select count(*) as n from (select r.rid from ${this.matches(plan)} where ${this.tests(plan, sight)} ${this.dialect.anyOf(limit)}) m`;
  }

  private driverOf(type: string, where: readonly Predicate[]): Predicate | undefined {
    let best: Predicate | undefined;
    for (const predicate of where) {
      const rank = rankOf(type, predicate);
      if (rank < 99 && (!best || rank < rankOf(type, best))) best = predicate;
    }
    return best;
  }

  private matches(plan: SearchPlan): Fragment {
    const driver = this.driverOf(plan.type, plan.where);
    return driver ? sql`(${this.rids(plan.type, driver)}) d ${this.dialect.join} resource r on r.rid = d.rid` : sql`resource r`;
  }

  private tests(plan: SearchPlan, sight: Sight): Fragment {
    const driver = this.driverOf(plan.type, plan.where);
    const rest = plan.where
      .filter((predicate) => predicate !== driver)
      .map((predicate) => this.test(plan.type, predicate, sql.raw('r.rid')));
    const type = this.term(plan.type);
    return sql.join(
      [
        driver ? sql`${this.dialect.unindexed(sql.raw('r.type'))} = ${type}` : sql`r.type = ${type}`,
        sql`r.body is not null`,
        sightTest(this.dialect, sight, sql.raw('r.rid')),
        ...rest,
      ],
      sql` and `,
    );
  }

  /** The rows for which one condition holds, as a select of distinct rids. */
  private rids(type: string, predicate: Predicate): Fragment {
    switch (predicate.kind) {
      case 'never':
        return sql`select 0 as rid where ${never}`;
      case 'id':
        return sql`select rid from resource where type = ${this.term(type)} and id in ${list(predicate.ids)}`;
      case 'chain': {
        const inner = this.set(predicate.type, predicate.where, predicate.sight ?? 'all');
        const column = columnOf(type, predicate.param);
        return column
          ? sql`select n.rid from (${inner}) t ${this.dialect.join} ${sql.table(column.table)} n on n.${sql.ref(column.column)} = t.rid`
          : sql`select distinct s.rid from (${inner}) t ${this.dialect.join} search_reference s on s.target = t.rid and s.param = ${this.param(type, predicate.param)}`;
      }
      case 'has': {
        const inner = this.set(predicate.type, predicate.where, predicate.sight ?? 'all');
        const column = columnOf(predicate.type, predicate.param);
        return column
          ? sql`select distinct n.${sql.ref(column.column)} as rid from (${inner}) t ${this.dialect.join} ${sql.table(column.table)} n on n.rid = t.rid`
          : sql`select distinct s.target as rid from (${inner}) t ${this.dialect.join} search_reference s on s.rid = t.rid and s.param = ${this.param(predicate.type, predicate.param)}`;
      }
      default: {
        const { table, test } = this.home(type, predicate);
        const distinct =
          predicate.kind === 'token' || predicate.kind === 'reference' || predicate.kind === 'text' || predicate.kind === 'range';
        return sql`select ${sql.raw(distinct ? 'distinct ' : '')}h.rid from ${table} h where ${test}`;
      }
    }
  }

  /** The live rows of a type for which all conditions hold, as a select of rids. */
  private set(type: string, where: readonly Predicate[], sight: Sight): Fragment {
    const plan: SearchPlan = { type, where, sort: [], count: 1 };
    return sql`select r.rid from ${this.matches(plan)} where ${this.tests(plan, sight)}`;
  }

  /** Whether one condition holds for the row `rid`. */
  private test(type: string, predicate: Predicate, rid: Fragment): Fragment {
    switch (predicate.kind) {
      case 'never':
        return never;
      case 'id':
        return sql`r.id in ${list(predicate.ids)}`;
      case 'updated':
        return this.anyOf(predicate.any.map((value) => rangeTest(value, sql.raw('r.last_updated'), sql.raw('r.last_updated + 1'))));
      case 'chain':
      case 'has':
        return sql`${rid} in (${this.rids(type, predicate)})`;
      case 'missing':
        return sql`${sql.raw(predicate.missing ? 'not ' : '')}exists (${this.present(type, predicate.param, rid)})`;
      default: {
        const { table, test } = this.home(type, predicate);
        const negated = predicate.kind === 'token' && predicate.not === true;
        return sql`${sql.raw(negated ? 'not ' : '')}exists (select 1 as one from ${table} h where h.rid = ${rid} and ${test})`;
      }
    }
  }

  private present(type: string, param: string, rid: Fragment): Fragment {
    const column = columnOf(type, param);
    if (column) return sql`select 1 as one from ${sql.table(column.table)} where rid = ${rid} and ${sql.ref(column.column)} is not null`;
    const number = this.param(type, param);
    return sql.join(
      ['search_token', 'search_reference', 'search_range', 'search_text'].map(
        (table) => sql`select 1 as one from ${sql.table(table)} where rid = ${rid} and param = ${number}`,
      ),
      sql` union all `,
    );
  }

  /** Where a condition's values are kept, and the test on a row `h` there. */
  private home(
    type: string,
    predicate: Extract<Predicate, { kind: 'token' | 'reference' | 'range' | 'text' | 'updated' | 'missing' }>,
  ): { readonly table: Fragment; readonly test: Fragment } {
    switch (predicate.kind) {
      case 'token':
        return this.tokenHome(type, predicate);
      case 'reference':
        return this.referenceHome(type, predicate);
      case 'range': {
        const column = columnOf(type, predicate.param);
        if (column) {
          const start = sql`h.${sql.ref(column.column)}`;
          return {
            table: sql.table(column.table),
            test: this.anyOf(predicate.any.map((value) => rangeTest(value, start, sql`${start} + 1`))),
          };
        }
        return {
          table: sql.table('search_range'),
          test: sql`h.param = ${this.param(type, predicate.param)} and ${this.anyOf(predicate.any.map((value) => rangeTest(value, sql.raw('h.low'), sql.raw('h.high'))))}`,
        };
      }
      case 'text':
        return {
          table: sql.table('search_text'),
          test: sql`h.param = ${this.param(type, predicate.param)} and ${this.anyOf(predicate.any.map((value) => this.textTest(predicate.mode, value)))}`,
        };
      default:
        throw new Error(`${predicate.kind} has no home`);
    }
  }

  private tokenHome(type: string, predicate: Extract<Predicate, { kind: 'token' }>): { readonly table: Fragment; readonly test: Fragment } {
    const column = columnOf(type, predicate.param);
    if (column) {
      const codes = predicate.any.flatMap(({ code }) => (code === undefined ? [] : [this.term(code)]));
      return { table: sql.table(column.table), test: sql`h.${sql.ref(column.column)} in ${list(codes.length > 0 ? codes : [0])}` };
    }
    const tests = predicate.any.map(({ system, code }) =>
      sql.join(
        [...(code === undefined ? [] : [sql`h.code = ${code}`]), ...(system === undefined ? [] : [sql`h.system = ${this.term(system)}`])],
        sql` and `,
      ),
    );
    return { table: sql.table('search_token'), test: sql`h.param = ${this.param(type, predicate.param)} and ${this.anyOf(tests)}` };
  }

  private referenceHome(
    type: string,
    predicate: Extract<Predicate, { kind: 'reference' }>,
  ): { readonly table: Fragment; readonly test: Fragment } {
    const targets = predicate.any.map((key) => sql`(select rid from resource where type = ${this.term(key.type)} and id = ${key.id})`);
    const column = columnOf(type, predicate.param);
    return column
      ? { table: sql.table(column.table), test: sql`h.${sql.ref(column.column)} in (${sql.join(targets)})` }
      : {
          table: sql.table('search_reference'),
          test: sql`h.target in (${sql.join(targets)}) and h.param = ${this.param(type, predicate.param)}`,
        };
  }

  private sortKey(type: string, sort: Sort): Fragment {
    if (sort.kind === 'id') return sql.raw('r.id');
    if (sort.kind === 'updated') return sql.raw('r.last_updated');
    const column = columnOf(type, sort.param);
    if (column) return sql`(select ${sql.ref(column.column)} from ${sql.table(column.table)} where rid = r.rid)`;
    const pick = {
      token: ['search_token', 'code'],
      range: ['search_range', sort.descending ? 'high' : 'low'],
      text: ['search_text', 'value'],
    }[sort.kind];
    // R4 search.html#_sort: of several values the smallest counts ascending, the largest descending
    return sql`(select ${sql.raw(sort.descending ? 'max' : 'min')}(${sql.ref(pick[1] ?? '')}) from ${sql.table(pick[0] ?? '')} where rid = r.rid and param = ${this.param(type, sort.param)})`;
  }

  /** Keyset paging: what comes after the last row of the page before, in the order of `sort` and then rid. */
  private beyond(sorts: readonly Sort[], names: readonly Fragment[], after: readonly (string | number | null)[]): Fragment {
    const rid = after[sorts.length] ?? 0;
    let test: Fragment = sql`rid > ${rid}`;
    for (let index = sorts.length - 1; index >= 0; index--) {
      const name = names[index] ?? sql``;
      const value = after[index] ?? null;
      const later = sorts[index]?.descending ? sql`${name} < ${value}` : sql`${name} > ${value}`;
      test = value === null ? sql`(${name} is null and ${test})` : sql`(${name} is null or ${later} or (${name} = ${value} and ${test}))`;
    }
    return test;
  }

  private param(type: string, param: string): number {
    return this.term(`${type}.${homeParam(type, param)}`);
  }

  private anyOf(tests: readonly Fragment[]): Fragment {
    return tests.length === 0 ? never : sql`(${sql.join(tests, sql` or `)})`;
  }

  private textTest(mode: 'starts' | 'exact' | 'contains', value: string): Fragment {
    const column = sql.raw('h.value');
    if (mode === 'exact') return sql`h.value = ${value}`;
    return mode === 'contains' ? this.dialect.contains(column, value) : this.dialect.startsWith(column, value);
  }
}
