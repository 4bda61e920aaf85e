import { parentPort, workerData } from 'node:worker_threads';
import { Connection } from './connection.js';

// Moves the write-ahead log into the database beside the writer, so that no commit waits for it.
const { path, everyMs, longLog } = workerData as { readonly path: string; readonly everyMs: number; readonly longLog: number };

const state = { connection: new Connection(path), length: 0, tooLong: longLog };

/** Moves what no reader needs in the log any more; the log's length in pages. */
const move = (): number => state.connection.all('pragma wal_checkpoint(passive)')[0]?.['log'] as number;

/**
 * While there is always a commit more than what was moved, the log goes on for ever and fills the disk. So when it is long, and moved but
 * for the last moments, the writer is asked to begin it anew. Where readers stay in it, as an export does, it is asked again only when
 * the log is twice as long.
 */
const moveLog = (): void => {
  const length = move();
  if (length < state.length) state.tooLong = longLog;
  state.length = length;
  if (length < state.tooLong) return;
  state.tooLong = 2 * move();
  parentPort?.postMessage('long');
};

// a disk that is full or fails ends no thread: what the log holds is as safe there, the next commit tells of the disk, and it is tried again
const tryMoving = (): void => {
  try {
    moveLog();
  } catch {
    // in a moment
  }
};

const timer = setInterval(tryMoving, everyMs);
parentPort?.once('message', () => {
  clearInterval(timer);
  state.connection.close();
  parentPort?.close();
});
