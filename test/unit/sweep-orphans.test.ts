import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { openFilesystemBlobs } from '../../src/blobs/filesystem.js';
import type { Blobs } from '../../src/blobs/port.js';
import { sweepOrphans } from '../../src/bulk/sweep-orphans.js';
import type { Store } from '../../src/store/port.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.js';
import { put } from '../builders/units.js';

const hour = 3_600_000;
let root: string;
let store: Store;
let blobs: Blobs;
beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'orphans-'));
  store = await openSqliteStore({ path: path.join(root, 'a.db'), integrity: true });
  blobs = await openFilesystemBlobs(path.join(root, 'documents'));
}, 60_000);
afterEach(async () => {
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

const fileOf = (name: string): string => path.join(root, 'documents', name.slice(0, 2), name);
const blob = async (name: string, hours: number): Promise<void> => {
  await blobs.write(name.replace('.part', ''), Readable.from([Buffer.from(name)]), 1000);
  if (name.endsWith('.part')) {
    writeFileSync(fileOf(name), 'half');
    await blobs.remove(name.replace('.part', ''));
  }
  const then = new Date(Date.now() - hours * hour);
  utimesSync(fileOf(name), then, then);
};
const left = async (): Promise<readonly string[]> => {
  const names: string[] = [];
  for await (const { name } of blobs.list()) names.push(name);
  return names.sort();
};
const sweep = () => sweepOrphans({ blobs, store, clock: Date.now });

it('what no record, no job and no write names is removed once it is old', async () => {
  await store.commit({
    puts: [put('Binary', 'kept-1'), put('Binary', 'kept-2')],
    entries: [
      { kind: 'job', key: 'j', version: 0, body: JSON.stringify({ checkpoint: { outputs: [{ blob: 'job-j-2-Patient-0' }] } }) },
      { kind: 'job-files', key: 'k', version: 0, body: JSON.stringify({ request: { body: 'deferred-k' } }) },
    ],
  });
  await store.commit({ puts: [put('Binary', 'kept-2', 1, { body: undefined })] });
  const kept = ['kept-1', 'kept-2', 'job-j-2-Patient-0', 'deferred-k'];
  const gone = ['lost-1', 'job-j-1-Patient-0', 'import-i', 'half-1.part'];
  for (const name of [...kept, ...gone]) await blob(name, 49);
  const fresh = ['fresh-1', 'job-f-1-Slot-0', 'half-2.part'];
  for (const name of fresh) await blob(name, 47);
  expect(await sweep()).toBe(gone.length);
  expect(await left()).toEqual([...kept, ...fresh].sort());
  expect(await sweep()).toBe(0);
});

it('documents of another database are left alone, and told of', async () => {
  await store.commit({ puts: Array.from({ length: 30 }, (_, n) => put('Binary', `kept-${String(n)}`)) });
  for (let n = 0; n < 30; n++) await blob(`kept-${String(n)}`, 100);
  for (let n = 0; n < 21; n++) await blob(`other-${String(n)}`, 100);
  await blob('job-x-1-Patient-0', 100);
  await expect(sweep()).rejects.toThrow('21 of 51 documents have no record');
  expect(await left()).toHaveLength(51);
  // the same number among many is what crashes leave
  await blobs.remove('other-0');
  expect(await sweep()).toBe(20);
});
