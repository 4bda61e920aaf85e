import { sql } from 'kysely';
import { columnFor, columnOf, containedType } from '../layout.js';
import type { Predicate, Sight } from '../port.js';
import { bind, type At } from './bindings.js';
import { never, type Dialect, type Fragment } from './dialect.js';
import { allOf, anyOf, Homes, type Simple, type TermNumber } from './homes.js';
import { boundSightTest } from './sight.js';

/** The row that is tested: its rid, the name of its `resource`, and that of its narrow table where the statement has it already. */
export type Row = { readonly rid: Fragment; readonly resource: string; readonly narrow: string | undefined };

type Of<K extends Predicate['kind']> = Extract<Predicate, { kind: K }>;
export type Step = Of<'chain' | 'has'>;

/** Whether a condition holds for a row, as a test that is never null. */
export class Conditions {
  readonly homes: Homes;
  private aliases = 0;

  constructor(
    private readonly term: TermNumber,
    private readonly dialect: Dialect,
  ) {
    this.homes = new Homes(term, dialect);
  }

  alias(letter: string): string {
    return `${letter}${String(++this.aliases)}`;
  }

  test(type: string, predicate: Predicate, at: At<Predicate>, row: Row): Fragment {
    switch (predicate.kind) {
      case 'never':
        return never;
      case 'id':
        return sql`${sql.ref(`${row.resource}.id`)} in ${this.homes.list(predicate.ids.length, (run) => (at as At<Of<'id'>>)(run).ids)}`;
      case 'updated':
        return this.homes.moments(predicate, at as At<Of<'updated'>>, sql.ref(`${row.resource}.last_updated`));
      case 'missing':
        return sql`${sql.raw(predicate.missing ? 'not ' : '')}exists (${this.present(type, predicate.param, row.rid)})`;
      case 'either':
        return anyOf(
          predicate.of.map((where, index) => allOf(this.tests(type, where, (run) => (at as At<Of<'either'>>)(run).of[index]!, row))),
        );
      case 'not': {
        // tests on columns may be null, and so would be their negation
        const apart = { ...row, narrow: undefined };
        return sql`not (${allOf(this.tests(type, predicate.where, (run) => (at as At<Of<'not'>>)(run).where, apart))})`;
      }
      case 'chain':
        return this.chain(type, predicate, at as At<Step>, row);
      case 'has':
        return this.has(predicate, at as At<Step>, row);
      default:
        return this.simple(type, predicate, at as At<Simple>, row);
    }
  }

  tests(type: string, where: readonly Predicate[], at: At<readonly Predicate[]>, row: Row): readonly Fragment[] {
    return where.map((predicate, index) => this.test(type, predicate, (run) => at(run)[index]!, row));
  }

  private simple(type: string, predicate: Simple, at: At<Simple>, row: Row): Fragment {
    const negated = predicate.kind === 'token' && predicate.not === true;
    if (row.narrow !== undefined && !negated && columnFor(type, predicate)) {
      return anyOf(this.homes.of(type, predicate, at, row.narrow).alternatives.map(({ test }) => test));
    }
    const h = this.alias('h');
    const { table, common, alternatives } = this.homes.of(type, predicate, at, h, true);
    const tests = [sql`${sql.ref(`${h}.rid`)} = ${row.rid}`, ...common, anyOf(alternatives.map(({ test }) => test))];
    return sql`${sql.raw(negated ? 'not ' : '')}exists (select 1 as one from ${sql.table(table)} ${sql.ref(h)} where ${allOf(tests)})`;
  }

  /** Any value of a parameter: a reference by identifier alone stands beside the column of those that resolve. */
  private present(type: string, param: string, rid: Fragment): Fragment {
    const column = columnOf(type, param);
    const number = this.homes.param(type, param);
    const selects = ['search_token', 'search_reference', 'search_range', 'search_text', 'search_position'].map(
      (table) => sql`select 1 as one from ${sql.table(table)} n where n.rid = ${rid} and n.param = ${number}`,
    );
    if (column)
      selects.push(
        sql`select 1 as one from ${sql.table(column.table)} n where n.rid = ${rid} and ${sql.ref(`n.${column.column}`)} is not null`,
      );
    return sql.join(selects, sql` union all `);
  }

  /** What the other end of a chain or _has must be: live, of the type, seen by the caller, and as `where` says, less what is `settled`. */
  ends(
    { kind, type, where, sight }: Step,
    at: At<Step>,
    resource: string,
    settled: ReadonlySet<Predicate> = new Set(),
  ): readonly Fragment[] {
    const seen: At<Sight> = (run) => at(run).sight ?? 'all';
    const rid = sql.ref(`${resource}.rid`);
    const rowType = this.dialect.unindexed(sql.ref(`${resource}.type`));
    const plain = bind(() => this.term(type));
    return [
      // R4 search.html#contained: a chain is followed into contained resources
      kind === 'chain' ? sql`${rowType} in (${plain}, ${bind(() => this.term(containedType(type)))})` : sql`${rowType} = ${plain}`,
      sql`${sql.ref(`${resource}.body`)} is not null`,
      boundSightTest(this.dialect, sight ?? 'all', seen, rid),
      ...where.flatMap((predicate, index) =>
        settled.has(predicate) ? [] : [this.test(type, predicate, (run) => at(run).where[index]!, { rid, resource, narrow: undefined })],
      ),
    ];
  }

  private chain(type: string, predicate: Step, at: At<Step>, row: Row): Fragment {
    const r = this.alias('r');
    const s = this.alias('s');
    const column = columnOf(type, predicate.param);
    const target = sql.ref(`${s}.${column?.column ?? 'target'}`);
    const through = column ? [] : [sql`${sql.ref(`${s}.param`)} = ${this.homes.param(type, predicate.param)}`];
    const tests = [sql`${sql.ref(`${s}.rid`)} = ${row.rid}`, ...through, ...this.ends(predicate, at, r)];
    return sql`exists (select 1 as one from ${sql.table(column?.table ?? 'search_reference')} ${sql.ref(s)}
      ${this.dialect.join} resource ${sql.ref(r)} on ${sql.ref(`${r}.rid`)} = ${target} where ${allOf(tests)})`;
  }

  private has(predicate: Step, at: At<Step>, row: Row): Fragment {
    const r = this.alias('r');
    const s = this.alias('s');
    const column = columnOf(predicate.type, predicate.param);
    const target = sql.ref(`${s}.${column?.column ?? 'target'}`);
    const through = column ? [] : [sql`${sql.ref(`${s}.param`)} = ${this.homes.param(predicate.type, predicate.param)}`];
    const tests = [sql`${target} = ${row.rid}`, ...through, ...this.ends(predicate, at, r)];
    return sql`exists (select 1 as one from ${sql.table(column?.table ?? 'search_reference')} ${sql.ref(s)}
      ${this.dialect.join} resource ${sql.ref(r)} on ${sql.ref(`${r}.rid`)} = ${sql.ref(`${s}.rid`)} where ${allOf(tests)})`;
  }
}
