import { randomBytes } from 'node:crypto';
import { Database } from '../../src/store/mssql/database.js';
import { migrate } from '../../src/store/mssql/migrate.js';
import { createDatabase, dropDatabase, tables } from './mssql-database.js';

const server = process.env['MSSQL_URL'];
const template = 'referrals_template';

/** The store of a test server: where MSSQL_URL is set, a database of its own on that server. */
export type OwnStore = { readonly settings: Readonly<Record<string, string>>; readonly remove: () => Promise<void> };

const settingsOf = (name: string): Readonly<Record<string, string>> => {
  const url = new URL(server ?? '');
  url.pathname = `/${name}`;
  url.searchParams.set('poolMax', '4');
  return { DATABASE_URL: url.href, DEMO: 'true' };
};

/** The settings of a server that makes the demo data which those of the run then start with. */
export const templateStore = async (): Promise<Readonly<Record<string, string>>> => {
  if (server === undefined) return {};
  await dropDatabase(server, template);
  await createDatabase(server, template);
  return settingsOf(template);
};

// numbered by the database as they are written
const numbered = new Set(['term', 'resource_version', 'worklist', 'audit_link']);

const columnsOf = async (database: Database, table: string): Promise<string> => {
  const rows = await database.read('select name from sys.columns where object_id = object_id(@table) order by column_id', { table });
  return rows.map(({ name }) => `[${String(name)}]`).join(', ');
};

/** All rows of the template, within the server. */
const copyTemplate = async (url: string): Promise<void> => {
  const database = await Database.open(url);
  try {
    await migrate(database);
    // what is referred to comes first
    for (const table of ['term', ...[...tables].reverse()]) {
      const columns = await columnsOf(database, table);
      const copy = `insert into ${table} (${columns}) select ${columns} from ${template}.dbo.${table}`;
      await database.execute(numbered.has(table) ? `set identity_insert ${table} on; ${copy}; set identity_insert ${table} off` : copy);
    }
    await database.execute(`delete from commit_order; insert into commit_order select * from ${template}.dbo.commit_order`);
    const [last] = await database.read('select max(rid) + 1 as next_rid from resource');
    await database.execute(`alter sequence resource_rid restart with ${String(last?.['next_rid'])}`);
  } finally {
    await database.close();
  }
};

/** @param filled with the demo data of the template, which must have been made */
export const ownStore = async (filled: boolean): Promise<OwnStore> => {
  if (server === undefined) return { settings: {}, remove: () => Promise.resolve() };
  // a name of its own: one that could not be dropped is nobody else's trouble
  const name = `referrals_api_${randomBytes(6).toString('hex')}`;
  await createDatabase(server, name);
  const settings = settingsOf(name);
  if (filled) await copyTemplate(settings['DATABASE_URL'] ?? '');
  return { settings, remove: () => dropDatabase(server, name) };
};
