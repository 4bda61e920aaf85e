import { Worker } from 'node:worker_threads';
import { TooCostly, Unavailable, type Page, type SearchPlan, type Sight, type Stored } from '../port.js';
import type { ReadName } from '../reads.js';

/** A read by its name, or the beginning and end of reads that see one state. */
export type Question = { readonly name: ReadName | 'begin' | 'end'; readonly words: readonly unknown[] };
export type Answer = {
  readonly value?: unknown;
  readonly failed?: { readonly outOfTime: boolean; readonly position: boolean; readonly text: string };
};

type Thread = {
  readonly worker: Worker;
  waiting: { readonly done: (value: unknown) => void; readonly failed: (error: Error) => void } | undefined;
  lost: boolean;
};
type Turn = { readonly take: (thread: Thread) => void; readonly failed: (error: Error) => void };
type Ask = (name: ReadName, words: readonly unknown[]) => Promise<unknown>;

/** Threads that answer searches of unknown size, one at a time each; they are started when the first one comes. */
export class ReaderPool {
  private readonly threads = new Set<Thread>();
  private readonly idle: Thread[] = [];
  private readonly queue: Turn[] = [];
  private closed = false;

  constructor(
    private readonly options: { readonly file: URL; readonly path: string; readonly size: number; readonly milliseconds: number },
  ) {}

  search = (plan: SearchPlan, sight: Sight) => this.once('search', [plan, sight]) as Promise<Page>;
  count = (plan: SearchPlan, sight: Sight, limit: number) => this.once('count', [plan, sight, limit]) as Promise<number>;
  labelled = (type: string, limit: number) => this.once('labelled', [type, limit]) as Promise<readonly Stored[]>;

  private once(name: ReadName, words: readonly unknown[]): Promise<unknown> {
    return this.with((thread) => ask(thread, { name, words }));
  }

  /** A thread for several reads of one committed state. */
  alone<T>(task: (ask: Ask) => Promise<T>): Promise<T> {
    return this.with(async (thread) => {
      await ask(thread, { name: 'begin', words: [] });
      // one after the other, as the engine answers them
      const state = { last: Promise.resolve() as Promise<unknown> };
      const next: Ask = (name, words) => {
        const answer = state.last.then(() => ask(thread, { name, words }));
        state.last = answer.catch(() => undefined);
        return answer;
      };
      try {
        return await task(next);
      } finally {
        await state.last;
        if (!thread.lost) await ask(thread, { name: 'end', words: [] });
      }
    });
  }

  private async with<T>(task: (thread: Thread) => Promise<T>): Promise<T> {
    const thread = await this.take();
    try {
      return await task(thread);
    } finally {
      this.give(thread);
    }
  }

  private take(): Promise<Thread> {
    if (this.closed) return Promise.reject(new Unavailable('the store is closed'));
    const thread = this.idle.pop() ?? (this.threads.size < this.options.size ? this.start() : undefined);
    if (thread) return Promise.resolve(thread);
    return new Promise((take, failed) => {
      this.queue.push({ take, failed });
    });
  }

  private give(thread: Thread): void {
    const next = this.queue.shift();
    if (!next) {
      if (!thread.lost) this.idle.push(thread);
    } else next.take(thread.lost ? this.start() : thread);
  }

  private start(): Thread {
    const { file, path, milliseconds } = this.options;
    const thread: Thread = { worker: new Worker(file, { workerData: { path, milliseconds } }), waiting: undefined, lost: false };
    thread.worker.on('message', (answer: Answer) => {
      settle(thread, answer);
    });
    thread.worker.on('error', (error) => {
      this.lose(thread, error instanceof Error ? error.message : String(error));
    });
    // an idle reader keeps no process alive
    thread.worker.unref();
    this.threads.add(thread);
    return thread;
  }

  private lose(thread: Thread, reason: string): void {
    thread.lost = true;
    this.threads.delete(thread);
    if (this.idle.includes(thread)) this.idle.splice(this.idle.indexOf(thread), 1);
    thread.waiting?.failed(new Unavailable(reason));
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const { failed } of this.queue.splice(0)) failed(new Unavailable('the store is closed'));
    await Promise.all(
      [...this.threads].map(
        ({ worker }) =>
          new Promise<void>((resolve) => {
            worker.ref();
            worker.once('exit', () => {
              resolve();
            });
            worker.postMessage('close');
          }),
      ),
    );
  }
}

const ask = (thread: Thread, question: Question): Promise<unknown> => {
  if (thread.lost) return Promise.reject(new Unavailable('the reader ended'));
  return new Promise((done, failed) => {
    thread.waiting = { done, failed };
    thread.worker.postMessage(question);
  });
};

const settle = (thread: Thread, { value, failed }: Answer): void => {
  const { waiting } = thread;
  thread.waiting = undefined;
  if (failed?.outOfTime) waiting?.failed(new TooCostly('the search took too long'));
  else if (failed?.position) waiting?.failed(new RangeError(failed.text));
  else if (failed) waiting?.failed(new Unavailable(failed.text));
  else waiting?.done(value);
};
