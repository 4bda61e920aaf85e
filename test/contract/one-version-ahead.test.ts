import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { Database } from '../../src/store/mssql/database.js';
import { migrate } from '../../src/store/mssql/migrate.js';
import { scripts as tsqlScripts } from '../../src/store/mssql/schema/scripts.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/port.js';
import { scripts as sqliteScripts } from '../../src/store/sqlite/schema/scripts.js';
import { put, token } from '../builders/units.js';
import { createDatabase, dropDatabase } from '../helpers/mssql-database.js';

/** Servers are replaced one by one, and a release may be taken back: this program then meets the schema of the next one. */
jest.setTimeout(120_000);
const folder = mkdtempSync(path.join(tmpdir(), 'ahead-'));
const server = process.env['MSSQL_URL'];
const name = `referrals_ahead_${String(process.pid)}`;
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  if (server !== undefined) await dropDatabase(server, name);
});

type Ahead = { readonly url: string; readonly newest: number; readonly run: (...texts: readonly string[]) => Promise<void> };

const embedded = (): Promise<Ahead> => {
  const file = path.join(folder, 'a.db');
  const run = (...texts: readonly string[]): Promise<void> => {
    const db = new DatabaseSync(file);
    for (const text of texts) db.exec(text);
    db.close();
    return Promise.resolve();
  };
  return Promise.resolve({ url: `sqlite:${file}`, newest: Math.max(...sqliteScripts.map(({ number }) => number)), run });
};

const sqlServer = async (of: string): Promise<Ahead> => {
  await createDatabase(of, name);
  const own = new URL(of);
  own.pathname = `/${name}`;
  const run = async (...texts: readonly string[]): Promise<void> => {
    const database = await Database.open(own.href);
    for (const text of texts) await database.execute(text);
    await database.close();
  };
  return { url: own.href, newest: Math.max(...tsqlScripts.map(({ number }) => number)), run };
};

const open = (databaseUrl: string): Promise<Store> => openStore({ databaseUrl, databaseReplicaUrl: undefined, referentialIntegrity: true });
const patient = { type: 'Patient', id: 'p' };
const nextScript = (number: number, runsWith: number): string =>
  `insert into schema_script (number, name, checksum, runs_with) values (${String(number)}, 'next', 'x', ${String(runsWith)})`;

for (const [engine, make] of [
  ['embedded store', embedded],
  ...(server === undefined ? [] : [['SQL Server', () => sqlServer(server)] as const]),
] as const)
  it(`serves a database one schema script ahead that allows it, and refuses one that does not: ${engine}`, async () => {
    const { url, newest, run } = await make();
    const first = await open(url);
    await first.commit({ puts: [put('Patient', 'p', 0, { values: [token('identifier', '1')] })] });
    await first.close();
    // what a script may add while older programs run: a table, an index, a column that may stay empty
    await run(
      'create table later (id int not null primary key)',
      'create index later_index on claim (owner)',
      `alter table entry add ${engine === 'SQL Server' ? '' : 'column '}later int null`,
      nextScript(newest + 1, newest),
    );
    const ahead = await open(url);
    await ahead.check();
    await ahead.commit({
      puts: [put('Patient', 'p', 1, { values: [token('identifier', '2')] })],
      claims: [{ kind: 'identifier', key: 'k', owner: 'Patient/p' }],
      entries: [{ kind: 'job', key: 'j', version: 0, body: '{}' }],
    });
    const plan = { type: 'Patient', where: [{ kind: 'token', param: 'identifier', any: [{ code: '2' }] }], sort: [], count: 5 } as const;
    expect((await ahead.search(plan, 'all')).rows.map(({ id, version }) => [id, version])).toEqual([['p', 2]]);
    expect((await ahead.findVersion(patient, 1, 'all'))?.version).toBe(1);
    expect((await ahead.findEntry('job', 'j'))?.body).toBe('{}');
    await ahead.close();
    await run(nextScript(newest + 2, newest + 1));
    await expect(open(url)).rejects.toThrow(`script ${String(newest + 2)}, which this version cannot run with`);
  });

describe('a program over SQL Server', () => {
  const withApplied = (rows: readonly object[]) => {
    const executed: string[] = [];
    const database = {
      read: () => Promise.resolve(rows),
      execute: (text: string) => Promise.resolve(void executed.push(text)),
      again: (task: () => Promise<unknown>) => task(),
    };
    return { executed, migrated: migrate(database as unknown as Database) };
  };

  it('applies what is missing, each script as one transaction', async () => {
    const { executed, migrated } = withApplied([]);
    await migrated;
    for (const { number } of tsqlScripts)
      expect(executed.filter((text) => text.includes(`begin transaction`) && text.includes(`values (${String(number)}, `))).toHaveLength(1);
  });

  it('runs with a script that it does not know and that allows it, and with no other', async () => {
    const newest = Math.max(...tsqlScripts.map(({ number }) => number));
    const later = { number: newest + 1, checksum: 'x' };
    await expect(withApplied([{ ...later, runs_with: newest }]).migrated).resolves.toBeUndefined();
    await expect(withApplied([{ ...later, runs_with: newest + 1 }]).migrated).rejects.toThrow('cannot run with');
    await expect(withApplied([{ number: 1, checksum: 'other', runs_with: 1 }]).migrated).rejects.toThrow("differs from this program's");
  });
});
