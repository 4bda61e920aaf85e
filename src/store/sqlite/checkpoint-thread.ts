import { parentPort, workerData } from 'node:worker_threads';
import { Connection } from './connection.js';

// Moves the write-ahead log into the database beside the writer, so that no commit waits for it.
const { path, everyMs, longLog } = workerData as { readonly path: string; readonly everyMs: number; readonly longLog: number };
/** how long a log that is to begin anew may keep the writer waiting, for the readers of the moment */
const patienceMs = 150;

const state = { connection: new Connection(path), tooLong: longLog };
state.connection.db.exec(`pragma busy_timeout = ${String(patienceMs)}`);

type Moved = { readonly busy: number; readonly log: number };
const checkpoint = (mode: 'passive' | 'restart'): Moved => state.connection.all(`pragma wal_checkpoint(${mode})`)[0] as unknown as Moved;

/**
 * While there is always a commit more than what was moved, the log goes on for ever: every read then looks for its pages in it, and every
 * sync makes the file longer. So when it is long, and moved but for the last moments, the writer waits once until it is moved whole. Where
 * readers stay in it for longer than that, as an export does, they are asked again only when it is twice as long.
 */
const moveLog = (): void => {
  if (checkpoint('passive').log < state.tooLong) return;
  checkpoint('passive');
  const { busy, log } = checkpoint('restart');
  state.tooLong = busy === 0 ? longLog : 2 * log;
};

const timer = setInterval(moveLog, everyMs);
parentPort?.once('message', () => {
  clearInterval(timer);
  state.connection.close();
  parentPort?.close();
});
