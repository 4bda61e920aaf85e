import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { CopySource, CopyTarget } from './copy/tables.js';
import type { Bulk, Store } from './port.js';
import { openSqliteBulk } from './sqlite/bulk-load.js';
import { openSqliteSource, openSqliteTarget } from './sqlite/copying.js';
import { openSharedSqliteStore, openSqliteStore } from './sqlite/sqlite-store.js';
import type { UnitWriter } from './sqlite/unit-writer.js';

export type StoreSettings = {
  readonly databaseUrl: string;
  readonly databaseReplicaUrl: string | undefined;
  readonly referentialIntegrity: boolean;
};

/** The file of `sqlite:<file>`. */
export const sqliteFile = (databaseUrl: string): string => path.resolve(databaseUrl.slice('sqlite:'.length));

/**
 * Opens the store that DATABASE_URL names, and brings its schema up to date.
 *
 * @param writer on the embedded store, who writes when another process does
 */
export const openStore = async (settings: StoreSettings, writer?: UnitWriter): Promise<Store> => {
  const { databaseUrl, databaseReplicaUrl, referentialIntegrity: integrity } = settings;
  if (databaseUrl.startsWith('mssql:')) {
    // its driver takes a second to load, which the embedded store need not wait for
    const { openMssqlStore } = await import('./mssql/mssql-store.js');
    return openMssqlStore({ url: databaseUrl, replicaUrl: databaseReplicaUrl, integrity });
  }
  const file = sqliteFile(databaseUrl);
  if (writer) return openSharedSqliteStore(file, writer);
  await mkdir(path.dirname(file), { recursive: true });
  return openSqliteStore({ path: file, integrity });
};

/** The bulk path into the empty store that DATABASE_URL names. Throws Occupied when there is anything in it, or somebody serves it. */
export const openBulk = async ({ databaseUrl, referentialIntegrity: integrity }: StoreSettings): Promise<Bulk> =>
  databaseUrl.startsWith('mssql:')
    ? (await import('./mssql/bulk-load.js')).openMssqlBulk({ url: databaseUrl, integrity })
    : openSqliteBulk({ path: sqliteFile(databaseUrl), integrity });

const storeName = (url: string): 'sqlite' | 'mssql' => {
  if (url.startsWith('mssql:')) return 'mssql';
  if (/^sqlite:.+/.test(url)) return 'sqlite';
  throw new Error('a store is named sqlite:<file> or mssql://user:password@host:1433/database');
};

/** A store to be copied, which nobody serves meanwhile. */
export const openCopySource = async (url: string): Promise<CopySource> =>
  storeName(url) === 'sqlite' ? openSqliteSource(sqliteFile(url)) : (await import('./mssql/copying.js')).openMssqlSource(url);

/** A store to copy into: empty, or with the beginning of the same copy. */
export const openCopyTarget = async (url: string): Promise<CopyTarget> =>
  storeName(url) === 'sqlite' ? openSqliteTarget(sqliteFile(url)) : (await import('./mssql/copying.js')).openMssqlTarget(url);
