import { spawn } from 'node:child_process';
import { createApp, type App } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import type { House } from '../../src/interactions/house.js';

/** A server that answers, in this process or in others. */
export type Serving = {
  readonly baseUrl: string;
  /** the parts behind the server; where others serve, those of a neighbour over the same store */
  readonly house: () => Promise<House>;
  readonly stop: () => Promise<void>;
};

type Environment = Readonly<Record<string, string>>;

/** A server in this process. */
export const serveHere = async (environment: Environment): Promise<Serving> => {
  const app = await createApp(readConfig(environment));
  await app.server.start();
  return { baseUrl: app.baseUrl, house: () => Promise.resolve(app.house), stop: () => app.close() };
};

/** WORKERS processes on one port, as `npm start` runs them: all of them listen before a test begins. */
export const serveInProcesses = async (environment: Environment): Promise<Serving> => {
  const child = spawn(process.execPath, ['dist/main.js'], {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
    });
  });
  let said = '';
  const baseUrl = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const url = /FHIR base\s+(\S+)\/FHIR\/R4/.exec(said)?.[1];
      if (url !== undefined && said.includes('processes answer')) resolve(url);
    });
    void ended.then(() => {
      reject(new Error(`the server did not start: ${said}`));
    });
  });
  let neighbour: Promise<App> | undefined;
  return {
    baseUrl,
    house: async () => (await (neighbour ??= createApp(readConfig(environment)))).house,
    stop: async () => {
      await (await neighbour)?.close();
      child.kill('SIGTERM');
      await ended;
    },
  };
};
