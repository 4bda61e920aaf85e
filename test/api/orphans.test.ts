/**
 * kill -9 between the bytes of a document, or of an export's file, and the commit that names them: the bytes that nothing names go when they
 * are old, and those that something names stay.
 */
import { DatabaseSync } from '@photostructure/sqlite';
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fetchToken } from '../../src/auth/client-token.js';
import { sweepOrphans } from '../../src/bulk/sweep-orphans.js';
import { startServer, type Running } from '../helpers/running-server.js';
import { spawnServer, type Spawned } from '../helpers/spawned-server.js';

jest.setTimeout(240_000);

const embedded = process.env['MSSQL_URL'] === undefined ? it : it.skip;
const dataDir = mkdtempSync(path.join(tmpdir(), 'orphans-'));
const documents = path.join(dataDir, 'documents');
afterAll(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

const filesNow = (): readonly string[] =>
  existsSync(documents) ? readdirSync(documents, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes(path.sep)) : [];
const until = async <T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> => {
  for (let tries = 0; tries < 6000; tries++) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${what} never came`);
};
/** Ages every file beyond what a request or a job may still be about to name. */
const age = (): void => {
  const then = new Date(Date.now() - 49 * 3_600_000);
  for (const name of filesNow()) utimesSync(path.join(documents, name), then, then);
};

/** No commit of the server comes through while it is held. */
const holdCommits = () => {
  const db = new DatabaseSync(path.join(dataDir, 'referrals.db'), { timeout: 5000 });
  db.exec('begin immediate');
  return () => {
    db.exec('rollback');
    db.close();
  };
};

const asking = async (server: Spawned) => {
  const tokenUrl = `${server.baseUrl}/oauth2/token`;
  const token = await fetchToken({ clientId: 'demo-system', keyFile: `${dataDir}/clients/demo-system.jwk.json`, tokenUrl });
  return (method: string, url: string, headers: Record<string, string> = {}, body?: string) =>
    fetch(`${server.baseUrl}/FHIR/R4/${url}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
      ...(body === undefined ? {} : { body }),
    });
};
const pdf = { 'content-type': 'application/pdf' };
const bytes = (text: string): string => `%PDF-1.4 ${text}`;

embedded('what a crash left is removed, and what is named is not', async () => {
  const first = await spawnServer({ DATA_DIR: dataDir });
  const ask = await asking(first);
  const { headers } = await ask('POST', 'Binary', pdf, bytes('kept'));
  expect(headers.get('location')).toContain('/Binary/');
  const kept = /Binary\/[^/]+/.exec(headers.get('location') ?? '')?.[0] ?? '';

  // an upload whose bytes are whole, and whose record is not committed
  const before = new Set(filesNow());
  const releaseUpload = holdCommits();
  const lost = ask('POST', 'Binary', pdf, bytes('lost')).catch(() => undefined);
  const orphan = await until('the file of the upload', () => filesNow().find((name) => !before.has(name) && !name.endsWith('.part')));
  await first.stop('SIGKILL');
  releaseUpload();
  expect(await lost).toBeUndefined();

  // an export of which a file is whole, and the job does not know it
  const second = await spawnServer({ DATA_DIR: dataDir });
  const askAgain = await asking(second);
  const kickOff = await askAgain('GET', '$export', { prefer: 'respond-async', accept: 'application/fhir+json' });
  const polling = new URL(kickOff.headers.get('content-location') ?? '').pathname;
  const isFile = (name: string): boolean => path.basename(name).startsWith('job-') && !name.endsWith('.part');
  await until('the first file of the export', () => filesNow().find(isFile));
  const releaseExport = holdCommits();
  const committed = filesNow().filter(isFile).length;
  // it may write one more file before it waits for its commit
  await new Promise((resolve) => setTimeout(resolve, 500));
  await second.stop('SIGKILL');
  releaseExport();
  const left = filesNow().filter((name) => path.basename(name).startsWith('job-'));
  expect(left.length).toBeGreaterThanOrEqual(committed);

  const server: Running = await startServer({ DATA_DIR: dataDir });
  try {
    // its lease runs out, and another process does the rest
    const done = await until('the end of the export', async () => {
      const answer = await server.as('system', 'GET', polling);
      return answer.status === 200 ? answer : undefined;
    });
    const outputs = done.json['output'] as readonly { readonly url: string; readonly count: number }[];
    age();
    const house = await server.house();
    expect(await sweepOrphans(house)).toBeGreaterThan(0);
    expect(filesNow()).not.toContain(orphan);
    expect(filesNow().filter((name) => name.endsWith('.part'))).toEqual([]);
    // all that the manifest names is whole
    for (const { url, count } of outputs) {
      const { status, text } = await server.as('system', 'GET', new URL(url).pathname);
      expect([status, text.trimEnd().split('\n').length]).toEqual([200, count]);
    }
    // and nothing else of the job is there
    expect(filesNow().filter(isFile)).toHaveLength(outputs.length);
    expect((await server.as('system', 'GET', kept, undefined, { accept: 'application/pdf' })).text).toBe(bytes('kept'));
    const { json } = await server.as('system', 'GET', 'DocumentReference?_count=20');
    const urls = ((json['entry'] ?? []) as readonly { resource: { content: readonly { attachment: { url: string } }[] } }[]).map(
      ({ resource }) => resource.content[0]?.attachment.url ?? '',
    );
    expect(urls.length).toBeGreaterThan(0);
    for (const url of urls) expect((await server.as('system', 'GET', url)).status).toBe(200);
    expect(await sweepOrphans(house)).toBe(0);
  } finally {
    await server.stop();
  }
});
