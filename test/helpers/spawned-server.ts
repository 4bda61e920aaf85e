import { spawn, type ChildProcess } from 'node:child_process';

export type Spawned = {
  readonly child: ChildProcess;
  readonly baseUrl: string;
  /** ends it, by default as an operator would */
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>;
};

/** A server in a process of its own, from `dist`; several may stand over one data folder. */
export const spawnServer = (environment: Readonly<Record<string, string>>): Promise<Spawned> => {
  const env = { PATH: process.env['PATH'] ?? '', PORT: '0', LOG_LEVEL: 'silent', DRAIN_MS: '0', ...environment };
  const child = spawn(process.execPath, ['dist/main.js'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
    });
  });
  let said = '';
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const baseUrl = /FHIR base\s+(\S+)\/FHIR\/R4/.exec(said)?.[1];
      const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
        child.kill(signal);
        await ended;
      };
      if (baseUrl !== undefined) resolve({ child, baseUrl, stop });
    });
    void ended.then(() => {
      reject(new Error(`the server did not start: ${said}`));
    });
  });
};
