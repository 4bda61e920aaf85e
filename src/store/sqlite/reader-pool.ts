import { Worker } from 'node:worker_threads';
import { TooCostly, Unavailable, type Page, type SearchPlan, type Sight, type Stored } from '../port.js';

/** `limit` asks for a count, without it a page is asked for; `labelled` for the rows with the labels of a type. */
export type Question = { readonly id: number } & (
  { readonly plan: SearchPlan; readonly sight: Sight; readonly limit?: number } | { readonly labelled: string; readonly limit: number }
);
type Asked = Question extends infer Each ? (Each extends unknown ? Omit<Each, 'id'> : never) : never;
export type Answer = {
  readonly id: number;
  readonly page?: Page;
  readonly count?: number;
  readonly rows?: readonly Stored[];
  readonly failed?: { readonly outOfTime: boolean; readonly position: boolean; readonly text: string };
};

type Waiting = { readonly question: Question; readonly done: (answer: Answer) => void; readonly failed: (error: Error) => void };
type Thread = { readonly worker: Worker; current: Waiting | undefined };

/** Threads that answer searches of unknown size, one at a time each; they are started when the first one comes. */
export class ReaderPool {
  private readonly threads: Thread[] = [];
  private readonly queue: Waiting[] = [];
  private closed = false;
  private lastId = 0;

  constructor(
    private readonly options: { readonly file: URL; readonly path: string; readonly size: number; readonly milliseconds: number },
  ) {}

  async search(plan: SearchPlan, sight: Sight): Promise<Page> {
    const { page } = await this.ask({ plan, sight });
    if (!page) throw new Unavailable('a page was asked for');
    return page;
  }

  async count(plan: SearchPlan, sight: Sight, limit: number): Promise<number> {
    return (await this.ask({ plan, sight, limit })).count ?? 0;
  }

  async labelled(type: string, limit: number): Promise<readonly Stored[]> {
    return (await this.ask({ labelled: type, limit })).rows ?? [];
  }

  private ask(question: Asked): Promise<Answer> {
    if (this.closed) return Promise.reject(new Unavailable('the store is closed'));
    return new Promise((done, failed) => {
      this.queue.push({ question: { id: ++this.lastId, ...question }, done, failed });
      this.next();
    });
  }

  private next(): void {
    const idle = this.threads.find(({ current }) => current === undefined) ?? this.start();
    const waiting = idle && this.queue.shift();
    if (!idle || !waiting) return;
    idle.current = waiting;
    idle.worker.postMessage(waiting.question);
  }

  private start(): Thread | undefined {
    if (this.threads.length >= this.options.size || this.queue.length === 0) return undefined;
    const { file, path, milliseconds } = this.options;
    const thread: Thread = { worker: new Worker(file, { workerData: { path, milliseconds } }), current: undefined };
    thread.worker.on('message', (answer: Answer) => {
      this.settle(thread, answer);
    });
    thread.worker.on('error', (error) => {
      this.lose(thread, error instanceof Error ? error.message : String(error));
    });
    // an idle reader keeps no process alive
    thread.worker.unref();
    this.threads.push(thread);
    return thread;
  }

  private settle(thread: Thread, answer: Answer): void {
    const waiting = thread.current;
    thread.current = undefined;
    if (answer.failed?.outOfTime) waiting?.failed(new TooCostly('the search took too long'));
    else if (answer.failed?.position) waiting?.failed(new RangeError(answer.failed.text));
    else if (answer.failed) waiting?.failed(new Unavailable(answer.failed.text));
    else waiting?.done(answer);
    this.next();
  }

  private lose(thread: Thread, reason: string): void {
    this.threads.splice(this.threads.indexOf(thread), 1);
    thread.current?.failed(new Unavailable(reason));
    this.next();
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const { failed } of this.queue.splice(0)) failed(new Unavailable('the store is closed'));
    await Promise.all(
      this.threads.map(
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
