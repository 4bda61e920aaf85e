import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { Connection } from '../../src/store/sqlite/connection.js';
import { threadFile } from '../../src/store/sqlite/unit-writer.js';

const folder = mkdtempSync(path.join(tmpdir(), 'log-'));
const file = path.join(folder, 'a.db');
const writer = new Connection(file);
writer.db.exec('pragma wal_autocheckpoint = 0; create table t (n integer, body text)');

/** Short reads that overlap, as those of a busy server do: at every moment somebody is in the log. */
const reading = `
  const { workerData, parentPort } = require('node:worker_threads');
  const { DatabaseSync } = require('@photostructure/sqlite');
  const pause = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  const open = () => new DatabaseSync(workerData);
  const begin = (db) => { db.exec('begin'); db.prepare('select count(*) from t').get(); return db; };
  const readers = [open(), open()];
  let [now, next] = readers;
  begin(now);
  const read = () => {
    pause();
    begin(next);
    pause();
    now.exec('commit');
    [now, next] = [next, now];
    timer = setImmediate(read);
  };
  let timer = setImmediate(read);
  parentPort.once('message', () => { clearImmediate(timer); for (const db of readers) db.close(); parentPort.close(); });
`;
const threads = [
  new Worker(threadFile('checkpoint-thread'), { workerData: { path: file, everyMs: 20, longLog: 50 } }),
  new Worker(reading, { eval: true, workerData: file }),
];
afterAll(async () => {
  for (const thread of threads) {
    const ended = new Promise((resolve) => thread.once('exit', resolve));
    thread.postMessage('close');
    await ended;
  }
  writer.close();
  rmSync(folder, { recursive: true });
});

/** How often the log began anew: the number in its header (sqlite.org/walformat, offset 12). */
const begun = (): number => readFileSync(`${file}-wal`).readUInt32BE(12);
const write = (): number => writer.run('insert into t (n, body) values (1, ?)', 'x'.repeat(20_000));

it('the log begins anew while there is always a reader in it and a write that follows', () => {
  let written = write();
  const first = begun();
  while (begun() < first + 3 && written < 3000) written += write();
  expect(begun()).toBeGreaterThanOrEqual(first + 3);
  expect(writer.get('select count(*) as n from t')).toEqual({ n: written });
}, 60_000);
