import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Connection } from '../../src/store/sqlite/connection.js';
import { startWriterThread, type UnitWriter } from '../../src/store/sqlite/unit-writer.js';

const folder = mkdtempSync(path.join(tmpdir(), 'log-'));
const file = path.join(folder, 'a.db');
const log = `${file}-wal`;

/** Short reads that overlap, as those of a busy server do: at every moment somebody is in the log. */
const reading = `
  const { workerData, parentPort } = require('node:worker_threads');
  const { DatabaseSync } = require('@photostructure/sqlite');
  const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  const begin = (db) => { db.exec('begin'); db.prepare('select count(*) from entry').get(); return db; };
  let [now, next] = [new DatabaseSync(workerData), new DatabaseSync(workerData)];
  begin(now);
  const read = () => { pause(5); begin(next); pause(5); now.exec('commit'); [now, next] = [next, now]; timer = setImmediate(read); };
  let timer = setImmediate(read);
  parentPort.once('message', () => { clearImmediate(timer); now.exec('commit'); parentPort.close(); });
`;

let writer: UnitWriter;
beforeAll(async () => {
  writer = await startWriterThread({ path: file, integrity: true, moving: { everyMs: 20, longLog: 50 } });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** How often the log began anew: the number in its header (sqlite.org/walformat, offset 12). */
const begun = (log: string): number => {
  const descriptor = openSync(log, 'r');
  const header = Buffer.alloc(16);
  readSync(descriptor, header, 0, 16, 0);
  closeSync(descriptor);
  return header.readUInt32BE(12);
};

it('the log begins anew while there is always a reader in it and a write that follows, and ends with the writer', async () => {
  const reader = new Worker(reading, { eval: true, workerData: file });
  const state = { number: 0, ended: false };
  const body = 'x'.repeat(20_000);
  const writing = Array.from({ length: 8 }, async () => {
    while (!state.ended) await writer.commit({ entries: [{ kind: 'outcome', key: String(++state.number), version: 0, body }] });
  });
  const before = begun(log);
  // on a machine that is busy with other things it takes its time
  for (let left = 600; left > 0 && begun(log) < before + 3; left--) await setTimeout(50);
  const times = begun(log) - before;
  state.ended = true;
  await Promise.all(writing);
  const ended = new Promise((resolve) => reader.once('exit', resolve));
  reader.postMessage('close');
  await ended;
  const length = statSync(log).size;
  // as the store has one, which the driver keeps open until its statements are collected
  const connection = new Connection(file);
  connection.get('select count(*) from entry');
  await writer.close();
  connection.close();
  expect(times).toBeGreaterThanOrEqual(3);
  expect(length).toBeGreaterThan(0);
  expect(statSync(log).size).toBe(0);
}, 60_000);

it('a log that cannot be read when it is to be moved ends no process: the next commit tells of the disk', async () => {
  const [ofFailing, everyMs] = [path.join(folder, 'failing.db'), 300];
  const failing = await startWriterThread({ path: ofFailing, integrity: true, moving: { everyMs, longLog: 5 } });
  let key = 0;
  const write = () => failing.commit({ entries: [{ kind: 'outcome', key: String(++key), version: 0, body: 'x'.repeat(20_000) }] });
  await write();
  const before = begun(`${ofFailing}-wal`);
  // the thread that moves it is there, and has just done so
  for (let left = 600; left > 0 && begun(`${ofFailing}-wal`) === before; left--) {
    await write();
    await setTimeout(10);
  }
  for (let left = 20; left > 0; left--) await write();
  // what the engine has in memory says that there are pages here
  truncateSync(`${ofFailing}-wal`, 0);
  await setTimeout(3 * everyMs);
  const broken = failing.broken();
  const told = await write().then(
    () => 'written',
    (error: unknown) => (error as Error).name,
  );
  await failing.close();
  expect(broken).toBeUndefined();
  expect(['written', 'Unavailable']).toContain(told);
}, 60_000);
