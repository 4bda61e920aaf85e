import cluster from 'node:cluster';
import { createApp } from '../app.js';
import { ofSetting, originOf, readConfig, type Config } from '../config.js';
import { parentWriter } from '../store/sqlite/parent-writer.js';
import { version } from '../version.js';
import { runWorkers } from './workers.js';

const say = (line = ''): void => {
  process.stdout.write(`${line}\n`);
};

/** What plays the demo against this server: what differs from the defaults is named. */
const demoCommand = (config: Config, baseUrl: string): string => {
  const byDefault = readConfig({});
  const base = baseUrl === originOf(byDefault) ? [] : [`BASE_URL=${baseUrl}`];
  const data = config.dataDir === byDefault.dataDir ? [] : [`DATA_DIR=${config.dataDir}`];
  return [...base, ...data, 'npm run demo'].join(' ');
};

const greet = (config: Config, baseUrl: string, startedMs: number): void => {
  say(`referral-server ${version} is ready after ${(startedMs / 1000).toFixed(1)} s`);
  say(`  FHIR base     ${baseUrl}/FHIR/R4`);
  say(`  tokens        ${baseUrl}/oauth2/token`);
  if (config.demo) {
    say('  demo clients  demo-gp, demo-provider, demo-provider-app, demo-patient-app, demo-system');
    say(`  their keys    ${config.dataDir}/clients/<id>.jwk.json`);
    say(`  try           ${demoCommand(config, baseUrl)}`);
  }
};

/** One server process: starts, and stops cleanly on SIGTERM and SIGINT. */
const serveHere = async (config: Config, started: number, told: boolean): Promise<void> => {
  const app = await createApp(config, cluster.isWorker && config.databaseUrl.startsWith('sqlite:') ? parentWriter() : undefined);
  try {
    await ofSetting('HOST, PORT', () => app.server.start());
  } catch (error) {
    await app.close();
    throw error;
  }
  if (told) greet(config, app.baseUrl, performance.now() - started);
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await app.drain();
    await app.close();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
};

/** `serve`: starts, says where it is, and stops cleanly on SIGTERM and SIGINT. With WORKERS, as many processes on one port. */
export const serve = async (environment: Readonly<Record<string, string | undefined>>): Promise<void> => {
  const started = performance.now();
  try {
    const config = readConfig(environment);
    if (config.workers > 1 && cluster.isPrimary) await runWorkers(config);
    else await serveHere(config, started, !cluster.isWorker || cluster.worker?.id === 1);
  } catch (error) {
    process.stderr.write(`referral-server cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
};
