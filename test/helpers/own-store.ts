import { createDatabase, dropDatabase } from './mssql-database.js';

const server = process.env['MSSQL_URL'];
let made = 0;

/** The store of a test server: where MSSQL_URL is set, a database of its own on that server. */
export type OwnStore = { readonly settings: Readonly<Record<string, string>>; readonly remove: () => Promise<void> };

export const ownStore = async (): Promise<OwnStore> => {
  if (server === undefined) return { settings: {}, remove: () => Promise.resolve() };
  const name = `referrals_api_${String(process.pid)}_${String(++made)}`;
  await createDatabase(server, name);
  const url = new URL(server);
  url.pathname = `/${name}`;
  url.searchParams.set('poolMax', '8');
  return { settings: { DATABASE_URL: url.href, DEMO: 'true' }, remove: () => dropDatabase(server, name) };
};
