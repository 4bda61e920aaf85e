import { parentPort, workerData } from 'node:worker_threads';
import { Connection } from './connection.js';

// Moves the write-ahead log into the database beside the writer, so that no commit waits for it.
const { path, everyMs } = workerData as { readonly path: string; readonly everyMs: number };
const state = { connection: new Connection(path) };
const timer = setInterval(() => {
  state.connection.all('pragma wal_checkpoint(passive)');
}, everyMs);
parentPort?.once('message', () => {
  clearInterval(timer);
  state.connection.close();
  parentPort?.close();
});
