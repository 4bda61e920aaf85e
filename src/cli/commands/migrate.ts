import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { readConfig } from '../../config.js';
import { openSqliteStore } from '../../store/sqlite/sqlite-store.js';
import type { Environment } from '../command.js';

export const migrateStore = async (_words: readonly string[], environment: Environment): Promise<void> => {
  const config = readConfig(environment);
  const file = path.resolve(config.databaseUrl.slice('sqlite:'.length));
  await mkdir(path.dirname(file), { recursive: true });
  const store = await openSqliteStore({ path: file, integrity: config.referentialIntegrity });
  await store.close();
  process.stdout.write(`The schema of ${file} is current.\n`);
};
