import { sql } from 'kysely';
import { columnOf, containedType } from '../layout.js';
import type { SearchPlan, Sight, Sort } from '../port.js';
import { bind } from './bindings.js';
import { Conditions, type Row } from './conditions.js';
import { always, type Dialect, type Fragment, type Parameter } from './dialect.js';
import { allOf, type TermNumber } from './homes.js';
import { isKeyed, isOrderedBySort } from './ranks.js';
import { boundSightTest } from './sight.js';
import { Sources, type Source } from './sources.js';

const top: Row = { rid: sql.ref('r.rid'), resource: 'r', narrow: undefined };

type Key = {
  readonly name: string;
  readonly value: Fragment;
  readonly descending: boolean;
  readonly nullable: boolean;
  /** a column of the narrow table that the sources visit */
  readonly isOfSource?: true;
};

/** The types of the rows that a search is of. */
const rowTypes = ({ type, contained }: SearchPlan): readonly string[] => {
  if (contained === undefined) return [type];
  return contained === 'both' ? [type, containedType(type)] : [containedType(type)];
};

/** Builds the statement of one shape of search; what differs between searches of the shape is bound by each run. */
export class SearchBuilder {
  private readonly conditions: Conditions;
  private readonly sources: Sources;
  /**
   * `guarded` statements end when their time is over. `isAlone`: whether a type's narrow table has for certain no rows of contained
   * resources
   */
  constructor(
    private readonly term: TermNumber,
    private readonly dialect: Dialect,
    private readonly guarded = false,
    private readonly isAlone: (type: string) => boolean = () => false,
  ) {
    this.conditions = new Conditions(term, dialect);
    this.sources = new Sources(term, dialect, this.conditions);
  }

  /** One page: the newest text of each match. Ask for one row more than wanted to learn whether there is a next page. */
  page(plan: SearchPlan, sight: Sight, after: readonly Parameter[] | undefined): Fragment {
    const sources = this.sourcesOf(plan, sight);
    const keys = plan.sort.map((sort, index) => this.key(plan.type, sort, index, sources));
    return this.pageOf(plan, sight, sources, keys, after);
  }

  private pageOf(
    plan: SearchPlan,
    sight: Sight,
    sources: readonly Source[],
    keys: readonly Key[],
    after: readonly Parameter[] | undefined,
  ): Fragment {
    const limit = this.dialect.limit(bind((run) => run.limit));
    const branches = sources.map((source) => this.branch(plan, sight, source, keys, after));
    const [only] = branches;
    const single = branches.length === 1 && sources[0]?.unique === true;
    const found =
      single && only
        ? only
        : sql`select * from (select distinct * from (${sql.join(
            branches.map((branch, index) => sql`select * from (${branch}) ${sql.ref(`b${String(index)}`)}`),
            sql` union all `,
          )}) a) u`;
    const order = this.order(keys, 'd');
    const columns = keys.map(({ name }) => sql`d.${sql.ref(name)}`);
    const rows = single ? found : sql`${found} order by ${this.order(keys, 'u')} ${limit}`;
    return sql`select ${sql.join([sql`r.rid, r.id, r.type, r.version, r.last_updated, r.body`, ...columns])}
      from (${rows}) d ${this.dialect.join} resource r on r.rid = d.rid order by ${order} ${limit}`;
  }

  /**
   * The same page of the rows that have a value to sort by, which come first: they are walked in the order of an index and end at the
   * limit. Undefined where no index helps. When it is not full, what has no value belongs to the page as well: ask for `page`.
   */
  valued(plan: SearchPlan, sight: Sight, after: readonly Parameter[] | undefined): Fragment | undefined {
    const [sort, ...others] = plan.sort;
    if (!sort || sort.kind === 'reference' || others.length > 0 || plan.contained !== undefined || after?.[0] === null || isKeyed(plan))
      return undefined;
    const column = columnOf(plan.type, sort.param);
    const walked = isOrderedBySort(plan, sight);
    const driven = this.sourcesOf(plan, sight);
    const isWalkedByColumn = walked && column !== undefined && driven.every(({ narrow }) => narrow === undefined);
    const sources = isWalkedByColumn ? [this.sources.byColumn(column)] : driven;
    const key = this.key(plan.type, sort, 0, sources);
    if (this.direct.has(key.value)) {
      if (!key.nullable && !isWalkedByColumn) return undefined;
      const present = sources.map((source) => ({ ...source, where: [...source.where, sql`${key.value} is not null`] }));
      return this.pageOf(plan, sight, present, [{ ...key, nullable: false }], after);
    }
    if (column || !walked) return undefined;
    const { source, value } = this.sources.bySort(plan.type, sort, plan.where);
    this.direct.add(value);
    return this.pageOf(plan, sight, [source], [{ ...key, value, nullable: false }], after);
  }

  count(plan: SearchPlan, sight: Sight): Fragment {
    return sql`select count(*) as n from (${this.rids(plan, sight)}) m`;
  }

  /** The rows of the matches alone, in no order. */
  rids(plan: SearchPlan, sight: Sight): Fragment {
    const sources = this.sourcesOf(plan, sight);
    const limit = (of?: Fragment): Fragment =>
      this.dialect.anyOf(
        bind((run) => run.limit),
        of,
      );
    const branches = sources.map((source) => {
      const distinct = source.unique ? sql`` : sql`distinct `;
      const end = limit(source.unique ? undefined : source.rid);
      const isBare = this.isBare(plan, sight, source);
      const tests = this.tests(plan, sight, source, isBare);
      return sql`select ${distinct}${source.rid} as rid from ${this.joined(source, isBare)} where ${tests} ${end}`;
    });
    if (branches.length === 1 && branches[0]) return branches[0];
    const all = branches.map((branch, index) => sql`select rid from (${branch}) ${sql.ref(`b${String(index)}`)}`);
    return sql`select distinct rid from (${sql.join(all, sql` union all `)}) u ${limit(sql.ref('u.rid'))}`;
  }

  private sourcesOf(plan: SearchPlan, sight: Sight): readonly Source[] {
    return this.sources.of(plan.type, plan.where, (run) => run.plan.where, { sight, at: (run) => run.sight }, top, rowTypes(plan));
  }

  private joined(source: Source, isBare: boolean): Fragment {
    return source.self || isBare ? source.from : sql`${source.from} ${this.dialect.join} resource r on r.rid = ${source.rid}`;
  }

  /**
   * Whether a source tells by itself which of its rows match: what is in a narrow table is live, so that its resource need not be looked
   * at for each row that is passed, but for those of the page alone.
   */
  private isBare(plan: SearchPlan, sight: Sight, source: Source): boolean {
    return (
      source.narrow !== undefined &&
      plan.contained === undefined &&
      (sight === 'all' || source.sighted) &&
      plan.where.every((predicate) => source.covers.has(predicate)) &&
      this.isAlone(plan.type)
    );
  }

  private typeTest(plan: SearchPlan): Fragment {
    const type = this.dialect.unindexed(sql.ref('r.type'));
    const terms = rowTypes(plan).map((each) => bind(() => this.term(each)));
    return terms.length === 1 ? sql`${type} = ${terms[0]}` : sql`${type} in (${sql.join(terms)})`;
  }

  private tests(plan: SearchPlan, sight: Sight, source: Source, isBare: boolean): Fragment {
    if (isBare) return allOf([...source.where, ...(this.guarded ? [this.dialect.checkpoint] : []), always]);
    const row: Row = { ...top, narrow: source.narrow };
    const rest = plan.where.flatMap((predicate, index) =>
      source.covers.has(predicate) ? [] : [this.conditions.test(plan.type, predicate, (run) => run.plan.where[index]!, row)],
    );
    return allOf([
      ...source.where,
      ...(source.self ? [] : [this.typeTest(plan)]),
      sql`r.body is not null`,
      ...(source.sighted || sight === 'all' ? [] : [boundSightTest(this.dialect, sight, (run) => run.sight, top.rid)]),
      ...(this.guarded ? [this.dialect.checkpoint] : []),
      ...rest,
    ]);
  }

  /** The rows of one source that come next, by rid and sort keys. */
  private branch(plan: SearchPlan, sight: Sight, source: Source, keys: readonly Key[], after: readonly Parameter[] | undefined): Fragment {
    const limit = this.dialect.limit(bind((run) => run.limit));
    const distinct = source.unique ? sql`` : sql`distinct `;
    const columns = keys.map(({ name, value }) => sql`${value} as ${sql.ref(name)}`);
    const isBare = keys.every(({ isOfSource }) => isOfSource) && this.isBare(plan, sight, source);
    const tests = this.tests(plan, sight, source, isBare);
    const from = this.joined(source, isBare);
    if (keys.every(({ value }) => this.direct.has(value))) {
      const window = after ? this.beyond(keys, after, source.rid) : always;
      // an index in this order ends the walk at the limit; an order by rid alone is the index's own
      const order = this.orderBy(
        keys.map((key) => ({ ...key, at: key.value })),
        source.rid,
      );
      return sql`select ${distinct}${sql.join([sql`${source.rid} as rid`, ...columns])} from ${from} where ${tests} and ${window} order by ${order} ${limit}`;
    }
    const inner = sql`select ${distinct}${sql.join([sql`${source.rid} as rid`, ...columns])} from ${from} where ${tests}`;
    const named = keys.map((key) => ({ ...key, value: sql`p.${sql.ref(key.name)}` }));
    const window = after ? this.beyond(named, after, sql.ref('p.rid')) : always;
    return sql`select * from (${inner}) p where ${window} order by ${this.order(keys, 'p')} ${limit}`;
  }

  /** Sort keys that are columns of the tables a source visits, as against subselects. */
  private readonly direct = new Set<Fragment>();

  private key(type: string, sort: Sort, index: number, sources: readonly Source[]): Key {
    const name = `k${String(index)}`;
    const direct = (value: Fragment, nullable: boolean): Key => {
      this.direct.add(value);
      return { name, value, descending: sort.descending, nullable };
    };
    if (sort.kind === 'id') return direct(sql.ref('r.id'), false);
    if (sort.kind === 'updated') return direct(sql.ref('r.last_updated'), false);
    if (sort.kind === 'reference') return { name, value: this.targetKey(type, sort), descending: sort.descending, nullable: true };
    const column = columnOf(type, sort.param);
    if (column) {
      const cell = sort.descending && column.kind === 'span' ? `${column.column}_end` : column.column;
      const nullable = column.required !== true;
      if (column.kind !== 'token' && sources.every(({ narrow }) => narrow !== undefined))
        return { ...direct(sql.ref(`h.${cell}`), nullable), isOfSource: true };
      return { name, value: this.columnKey(column.table, cell, column.kind === 'token'), descending: sort.descending, nullable };
    }
    return { name, value: this.valueKey(type, sort), descending: sort.descending, nullable: true };
  }

  private columnKey(table: string, cell: string, isTerm: boolean): Fragment {
    const value = sql.ref(`n.${cell}`);
    // codes sort by their text, not by the number they happened to get
    return isTerm
      ? sql`(select t.text from ${sql.table(table)} n ${this.dialect.join} term t on t.id = ${value} where n.rid = r.rid)`
      : sql`(select ${value} from ${sql.table(table)} n where n.rid = r.rid)`;
  }

  /** The id of what is referred to, which says more than the number of its row. */
  private targetKey(type: string, { param, descending }: Sort): Fragment {
    const column = columnOf(type, param);
    const pick = sql.raw(descending ? 'max' : 'min');
    const of = column ? sql`` : sql` and v.param = ${this.conditions.homes.param(type, param)}`;
    return sql`(select ${pick}(t.id) from ${sql.table(column?.table ?? 'search_reference')} v
      ${this.dialect.join} resource t on t.rid = ${sql.ref(`v.${column?.column ?? 'target'}`)} where v.rid = r.rid${of})`;
  }

  private valueKey(type: string, sort: Sort): Fragment {
    const [table, column] = {
      token: ['search_token', 'code'],
      range: ['search_range', sort.descending ? 'high' : 'low'],
      text: ['search_text', 'value'],
    }[sort.kind as 'token' | 'range' | 'text'] as [string, string];
    // R4 search.html#sort: of several values the smallest counts ascending, the largest descending
    const pick = sql.raw(sort.descending ? 'max' : 'min');
    const param = this.conditions.homes.param(type, sort.param);
    return sql`(select ${pick}(v.${sql.ref(column)}) from ${sql.table(table)} v where v.rid = r.rid and v.param = ${param})`;
  }

  private order(keys: readonly Key[], alias: string): Fragment {
    return this.orderBy(
      keys.map((key) => ({ ...key, at: sql.ref(`${alias}.${key.name}`) })),
      sql.ref(`${alias}.rid`),
    );
  }

  /** Missing values come last in either direction; rows that are equal by all keys come by rid, in the direction of the last key. */
  private orderBy(keys: readonly (Key & { readonly at: Fragment })[], rid: Fragment): Fragment {
    const parts = keys.flatMap(({ at, descending, nullable }) =>
      // both engines take null for the smallest, so that descending it is last anyway
      descending ? [sql`${at} desc`] : nullable ? [this.dialect.missingLast(at), at] : [at],
    );
    return sql.join([...parts, keys.at(-1)?.descending === true ? sql`${rid} desc` : rid]);
  }

  /** Keyset paging: what comes after the last row of the page before, in the order of the keys and then rid. */
  private beyond(keys: readonly Key[], after: readonly Parameter[], rid: Fragment): Fragment {
    const down = keys.at(-1)?.descending === true;
    const last = bind((run) => run.after?.[keys.length] ?? 0);
    let test = down ? sql`${rid} < ${last}` : sql`${rid} > ${last}`;
    for (let index = keys.length - 1; index >= 0; index--) {
      const key = keys[index];
      if (!key) continue;
      const value = bind((run) => run.after?.[index] ?? null);
      if (after[index] === null) {
        test = sql`(${key.value} is null and ${test})`;
        continue;
      }
      const [later, reached] = key.descending ? [sql`<`, sql`<=`] : [sql`>`, sql`>=`];
      const present = sql`(${key.value} ${reached} ${value} and (${key.value} ${later} ${value} or ${test}))`;
      test = key.nullable ? sql`(${key.value} is null or ${present})` : present;
    }
    return test;
  }
}
