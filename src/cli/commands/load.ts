import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { createHouse, openStore } from '../../create-house.js';
import { readConfig, type Config } from '../../config.js';
import { loadDemo } from '../../demo/load.js';
import { localDay } from '../../demo/local-time.js';
import { loadPostcodes } from '../../demo/postcodes.js';
import { isScale, type Scale } from '../../demo/scales.js';
import type { House } from '../../interactions/house.js';
import { blankStore } from '../../loading/blank-store.js';
import { loadFiles } from '../../loading/load-files.js';
import { loadScale } from '../../loading/load-scale.js';
import { filesOf } from '../../loading/sources.js';
import { openBulk } from '../../store/open-store.js';
import { option, type Environment } from '../command.js';
import { startProgress } from '../progress.js';

const clinicZone = 'Europe/London';
const seed = 1;
const origin = { url: 'http://127.0.0.1' };

const warn = (problem: string): void => {
  process.stderr.write(`${problem}\n`);
};

const withHouse = async <T>(config: Config, use: (house: House) => Promise<T>): Promise<T> => {
  const store = await openStore(config);
  try {
    return await use(await createHouse(config, store, origin, warn));
  } finally {
    await store.close();
  }
};

const tell = (json: boolean, report: object, lines: readonly string[]): void => {
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : lines.map((line) => `${line}\n`).join(''));
};

const loadGenerated = async (config: Config, scale: Scale, json: boolean): Promise<void> => {
  if (scale === 'small') {
    const written = await withHouse(config, loadDemo);
    tell(json, { scale, written }, [`${String(written)} resources written.`]);
    return;
  }
  await mkdir(config.dataDir, { recursive: true });
  const bulk = await openBulk({ ...config, referentialIntegrity: true });
  const house = await createHouse(config, blankStore(), origin, warn);
  const progress = startProgress();
  const report = await loadScale(house, bulk, {
    ...{ seed, scale, dataDir: config.dataDir, timeZone: clinicZone, since: localDay(Date.now(), clinicZone) },
    makers: Math.min(4, availableParallelism()),
    say: (done, total, what) => {
      progress.at(done, what, total);
    },
  });
  progress.end();
  const { resources, rows, bytes, seconds } = report;
  tell(json, { scale, ...report }, [
    `${String(resources)} resources (${String(rows)} rows, ${String(Math.round(bytes / 1e6))} MB) in ${seconds.toFixed(1)} s: ${String(Math.round(resources / seconds))} a second.`,
  ]);
};

const loadDirectoryOfPostcodes = async (config: Config, file: string, json: boolean): Promise<void> => {
  const store = await openStore(config);
  const progress = startProgress();
  try {
    const report = await loadPostcodes(store, file, (count) => {
      progress.at(count, 'postcodes');
    });
    progress.end();
    tell(json, { file, ...report }, [
      `${String(report.written)} postcodes written; left out: ${String(report.ended)} no longer in use, ${String(report.unplaced)} without a position.`,
    ]);
  } finally {
    await store.close();
  }
};

const loadNamed = async (config: Config, names: readonly string[], validates: boolean, json: boolean): Promise<void> => {
  const files = (await Promise.all(names.map(filesOf))).flat();
  if (files.length === 0) throw new Error('there are no .json or .ndjson files');
  const progress = startProgress();
  const report = await withHouse(config, (house) =>
    loadFiles(validates ? house : { ...house, validate: () => [] }, files, (done) => {
      progress.at(done, 'resources');
    }),
  );
  progress.end();
  if (report.faults.length > 0) process.exitCode = 1;
  tell(json, report, [
    `${String(report.written)} resources written, ${String(report.unchanged)} there already, ${String(report.faults.length)} refused.`,
  ]);
  if (!json) for (const { place, reason } of report.faults) process.stderr.write(`${place}: ${reason}\n`);
};

/** `load`: files or folders of resources, Bundles and NDJSON; a generated scale; or the ONS Postcode Directory. */
export const load = async (words: readonly string[], environment: Environment): Promise<void> => {
  const config = readConfig(environment);
  const json = words.includes('--json');
  const scale = option(words, 'scale');
  const postcodes = option(words, 'postcodes');
  if (scale !== undefined) {
    if (!isScale(scale)) throw new Error('--scale takes small, region or national');
    return loadGenerated(config, scale, json);
  }
  if (postcodes !== undefined) return loadDirectoryOfPostcodes(config, postcodes, json);
  const names = words.filter((word) => !word.startsWith('--'));
  if (names.length === 0) throw new Error('name a file or a folder, --scale small|region|national, or --postcodes <csv>');
  return loadNamed(config, names, !words.includes('--no-validate'), json);
};
