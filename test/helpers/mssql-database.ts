import { Database } from '../../src/store/mssql/database.js';

const within = async <T>(url: string, task: (database: Database) => Promise<T>): Promise<T> => {
  const database = await Database.open(url);
  try {
    return await task(database);
  } finally {
    await database.close();
  }
};

/** Makes the database when it is not there. `server` is the URL of any database of the server. */
export const makeDatabase = (server: string, name: string): Promise<void> =>
  within(server, async (database) => {
    const [row] = await database.read('select db_id(@name) as id', { name });
    if (row?.['id'] === null) await database.execute(`create database [${name}]`);
  });

/** Makes an empty database of its own. */
export const createDatabase = (server: string, name: string): Promise<void> =>
  within(server, (database) => database.execute(`create database [${name}]`));

/** Connections that are just being closed are waited for, a moment. */
export const dropDatabase = (server: string, name: string): Promise<void> =>
  within(server, (database) =>
    database.again(
      () => database.execute(`drop database if exists [${name}]`),
      () => true,
    ),
  );

// what refers comes before what it refers to
export const tables = [
  'search_token',
  'search_reference',
  'search_range',
  'search_text',
  'search_position',
  'search_word',
  'slot_index',
  'slot_day',
  'worklist',
  'service_request_index',
  'access_key',
  'access_link',
  'commit_log',
  'resource_version',
  'live',
  'resource',
  'claim',
  'entry',
  'audit_link',
];

/** Removes every row; the schema stays. */
export const emptyDatabase = async (database: Database): Promise<void> => {
  for (const table of tables)
    await database.again(
      () => database.execute(`delete from ${table}`),
      () => true,
    );
};
