import { createHash } from 'node:crypto';
import type { Database } from './database.js';
import { scripts, type Script, type Step } from './schema/scripts.js';

const checksum = ({ steps }: Script): string => createHash('sha256').update(JSON.stringify(steps)).digest('hex');
const newest = Math.max(...scripts.map(({ number }) => number));

const lockTable = `if object_id('schema_script') is null
  create table schema_script (number int not null, name nvarchar(100) not null, checksum nvarchar(64) not null, runs_with int not null,
    constraint schema_script_pk primary key clustered (number))`;

type Applied = { readonly number: number; readonly checksum: string; readonly runs_with: number };

/**
 * Brings the schema to the newest script. Several servers may start at once: each script is applied by the one whose row in
 * schema_script is inserted first, under an application lock that the others wait for. A database one script ahead is accepted when
 * that script says that this program may run with it, so that servers can be replaced one by one.
 */
export const migrate = async (database: Database): Promise<void> => {
  await database.again(
    () => database.execute(lockTable),
    () => true,
  );
  const applied = (await database.read('select number, checksum, runs_with from schema_script')) as readonly Applied[];
  for (const row of applied) {
    const known = scripts.find((script) => script.number === row.number);
    if (!known && row.runs_with > newest)
      throw new Error(
        `The database has schema script ${String(row.number)}, which this version cannot run with: start the version that made it, or a newer one.`,
      );
    if (known && row.checksum !== checksum(known))
      throw new Error(`Schema script ${String(row.number)} of the database differs from this program's.`);
  }
  for (const script of scripts) if (!applied.some(({ number }) => number === script.number)) await apply(database, script);
};

const quoted = (text: string): string => `N'${text.replaceAll("'", "''")}'`;

/** A script is one batch and one transaction: all of it, or nothing. What is optional comes after, outside of it. */
const apply = async (database: Database, script: Script): Promise<void> => {
  const needed = script.steps.filter(({ optional }) => optional !== true);
  const text = `set nocount on; set xact_abort on;
begin transaction;
exec sp_getapplock @Resource = 'referral-server schema', @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = 60000;
if not exists (select 1 as one from schema_script where number = ${String(script.number)})
begin
${needed.map((step) => `  exec sp_executesql ${quoted(step.text)};`).join('\n')}
  insert into schema_script (number, name, checksum, runs_with)
    values (${String(script.number)}, ${quoted(script.name)}, '${checksum(script)}', ${String(script.runsWith)});
end;
commit transaction;`;
  await database.again(() => database.execute(text));
  await tryOptional(
    database,
    script.steps.filter(({ optional }) => optional === true),
  );
};

/** What a server does not take for one table it takes for none: it is not asked again, as a refusal may cost a connection. */
const tryOptional = async (database: Database, steps: readonly Step[]): Promise<void> => {
  const refused = new Set<string>();
  for (const { text } of steps) {
    const kind = text.replace(/ on \w+/, '');
    if (!refused.has(kind)) await database.execute(text).catch(() => refused.add(kind));
  }
};

/** Throws when the database lacks a script of this program. */
export const checkSchema = async (database: Database): Promise<void> => {
  const rows = await database.read('select max(number) as number from schema_script');
  if (Number(rows[0]?.['number'] ?? 0) < newest) throw new Error('the schema of the database is older than this program');
};
