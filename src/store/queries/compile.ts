import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, type RawBuilder } from 'kysely';

const sqlite = new Kysely<unknown>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

export type Statement = { readonly text: string; readonly parameters: readonly (string | number | null)[] };

export const compileForSqlite = (query: RawBuilder<unknown>): Statement => {
  const { sql: text, parameters } = query.compile(sqlite);
  return { text, parameters: parameters as readonly (string | number | null)[] };
};
