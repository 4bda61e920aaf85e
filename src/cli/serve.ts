import { createApp, version } from '../app.js';
import { readConfig, type Config } from '../config.js';

const say = (line = ''): void => {
  process.stdout.write(`${line}\n`);
};

const greet = (config: Config, baseUrl: string, startedMs: number): void => {
  say(`referral-server ${version} is ready after ${(startedMs / 1000).toFixed(1)} s`);
  say(`  FHIR base     ${baseUrl}/FHIR/R4`);
  say(`  tokens        ${baseUrl}/oauth2/token`);
  if (config.demo) {
    say('  demo clients  demo-gp, demo-provider, demo-provider-app, demo-patient-app, demo-system');
    say(`  their keys    ${config.dataDir}/clients/<id>.jwk.json`);
    say('  try           npm run demo');
  }
};

/** `serve`: starts, says where it is, and stops cleanly on SIGTERM and SIGINT. */
export const serve = async (environment: Readonly<Record<string, string | undefined>>): Promise<void> => {
  const started = performance.now();
  try {
    const config = readConfig(environment);
    const app = await createApp(config);
    await app.server.start();
    greet(config, app.baseUrl, performance.now() - started);
    let stopping = false;
    const stop = (): void => {
      if (stopping) return;
      stopping = true;
      app.drain();
      void app.close().then(() => process.exit(0));
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  } catch (error) {
    process.stderr.write(`referral-server cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
};
