import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { blankStore } from '../../src/loading/blank-store.js';
import { unpacked } from '../../src/loading/packed.js';
import type { FromMaker, MakerStart, PartKind, ToMaker } from '../../src/loading/scale-messages.js';

const dataDir = mkdtempSync(path.join(tmpdir(), 'maker-'));
afterAll(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

/** What a maker of a scale's data sends of a few records of one part. */
const made = (part: PartKind): Promise<readonly string[]> =>
  new Promise((resolve, reject) => {
    const workerData: MakerStart = { seed: 1, scale: 'region', since: '2026-11-02', timeZone: 'Europe/London', dataDir };
    const worker = new Worker(new URL('../../dist/loading/scale-thread.js', import.meta.url), { workerData });
    const types: string[] = [];
    worker.on('error', reject);
    worker.on('message', (message: FromMaker) => {
      if (message.kind === 'ready') worker.postMessage({ kind: 'part', part, from: 0, until: 3 } satisfies ToMaker);
      else if (message.kind === 'batch') types.push(...unpacked(message.items).map(({ put }) => put.type));
      else
        void worker.terminate().then(() => {
          resolve(types);
        });
    });
  });

it("a maker of a scale's data validates, seals and lists what it makes", async () => {
  expect(new Set(await made('patients'))).toEqual(new Set(['Patient']));
  expect(await made('referrals')).toContain('ServiceRequest');
}, 60_000);

it('a store to seal over has nothing, remembers entries, and takes no resources', async () => {
  const store = blankStore();
  expect(await store.find({ type: 'Patient', id: '1' }, 'all')).toBeUndefined();
  expect(await store.listEntries('client')).toEqual([]);
  await store.commit({ entries: [{ kind: 'cursor-key', key: 'cursor', version: 0, body: '"k"' }] });
  expect(await store.findEntry('cursor-key', 'cursor')).toMatchObject({ version: 1, body: '"k"' });
  const put = { type: 'Patient', id: '1', version: 0, lastUpdated: 0, body: '{}', values: [], accessKeys: [], accessLinks: [] };
  await expect(store.commit({ puts: [put] })).rejects.toThrow('takes no resources');
});
