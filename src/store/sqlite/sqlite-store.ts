import { Worker } from 'node:worker_threads';
import {
  Matched,
  Referenced,
  Stale,
  Taken,
  Unavailable,
  Unresolved,
  type Entry,
  type Store,
  type Unit,
  type Key,
  type Sight,
  type SearchPlan,
  type HistoryScope,
  type Window,
  type ClaimKind,
  type Reader,
} from '../port.js';
import { isBounded } from '../queries/ranks.js';
import { Connection } from './connection.js';
import { ReaderPool } from './reader-pool.js';
import { SqliteReader } from './reader.js';
import type { FromWriter, Refusal, ToWriter } from './messages.js';

const errorOf = (refusal: Refusal): Error => {
  switch (refusal.name) {
    case 'Stale':
      return new Stale(refusal.at);
    case 'Taken':
      return new Taken(refusal.claim);
    case 'Unresolved':
      return new Unresolved(refusal.target);
    case 'Referenced':
      return new Referenced(refusal.at, refusal.by);
    case 'Matched':
      return new Matched();
    case 'Unavailable':
      return new Unavailable(refusal.reason);
  }
};

// threads run compiled code: from `src` (tests) and from `dist` alike this is the file in `dist`
const threadFile = (name: string): URL => new URL(`../../../dist/store/sqlite/${name}.js`, import.meta.url);

/** What a search of unknown size may take. */
const searchMilliseconds = 10_000;
/** A count up to here is quick even when every row of an index must be passed. */
const mostCounted = 2000;

type Waiting = { readonly done: () => void; readonly failed: (error: Error) => void };

class SqliteStore implements Store {
  private readonly waiting = new Map<number, Waiting>();
  private readonly connection: Connection;
  private readonly reader: SqliteReader;
  private readonly pool: ReaderPool;
  private lastId = 0;
  private broken: Error | undefined;

  constructor(
    path: string,
    private readonly writer: Worker,
    private readonly checkpointer: Worker,
  ) {
    this.connection = new Connection(path);
    this.reader = new SqliteReader(this.connection);
    this.pool = new ReaderPool({ file: threadFile('reader-thread'), path, size: 2, milliseconds: searchMilliseconds });
    writer.on('message', (answers: readonly FromWriter[]) => {
      for (const answer of answers) this.settle(answer);
    });
    writer.on('error', (error) => {
      this.breakAll(error instanceof Error ? error : new Error(String(error)));
    });
    writer.on('exit', () => {
      this.breakAll(new Error('the writer has stopped'));
    });
  }

  private settle(answer: FromWriter): void {
    const waiting = this.waiting.get(answer.id);
    this.waiting.delete(answer.id);
    if (answer.refusal) waiting?.failed(errorOf(answer.refusal));
    else waiting?.done();
  }

  private breakAll(error: Error): void {
    this.broken ??= error;
    for (const { failed } of this.waiting.values()) failed(new Unavailable(error.message));
    this.waiting.clear();
  }

  commit(unit: Unit): Promise<void> {
    if (this.broken) return Promise.reject(new Unavailable(this.broken.message));
    return new Promise((done, failed) => {
      const id = ++this.lastId;
      this.waiting.set(id, { done, failed });
      this.writer.postMessage({ kind: 'commit', id, unit } satisfies ToWriter);
    });
  }

  // short reads run on the calling thread, searches of unknown size on others: all see every acknowledged write
  find = (key: Key, sight: Sight) => Promise.resolve(this.reader.find(key, sight));
  findVersion = (key: Key, version: number, sight: Sight) => Promise.resolve(this.reader.findVersion(key, version, sight));
  findMany = (keys: readonly Key[], sight: Sight) => Promise.resolve(this.reader.findMany(keys, sight));
  search = async (plan: SearchPlan, sight: Sight) =>
    isBounded(plan, sight) ? this.reader.search(plan, sight) : await this.pool.search(plan, sight);
  count = async (plan: SearchPlan, sight: Sight, limit: number) =>
    isBounded(plan, sight) && limit <= mostCounted ? this.reader.count(plan, sight, limit) : await this.pool.count(plan, sight, limit);
  // eslint-disable-next-line @typescript-eslint/require-await
  history = async (scope: HistoryScope, window: Window, sight: Sight) => this.reader.history(scope, window, sight);
  referrers = (target: Key, sight: Sight, limit: number, of?: { readonly type: string; readonly param: string }) =>
    Promise.resolve(this.reader.referrers(target, sight, limit, of));
  at = (): Reader => this;
  findClaim = (kind: ClaimKind, key: string) => Promise.resolve(this.reader.findClaim(kind, key));
  findEntry = (kind: Entry['kind'], key: string) => Promise.resolve(this.reader.findEntry(kind, key));
  listEntries = (kind: Entry['kind']) => Promise.resolve(this.reader.listEntries(kind));
  auditChains = () => Promise.resolve(this.reader.auditChains());
  auditLinks = (chain: string, after: number, limit: number) => Promise.resolve(this.reader.auditLinks(chain, after, limit));

  check(): Promise<void> {
    if (this.broken) return Promise.reject(new Unavailable(this.broken.message));
    this.connection.get('select 1');
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.broken ??= new Error('the store is closed');
    const ended = (worker: Worker) =>
      new Promise<void>((resolve) =>
        worker.once('exit', () => {
          resolve();
        }),
      );
    const both = Promise.all([ended(this.writer), ended(this.checkpointer)]);
    this.writer.postMessage({ kind: 'close' } satisfies ToWriter);
    this.checkpointer.postMessage('close');
    await Promise.all([both, this.pool.close()]);
    this.connection.close();
  }
}

/**
 * Opens (and makes, and migrates) the embedded store at `path`.
 * `integrity` false lets references point at resources that are not there (REFERENTIAL_INTEGRITY=off).
 */
export const openSqliteStore = async (options: { readonly path: string; readonly integrity: boolean }): Promise<Store> => {
  const writer = new Worker(threadFile('writer-thread'), { workerData: options });
  await new Promise<void>((resolve, reject) => {
    writer.once('message', () => {
      resolve();
    });
    writer.once('error', reject);
  });
  const checkpointer = new Worker(threadFile('checkpoint-thread'), { workerData: { path: options.path, everyMs: 250 } });
  return new SqliteStore(options.path, writer, checkpointer);
};
