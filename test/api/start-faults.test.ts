import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'start-'));
  await writeFile(path.join(folder, 'text'), 'neither a database nor a key');
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

type End = { readonly code: number | string | null | undefined; readonly text: string };

/** How a start ends that cannot come up: `FOLDER` in a value stands for a folder with the file `text`. */
const start = (given: Readonly<Record<string, string>>): Promise<End> =>
  new Promise((resolve) => {
    const settings = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value.replace('FOLDER', folder)]));
    const env = { PATH: process.env['PATH'], PORT: '0', DEMO: 'false', DATA_DIR: path.join(folder, 'data'), ...settings };
    execFile(process.execPath, ['dist/main.js'], { env, timeout: 60_000 }, (error, _out, text) => {
      resolve({ code: error?.code, text });
    });
  });

it.each([
  ['DATA_DIR', { DATA_DIR: 'FOLDER/text' }],
  ['DATABASE_URL', { DATABASE_URL: 'sqlite:FOLDER/text' }],
  ['DATABASE_URL_FILE', { DATABASE_URL_FILE: 'FOLDER/none' }],
  ['DOCUMENT_STORE_URL', { DOCUMENT_STORE_URL: 'file:FOLDER/text' }],
  ['TLS_CERT_FILE', { TLS_CERT_FILE: 'FOLDER/text', TLS_KEY_FILE: 'FOLDER/text' }],
  ['IDENTITY_ISSUERS', { IDENTITY_ISSUERS: 'FOLDER/none' }],
  ['PROFILE_PACKAGES', { PROFILE_PACKAGES: 'FOLDER/none' }],
  [
    'TERMINOLOGY_KEY_FILE',
    {
      TERMINOLOGY_URL: 'http://127.0.0.1:9',
      TERMINOLOGY_TOKEN_URL: 'http://127.0.0.1:9',
      TERMINOLOGY_CLIENT_ID: 'me',
      TERMINOLOGY_KEY_FILE: 'FOLDER/text',
    },
  ],
  ['PORT', { PORT: 'http' }],
])('what %s names and cannot be used stops the start with one line that says so', async (name, settings) => {
  const { code, text } = await start(settings);
  expect([code, text]).toEqual([1, expect.stringMatching(new RegExp(`^referral-server cannot start: .*\\b${name}\\b.+\\n$`))]);
});

it('a port in use stops the start with one line', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { readonly port: number };
  const { code, text } = await start({ PORT: String(port) });
  other.close();
  expect([code, text]).toEqual([1, expect.stringMatching(/^referral-server cannot start: HOST, PORT: .*EADDRINUSE.*\n$/)]);
});
