// Plays the collection with newman against a server that it starts on a free port with an empty data folder.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import newman from 'newman';

const require = createRequire(import.meta.url);
const here = path.dirname(new URL(import.meta.url).pathname);
const data = mkdtempSync(path.join(tmpdir(), 'postman-'));
const server = spawn(process.execPath, [path.join(here, '../dist/main.js')], {
  env: { ...process.env, PORT: '0', DATA_DIR: data, DEMO: 'true', LOG_LEVEL: 'warn' },
  stdio: ['ignore', 'pipe', 'inherit'],
});

const origin = await new Promise((resolve, reject) => {
  let text = '';
  server.stdout.on('data', (chunk) => {
    text += chunk;
    const found = /FHIR base\s+(\S+)\/FHIR\/R4/.exec(text)?.[1];
    if (found) resolve(found);
  });
  server.once('exit', () => reject(new Error(`the server did not start: ${text}`)));
});
const keyOf = (client) => readFileSync(path.join(data, 'clients', `${client}.jwk.json`), 'utf8');

newman.run(
  {
    collection: JSON.parse(readFileSync(path.join(here, 'journey.postman_collection.json'), 'utf8')),
    environment: JSON.parse(readFileSync(path.join(here, 'local.postman_environment.json'), 'utf8')),
    envVar: Object.entries({
      origin,
      key_gp: keyOf('demo-gp'),
      key_provider: keyOf('demo-provider'),
      key_patient: keyOf('demo-patient-app'),
    }).map(([key, value]) => ({ key, value })),
    globals: { values: [{ key: 'jsrsasign', value: readFileSync(require.resolve('jsrsasign/lib/jsrsasign-all-min.js'), 'utf8') }] },
    reporters: ['cli'],
  },
  (error, summary) => {
    server.once('exit', () => {
      rmSync(data, { recursive: true, force: true });
      if (error) throw error;
      process.exitCode = summary.run.failures.length > 0 ? 1 : 0;
    });
    server.kill('SIGTERM');
  },
);
