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
  readonly limit: (rows: number) => Fragment;
  /** ends a select whose order does not matter */
  readonly anyOf: (rows: number) => Fragment;
  /** an order key that is greater for null than for any value */
  readonly missingLast: (value: Fragment) => Fragment;
  /** the column as a value that no index is chosen for */
  readonly unindexed: (column: Fragment) => Fragment;
  readonly contains: (column: Fragment, text: string) => Fragment;
  readonly startsWith: (column: Fragment, text: string) => Fragment;
};

export const always: Fragment = sql`1 = 1`;
export const never: Fragment = sql`1 = 0`;

const compiler = (dialect: KyselyDialect): ((query: Fragment) => Statement) => {
  const database = new Kysely<unknown>({ dialect });
  return (query) => {
    const { sql: text, parameters } = query.compile(database);
    return { text, parameters: parameters as readonly Parameter[] };
  };
};

/**
 * A prefix as a range is a seek. The end is the prefix with its last character one higher, which is right in the order of code
 * points (SQLite) and of UTF-16 units (Latin1_General_BIN2) alike below the surrogates; above them `greatest` is appended.
 */
const startsWith = (greatest: string) => {
  const afterPrefix = (text: string): string => {
    const last = text.charCodeAt(text.length - 1);
    return last < 0xd7ff ? `${text.slice(0, -1)}${String.fromCharCode(last + 1)}` : `${text}${greatest}`;
  };
  return (column: Fragment, text: string): Fragment =>
    text === '' ? sql`${column} is not null` : sql`(${column} >= ${text} and ${column} < ${afterPrefix(text)})`;
};

export const sqlite: Dialect = {
  name: 'sqlite',
  compile: compiler({
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }),
  join: sql`cross join`,
  limit: (rows) => sql`limit ${rows}`,
  anyOf: (rows) => sql`limit ${rows}`,
  missingLast: (value) => sql`${value} is null`,
  unindexed: (column) => sql`+${column}`,
  contains: (column, text) => sql`instr(${column}, ${text}) > 0`,
  startsWith: startsWith('\u{10ffff}'),
};

export const tsql: Dialect = {
  name: 'tsql',
  compile: compiler({
    createAdapter: () => new MssqlAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new MssqlIntrospector(db),
    createQueryCompiler: () => new MssqlQueryCompiler(),
  }),
  // a join hint also keeps the order of all tables of the statement as written
  join: sql`inner loop join`,
  limit: (rows) => sql`offset 0 rows fetch next ${rows} rows only`,
  anyOf: (rows) => sql`order by (select null) offset 0 rows fetch next ${rows} rows only`,
  missingLast: (value) => sql`case when ${value} is null then 1 else 0 end`,
  unindexed: (column) => column,
  contains: (column, text) => sql`charindex(${text}, ${column}) > 0`,
  startsWith: startsWith('\uffff'),
};
