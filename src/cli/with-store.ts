import { openStore } from '../create-house.js';
import { readConfig, type Config } from '../config.js';
import type { Store } from '../store/port.js';
import type { Environment } from './command.js';

/** Runs with the store of the settings open, also beside a server that has it open. */
export const withStore = async (environment: Environment, run: (store: Store, config: Config) => Promise<void>): Promise<void> => {
  const config = readConfig(environment);
  const store = await openStore(config);
  try {
    await run(store, config);
  } finally {
    await store.close();
  }
};
