import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs';
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
const begun = (): number => {
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
  const before = begun();
  // on a machine that is busy with other things it takes its time
  for (let left = 600; left > 0 && begun() < before + 3; left--) await setTimeout(50);
  const times = begun() - before;
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
