import mssql from 'mssql';
import { readDatabaseUrl } from '../../src/store/mssql/database-url.js';

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
/** Such a server appends the table to the name, cut off where both are long, and a hash. */
const named = (index: string | undefined, table: string): string => {
  const bare = (index ?? '').replace(/[0-9a-f]{32}$/, '');
  if (bare === index) return bare;
  const appended = Array.from({ length: table.length }, (_, cut) => table.slice(0, table.length - cut)).find((part) => bare.endsWith(part));
  return appended === undefined ? bare : bare.slice(0, -appended.length);
};

/** The visits to tables that lines of a plan tell of. */
export const plannedVisits = (lines: readonly string[]): readonly Visit[] =>
  lines.flatMap((line, at): readonly Visit[] => {
    const known = ofSqlServer.exec(line);
    if (known) return [{ how: known[2] === 'Seek' ? 'seek' : 'scan', table: known[3] ?? '', index: known[4] ?? '' }];
    const bitmap = ofBitmap.exec(line);
    const other = ofOthers.exec(line);
    if (!bitmap && !other) return [];
    const sought = lines.slice(at + 1, at + 3).some((next) => next.includes('Index Cond:'));
    return [{ how: sought ? 'seek' : 'scan', table: other?.[3] ?? '', index: named(bitmap?.[1] ?? other?.[2], other?.[3] ?? '') }];
  });

/** What asks the server of a URL for plans. */
export const serverPlans = async (url: string) => {
  const own = new URL(url);
  own.searchParams.set('poolMax', '1');
  const pool = await new mssql.ConnectionPool(readDatabaseUrl(own.href)).connect();
  await pool.request().batch('set showplan_all on');
  return {
    /** the lines of a plan as the server writes them */
    linesOf: async (statement: Statement): Promise<readonly string[]> => {
      const { recordsets } = (await pool.request().batch(filledIn(statement))) as { readonly recordsets: readonly (readonly object[])[] };
      return recordsets.flat().flatMap((row) => String(Object.values(row)[0]).split('\n'));
    },
    close: () => pool.close(),
  };
};
