import { parentPort, workerData } from 'node:worker_threads';
import { Connection } from './connection.js';
import type { Answer, Question } from './reader-pool.js';
import { SqliteReader } from './reader.js';
import { readBy } from '../reads.js';

// Searches that may look at many rows run here, where they hold up nobody; the engine has no interrupt of its own, so each row
// that is tested asks whether the time is over.
const { path, milliseconds } = workerData as { readonly path: string; readonly milliseconds: number };
const port = parentPort;
if (!port) throw new Error('a reader runs as a worker thread');

class OutOfTime extends Error {}
const state = { connection: new Connection(path), until: 0, asked: 0 };
state.connection.db.function('checkpoint', () => {
  // the clock is looked at every so many rows: it costs more than the test
  if ((++state.asked & 255) === 0 && performance.now() > state.until) throw new OutOfTime('out of time');
  return 0;
});
const reader = new SqliteReader(state.connection, true);

const resultOf = ({ name, words }: Question): unknown => {
  if (name === 'begin') return void state.connection.run('begin');
  if (name === 'end') return void state.connection.run('commit');
  return readBy(reader, name, words);
};

port.on('message', (question: Question | 'close') => {
  if (question === 'close') {
    state.connection.close();
    port.close();
    return;
  }
  state.until = performance.now() + milliseconds;
  try {
    port.postMessage({ value: resultOf(question) } satisfies Answer);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    port.postMessage({ failed: { outOfTime: text.includes('out of time'), position: error instanceof RangeError, text } } satisfies Answer);
  }
});
