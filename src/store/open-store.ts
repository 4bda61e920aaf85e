import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Store } from './port.js';
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
