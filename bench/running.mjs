// What the benches share: a server or floor in a process of its own, tokens of the demo clients, and what a process has used.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const here = path.dirname(new URL(import.meta.url).pathname);

const started = new Set();
// a bench that fails leaves nothing running
process.on('exit', () => {
  for (const child of started) child.kill('SIGKILL');
});

/** what npm start gives node */
const asStarted = JSON.parse(readFileSync(path.resolve(here, '../package.json'), 'utf8'))
  .scripts.start.split(' ')
  .filter((word) => word.startsWith('--'));

/** Starts a script and resolves when its output shows where it listens (first group of `pattern`). */
export const start = (script, env, pattern) =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...asStarted, path.resolve(here, script)], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    const read = (chunk) => {
      text += chunk;
      const origin = pattern.exec(text)?.[1];
      if (!origin) return;
      child.stdout.off('data', read);
      child.stdout.resume();
      started.add(child);
      child.once('exit', () => started.delete(child));
      resolve({ child, origin });
    };
    child.stdout.on('data', read);
    child.once('exit', () => reject(new Error(`${script} stopped: ${text}`)));
  });

/** A whole server with demo data of its own in a temporary folder. */
export const startServer = async (settings = {}) => {
  const data = settings.DATA_DIR ?? mkdtempSync(path.join(tmpdir(), 'bench-'));
  const env = { PORT: '0', DATA_DIR: data, DEMO: 'true', LOG_LEVEL: 'info', ...settings };
  const { child, origin } = await start('../dist/main.js', env, /FHIR base\s+(\S+)\/FHIR\/R4/);
  const { fetchToken } = await import('../dist/auth/client-token.js');
  return {
    child,
    origin,
    data,
    base: `${origin}/FHIR/R4`,
    tokenOf: (clientId) =>
      fetchToken({ clientId, keyFile: path.join(data, 'clients', `${clientId}.jwk.json`), tokenUrl: `${origin}/oauth2/token` }),
    stop: async () => {
      await stop(child);
      if (settings.DATA_DIR === undefined) rmSync(data, { recursive: true, force: true });
    },
  };
};

export const stop = (child) =>
  new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill('SIGTERM');
  });

/** CPU seconds that a process has used, all its threads (Linux). */
export const cpuSeconds = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

/** Resident memory of a process now, in MB (Linux). */
export const residentMb = (pid) => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
