import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Config } from './config.js';
import { isConformanceSeeded, seedConformance } from './conformance/seed.js';
import { isDemoLoaded, loadDemo } from './demo/load.js';
import { areWorklistsMade, makeWorklists } from './domain/worklists/make-worklists.js';
import type { House } from './interactions/house.js';
import type { Log } from './log.js';
import { operations } from './operations/operations.js';
import { createConformance, type Built, type Conformance } from './resources/conformance.js';
import { startUpkeep } from './search-index/upkeep.js';
import { alone } from './store/alone.js';

/** a start waits no longer than this for what makes the first requests quick */
const warmUpMs = 30_000;

const builtFile = async (name: string): Promise<Built> => {
  const at = (extension: string): string => fileURLToPath(new URL(`../dist/profiles/${name}.${extension}`, import.meta.url));
  return { hash: await readFile(at('sha256'), 'utf8'), text: async () => readFile(at('json'), 'utf8') };
};

/** The definitions that the server serves as resources. */
const readConformance = async (): Promise<Conformance> =>
  createConformance([await builtFile('artefacts'), await builtFile('base')], operations);

/** Whether an earlier start left nothing to do: most starts, which then neither wait for each other nor write. */
const isPrepared = async (house: House, conformance: Conformance, { demo }: Config): Promise<boolean> =>
  house.searchIndex.isAdopted() &&
  (await isConformanceSeeded(house, conformance)) &&
  (await areWorklistsMade(house.store)) &&
  (!demo || (await isDemoLoaded(house)));

/** The services in memory, which the first searches would wait for. What could not be read the rounds read again, and tell of trouble. */
const readServices = ({ directory }: House): Promise<void> => directory.refresh().catch(() => undefined);

const inTime = async (work: Promise<unknown>): Promise<void> => {
  await Promise.race([work, setTimeout(warmUpMs, undefined, { ref: false })]);
};

/**
 * Brings the store to what this version serves: its definitions, worklists, demo data, and the search index of what another version wrote.
 * One process of all that start does it; a start that finds it done only warms up.
 */
export const prepare = async (house: House, config: Config, logger: Log['logger']): Promise<void> => {
  const { store } = house;
  const conformance = await readConformance();
  if (await isPrepared(house, conformance, config)) {
    await inTime(Promise.all([store.warmUp?.(), readServices(house)]));
    return;
  }
  await alone(store, 'start', async () => {
    // the codes first: worklists are made with what they say
    await seedConformance(house, conformance);
    await makeWorklists(store);
    if (config.demo && (await loadDemo(house)) > 0) await store.countAnew?.();
    const due = await startUpkeep(house);
    if (due.length > 0) logger.info({ types: due }, 'stored resources are being indexed anew; until then searches may miss some');
  });
  await inTime(readServices(house));
};
