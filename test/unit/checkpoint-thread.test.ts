import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Connection } from '../../src/store/sqlite/connection.js';
import { threadFile } from '../../src/store/sqlite/unit-writer.js';

const folder = mkdtempSync(path.join(tmpdir(), 'log-'));
const file = path.join(folder, 'a.db');
const first = new Connection(file);
first.db.exec('pragma wal_autocheckpoint = 0; create table t (n integer, body text)');

const pause = 'const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);';
const opening = `
  const { workerData, parentPort } = require('node:worker_threads');
  const { DatabaseSync } = require('@photostructure/sqlite');
  const open = () => new DatabaseSync(workerData);
  let timer;
  const again = (work) => { timer = setImmediate(work); };
  const until = (end) => parentPort.once('message', () => { clearImmediate(timer); end(); parentPort.close(); });
`;
/** Short reads that overlap, as those of a busy server do: at every moment somebody is in the log. */
const reading = `${opening}${pause}
  const begin = (db) => { db.exec('begin'); db.prepare('select count(*) from t').get(); return db; };
  const readers = [open(), open()];
  let [now, next] = readers;
  begin(now);
  const read = () => { pause(5); begin(next); pause(5); now.exec('commit'); [now, next] = [next, now]; again(read); };
  again(read);
  until(() => { for (const db of readers) db.close(); });
`;
/** Commits at a pace that leaves the others some of the machine: what was moved is hardly ever all. */
const writing = `${opening}${pause}
  const db = open();
  db.exec('pragma wal_autocheckpoint = 0; pragma synchronous = off; pragma busy_timeout = 5000');
  const insert = db.prepare('insert into t (n, body) values (1, ?)');
  const body = 'x'.repeat(20000);
  const write = () => { for (let left = 5; left > 0; left--) insert.run(body); pause(5); again(write); };
  again(write);
  until(() => db.close());
`;
const threads = [
  new Worker(threadFile('checkpoint-thread'), { workerData: { path: file, everyMs: 20, longLog: 50 } }),
  ...[reading, writing].map((text) => new Worker(text, { eval: true, workerData: file })),
];
afterAll(async () => {
  for (const thread of threads) {
    const ended = new Promise((resolve) => thread.once('exit', resolve));
    thread.postMessage('close');
    await ended;
  }
  first.close();
  rmSync(folder, { recursive: true });
});

/** How often the log began anew: the number in its header (sqlite.org/walformat, offset 12). */
const begun = (): number => {
  const log = openSync(`${file}-wal`, 'r');
  const header = Buffer.alloc(16);
  readSync(log, header, 0, 16, 0);
  closeSync(log);
  return header.readUInt32BE(12);
};

it('the log begins anew while there is always a reader in it and a write that follows', async () => {
  const before = begun();
  for (let left = 800; left > 0 && begun() === before; left--) await setTimeout(50);
  expect(begun()).toBeGreaterThan(before);
  // on a machine that is busy with other things it takes its time
}, 60_000);
