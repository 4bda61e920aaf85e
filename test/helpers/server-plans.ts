import mssql from 'mssql';
import type { Inputs } from '../../src/store/mssql/database.js';
import { readDatabaseUrl } from '../../src/store/mssql/database-url.js';
import { scripts } from '../../src/store/mssql/schema/scripts.js';

type Answer = { readonly recordsets: readonly (readonly object[])[] };
type Statement = { readonly text: string; readonly parameters: readonly (string | number | null)[] };

const literal = (value: string | number | null): string =>
  typeof value === 'string' ? `N'${value.replaceAll("'", "''")}'` : value === null ? 'null' : String(value);
/** A plan is made for values, as the server makes one at the first call of a statement. */
const filledIn = ({ text, parameters }: Statement): string =>
  text.replace(/@(\d+)\b/g, (_all, number: string) => literal(parameters[Number(number) - 1] ?? null));

export type Visit = { readonly how: 'seek' | 'scan'; readonly table: string; readonly index: string };

// SQL Server: `Index Seek(OBJECT:([db].[dbo].[slot_index].[slot_schedule] AS [h]), SEEK: ...`
const ofSqlServer = /\b(?:Clustered )?(Index|Table) (Seek|Scan)\(OBJECT:\(\[[^\]]+\]\.\[[^\]]+\]\.\[(\w+)\](?:\.\[(\w+)\])?/;
// others that speak its protocol: `Index Scan using slot_schedule<hash> on slot_index h  (cost=...)`, a scan of all is `Seq Scan on`
const ofOthers = /\b(Index Only Scan|Index Scan|Seq Scan)(?: Backward)?(?: using "?(\w+?)"?)? on "?(\w+?)"?(?: |$)/;
const ofBitmap = /\bBitmap Index Scan on "?(\w+?)"?(?: |$)/;
/** stands above the bitmaps of its rows */
const ofRows = /\bBitmap Heap Scan on "?(\w+?)"?(?: |$)/;
/** Such a server appends the table to the name, cut off where both are long, and a hash. */
const named = (index: string | undefined, table: string): string => {
  const bare = (index ?? '').replace(/[0-9a-f]{32}$/, '');
  if (bare === index) return bare;
  const appended = Array.from({ length: table.length }, (_, cut) => table.slice(0, table.length - cut)).find((part) => bare.endsWith(part));
  return appended === undefined ? bare : bare.slice(0, -appended.length);
};

const schema = scripts.flatMap(({ steps }) => steps.map(({ text }) => text)).join('\n');
const declared = /\b(?:index (\w+) on \w+|constraint (\w+) (?:primary key|unique) (?:non)?clustered) \(\[?(\w+)/g;
/** The first column of each index of the schema. */
const leading = new Map([...schema.matchAll(declared)].map(([, index, key, column]) => [index ?? key ?? '', column ?? '']));

/**
 * Whether the condition under which such a server walks an index bounds its first column: with others alone it reads all of the index.
 * The index's own column stands on the left.
 */
const bounds = (condition: string, index: string): boolean =>
  new RegExp(`\\("?${leading.get(index) ?? '-'}"?\\)?(?:::[\\w".]+)?\\)* (?:=|<|>|<=|>=) `).test(condition);

/** The visits to tables that lines of a plan tell of. */
export const plannedVisits = (lines: readonly string[]): readonly Visit[] =>
  lines.flatMap((line, at): readonly Visit[] => {
    const known = ofSqlServer.exec(line);
    if (known) return [{ how: known[2] === 'Seek' ? 'seek' : 'scan', table: known[3] ?? '', index: known[4] ?? '' }];
    const bitmap = ofBitmap.exec(line);
    const other = bitmap ? null : ofOthers.exec(line);
    if (!bitmap && !other) return [];
    const table = other?.[3] ?? lines.slice(0, at).reduce((last, above) => ofRows.exec(above)?.[1] ?? last, '');
    const index = named(bitmap?.[1] ?? other?.[2], table);
    const next = lines[at + 1]?.trim() ?? '';
    return [{ how: next.startsWith('Index Cond:') && bounds(next, index) ? 'seek' : 'scan', table, index }];
  });

const linesIn = (recordsets: readonly (readonly object[])[]): readonly string[] =>
  recordsets.flat().flatMap((row) => {
    const { StmtText: text = Object.values(row)[0] as unknown } = row as { readonly StmtText?: unknown };
    return String(text).split('\n');
  });

/** What asks the server of a URL for plans. */
export const serverPlans = async (url: string) => {
  const own = new URL(url);
  own.searchParams.set('poolMax', '1');
  const connect = async (setting: string) => {
    const pool = await new mssql.ConnectionPool(readDatabaseUrl(own.href)).connect();
    await pool.request().batch(setting);
    return pool;
  };
  const asking = await connect('set showplan_all on');
  const writing = await connect('set statistics profile on');
  return {
    /** the lines of a plan as the server writes them */
    linesOf: async (statement: Statement): Promise<readonly string[]> => {
      const { recordsets } = (await asking.request().batch(filledIn(statement))) as unknown as Answer;
      return linesIn(recordsets);
    },
    /** The same of a batch that goes one way or the other, which only tells when it is run. */
    linesOfRun: async (text: string, inputs: Inputs): Promise<readonly string[]> => {
      const request = writing.request();
      for (const [name, value] of Object.entries(inputs)) request.input(name, value);
      return linesIn(((await request.query(text)) as unknown as Answer).recordsets);
    },
    close: async () => {
      await asking.close();
      await writing.close();
    },
  };
};
