import { maskedUrl, ofSetting, readConfig } from '../../config.js';
import { openStore } from '../../store/open-store.js';
import type { Environment } from '../command.js';

export const migrateSchema = async (_words: readonly string[], environment: Environment): Promise<void> => {
  const config = readConfig(environment);
  const store = await ofSetting('DATABASE_URL', () => openStore(config));
  await store.close();
  process.stdout.write(`The schema of ${maskedUrl(config.databaseUrl)} is current.\n`);
};
