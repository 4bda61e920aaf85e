import { Worker } from 'node:worker_threads';
import { Unavailable, type Unit } from '../port.js';
import type { FromWriter, ToWriter } from './messages.js';
import { errorOf } from './refusals.js';

/** Who writes the units of a process: a thread of its own, or the one of the process that started it. */
export type UnitWriter = {
  /** Resolves when durable. Throws the port's errors. */
  readonly commit: (unit: Unit) => Promise<void>;
  /** why nothing can be written any more, if so */
  readonly broken: () => Error | undefined;
  readonly close: () => Promise<void>;
};

type Waiting = { readonly done: () => void; readonly failed: (error: Error) => void };

/** The units that were sent and not answered yet. */
export class Unanswered {
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;
  private reason: Error | undefined;

  broken(): Error | undefined {
    return this.reason;
  }

  send(post: (id: number) => void): Promise<void> {
    if (this.reason) return Promise.reject(new Unavailable(this.reason.message));
    return new Promise((done, failed) => {
      const id = ++this.lastId;
      this.waiting.set(id, { done, failed });
      post(id);
    });
  }

  settle({ id, refusal }: FromWriter): void {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (refusal) waiting?.failed(errorOf(refusal));
    else waiting?.done();
  }

  break(error: Error): void {
    this.reason ??= error;
    for (const { failed } of this.waiting.values()) failed(new Unavailable(error.message));
    this.waiting.clear();
  }
}

/** Threads run compiled code: from `src` (tests) and from `dist` alike this is the file in `dist`. */
export const threadFile = (name: string): URL => new URL(`../../../dist/store/sqlite/${name}.js`, import.meta.url);

/** How often the log is moved into the database (ms), and how long one is worth a moment of waiting to begin anew (pages). */
type Moving = { readonly everyMs: number; readonly longLog: number };
/** 128 MB */
const usually: Moving = { everyMs: 1000, longLog: 16_384 };

const ended = (worker: Worker): Promise<void> =>
  new Promise((resolve) =>
    worker.once('exit', () => {
      resolve();
    }),
  );

/** Starts the writer thread and the checkpointer beside it; resolves when the schema is current. */
export const startWriterThread = async (options: {
  readonly path: string;
  readonly integrity: boolean;
  readonly moving?: Moving;
}): Promise<UnitWriter> => {
  const { path, integrity, moving = usually } = options;
  const writer = new Worker(threadFile('writer-thread'), { workerData: { path, integrity } });
  await new Promise<void>((resolve, reject) => {
    writer.once('message', () => {
      resolve();
    });
    writer.once('error', reject);
  });
  const checkpointer = new Worker(threadFile('checkpoint-thread'), { workerData: { path, ...moving } });
  checkpointer.on('message', () => {
    writer.postMessage({ kind: 'restart-log' } satisfies ToWriter);
  });
  const [written, moved] = [ended(writer), ended(checkpointer)];
  const unanswered = new Unanswered();
  const broken = (error: unknown): void => {
    unanswered.break(error instanceof Error ? error : new Error(String(error)));
  };
  writer.on('message', (answers: readonly FromWriter[]) => {
    for (const answer of answers) unanswered.settle(answer);
  });
  writer.on('error', broken);
  // nobody would move the log any more
  checkpointer.on('error', broken);
  writer.on('exit', () => {
    unanswered.break(new Error('the writer has stopped'));
  });
  return {
    commit: (unit) =>
      unanswered.send((id) => {
        writer.postMessage({ kind: 'commit', id, unit } satisfies ToWriter);
      }),
    broken: () => unanswered.broken(),
    close: async () => {
      // the writer moves the rest of the log itself, which one thread can do at a time
      checkpointer.postMessage('close');
      await moved;
      writer.postMessage({ kind: 'close' } satisfies ToWriter);
      await written;
      unanswered.break(new Error('the store is closed'));
    },
  };
};
