import {
  DummyDriver,
  Kysely,
  MssqlAdapter,
  MssqlIntrospector,
  MssqlQueryCompiler,
  sql,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Dialect as KyselyDialect,
  type RawBuilder,
} from 'kysely';
import { meant, sentAs } from '../json-text.js';
import { hoistDerived } from './hoist.js';

export type Fragment = RawBuilder<unknown>;
export type Parameter = string | number | null;
export type Statement = { readonly text: string; readonly parameters: readonly Parameter[] };

/**
 * Where SQLite and T-SQL write the same thing differently. The one query builder asks these; everything else of a statement is
 * written so that both take it: every derived table has an alias, every selected expression a name, and a test is a test (T-SQL
 * has no boolean values).
 */
export type Dialect = {
  readonly name: 'sqlite' | 'tsql';
  readonly compile: (query: Fragment) => Statement;
  /** the join that keeps the order written: `a ${join} b on ...` visits `a` first */
  readonly join: Fragment;
  /** ends a select that has an `order by` */
  readonly limit: (rows: Fragment | number) => Fragment;
  /** ends a select whose order does not matter; T-SQL orders what is distinct only by a column of it, `of` */
  readonly anyOf: (rows: Fragment | number, of?: Fragment) => Fragment;
  /** an order key that is greater for null than for any value */
  readonly missingLast: (value: Fragment) => Fragment;
  /** the column as a value that no index is chosen for */
  readonly unindexed: (column: Fragment) => Fragment;
  readonly endsWith: (column: Fragment, text: Fragment) => Fragment;
  readonly contains: (column: Fragment, text: Fragment) => Fragment;
  /** the smallest text that is greater than every text with the prefix: `value >= prefix and value < afterPrefix` is a seek */
  readonly afterPrefix: (prefix: string) => string;
  /** the elements of a JSON array of texts or numbers, one a row, as a select */
  readonly elements: (json: Fragment) => Fragment;
  readonly concatenated: (texts: readonly Fragment[]) => Fragment;
  /** a number as text */
  readonly text: (number: Fragment) => Fragment;
  /** a test that holds always, and ends the statement when its time is over, where nothing else can */
  readonly checkpoint: Fragment;
};

export const always: Fragment = sql`1 = 1`;
export const never: Fragment = sql`1 = 0`;

const compiler = (dialect: KyselyDialect, finish: (text: string) => string = (text) => text): Dialect['compile'] => {
  const database = new Kysely<unknown>({ dialect });
  return (query) => {
    const { sql: text, parameters } = query.compile(database);
    return { text: finish(text), parameters: parameters as readonly Parameter[] };
  };
};

/**
 * The prefix with its last character one higher, which is right in the order of code points (SQLite) and of UTF-16 units
 * (Latin1_General_BIN2) alike below the surrogates; above them `greatest` is appended.
 */
const afterPrefix =
  (greatest: string) =>
  (prefix: string): string => {
    const last = prefix.charCodeAt(prefix.length - 1);
    // no text that ends in a space: trailing ones do not count everywhere
    return last < 0xd7ff && last !== 0x1f ? `${prefix.slice(0, -1)}${String.fromCharCode(last + 1)}` : `${prefix}${greatest}`;
  };

/**
 * Not a parameter alone: the engine looks at its value when it prepares a statement, and does that anew whenever one is bound. Measured for a
 * search that finds nothing: 92 us, and 7 us so.
 */
const atMost = (rows: Fragment | number): Fragment => sql`limit ${rows} + 0`;

export const sqlite: Dialect = {
  name: 'sqlite',
  compile: compiler({
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }),
  join: sql`cross join`,
  limit: atMost,
  anyOf: atMost,
  missingLast: (value) => sql`${value} is null`,
  unindexed: (column) => sql`+${column}`,
  endsWith: (column, text) => sql`substr(${column}, -length(${text})) = ${text}`,
  contains: (column, text) => sql`instr(${column}, ${text}) > 0`,
  afterPrefix: afterPrefix('\u{10ffff}'),
  elements: (json) => sql`select value from json_each(${json})`,
  concatenated: (texts) => sql`(${sql.join(texts, sql` || `)})`,
  text: (number) => sql`cast(${number} as text)`,
  checkpoint: sql`checkpoint() = 0`,
};

export const tsql: Dialect = {
  name: 'tsql',
  compile: compiler(
    {
      createAdapter: () => new MssqlAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new MssqlIntrospector(db),
      createQueryCompiler: () => new MssqlQueryCompiler(),
    },
    hoistDerived,
  ),
  // a join hint also keeps the order of all tables of the statement as written
  join: sql`inner loop join`,
  limit: (rows) => sql`offset 0 rows fetch next ${rows} rows only`,
  anyOf: (rows, of) => sql`order by ${of ?? sql`(select null)`} offset 0 rows fetch next ${rows} rows only`,
  missingLast: (value) => sql`case when ${value} is null then 1 else 0 end`,
  unindexed: (column) => column,
  endsWith: (column, text) => sql`right(${column}, len(${text})) = ${text}`,
  contains: (column, text) => sql`charindex(${text}, ${column}) > 0`,
  afterPrefix: afterPrefix('\uffff'),
  // a JSON value has the database's collation, and no length that an index could be sought with
  elements: (json) =>
    sql`select cast(translate(value, ${sentAs}, ${meant}) as nvarchar(400)) collate Latin1_General_BIN2 as value from openjson(${json})`,
  concatenated: (texts) => sql`concat(${sql.join(texts)})`,
  text: (number) => sql`cast(${number} as varchar(20))`,
  // a query timeout of the driver does it
  checkpoint: always,
};
