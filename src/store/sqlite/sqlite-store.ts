import {
  Unavailable,
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
  type WorklistQuery,
} from '../port.js';
import type { ReadName } from '../reads.js';
import { isBounded } from '../queries/ranks.js';
import { ReaderPool } from './reader-pool.js';
import { SqliteReader } from './reader.js';
import { askedBy, Snapshots } from './snapshots.js';
import { TurnConnection } from './turn-connection.js';
import { startWriterThread, threadFile, type UnitWriter } from './unit-writer.js';

/** What a search of unknown size may take. */
const searchMilliseconds = 10_000;
/** A count up to here is quick even when every row of an index must be passed. */
const mostCounted = 2000;

/** Whether a read may run on the calling thread: its size is known. */
const isShort = (name: ReadName, words: readonly unknown[]): boolean => {
  if (name === 'labelled') return false;
  if (name !== 'search' && name !== 'count') return true;
  const [plan, sight, limit] = askedBy(words);
  return isBounded(plan, sight) && (name === 'search' || limit <= mostCounted);
};

class SqliteStore implements Store {
  private readonly connection: TurnConnection;
  private readonly reader: SqliteReader;
  private readonly pool: ReaderPool;
  private readonly snapshots: Snapshots;

  constructor(
    path: string,
    private readonly writer: UnitWriter,
  ) {
    this.connection = new TurnConnection(path);
    this.reader = new SqliteReader(this.connection, false, true);
    this.pool = new ReaderPool({ file: threadFile('reader-thread'), path, size: 2, milliseconds: searchMilliseconds });
    this.snapshots = new Snapshots({ path, pool: this.pool, isShort });
  }

  commit(unit: Unit): Promise<void> {
    return this.writer.commit(unit).finally(this.connection.endTurn);
  }

  // short reads run on the calling thread, searches of unknown size on others: all see every acknowledged write
  find = (key: Key, sight: Sight) => Promise.resolve(this.reader.find(key, sight));
  findVersion = (key: Key, version: number, sight: Sight) => Promise.resolve(this.reader.findVersion(key, version, sight));
  findMany = (keys: readonly Key[], sight: Sight) => Promise.resolve(this.reader.findMany(keys, sight));
  search = async (plan: SearchPlan, sight: Sight) =>
    isShort('search', [plan, sight])
      ? this.reader.search(plan, sight)
      : await this.pool.search(plan, sight).finally(this.connection.endTurn);
  count = async (plan: SearchPlan, sight: Sight, limit: number) =>
    isShort('count', [plan, sight, limit])
      ? this.reader.count(plan, sight, limit)
      : await this.pool.count(plan, sight, limit).finally(this.connection.endTurn);
  // eslint-disable-next-line @typescript-eslint/require-await -- what it throws rejects
  history = async (scope: HistoryScope, window: Window, sight: Sight) => this.reader.history(scope, window, sight);
  referrers = (target: Key, sight: Sight, limit: number, of?: { readonly type: string; readonly param: string }) =>
    Promise.resolve(this.reader.referrers(target, sight, limit, of));
  labelled = (type: string, limit: number) => this.pool.labelled(type, limit).finally(this.connection.endTurn);
  at = (): Reader => this;
  snapshot = <T>(read: (reader: Reader) => Promise<T>) => this.snapshots.run(read).finally(this.connection.endTurn);
  keysOf = (key: Key) => Promise.resolve(this.reader.keysOf(key));
  findClaim = (kind: ClaimKind, key: string) => Promise.resolve(this.reader.findClaim(kind, key));
  findEntry = (kind: Entry['kind'], key: string) => Promise.resolve(this.reader.findEntry(kind, key));
  listEntries = (kind: Entry['kind']) => Promise.resolve(this.reader.listEntries(kind));
  worklist = (query: WorklistQuery) => Promise.resolve(this.reader.worklist(query));
  availability = (schedules: readonly string[], from: number, until: number) =>
    Promise.resolve(this.reader.availability(schedules, from, until));
  auditChains = () => Promise.resolve(this.reader.auditChains());
  auditLinks = (chain: string, after: number, limit: number) => Promise.resolve(this.reader.auditLinks(chain, after, limit));

  check(): Promise<void> {
    const broken = this.writer.broken();
    if (broken) return Promise.reject(new Unavailable(broken.message));
    this.connection.get('select 1');
    return Promise.resolve();
  }

  async close(): Promise<void> {
    await Promise.all([this.writer.close(), this.pool.close()]);
    this.snapshots.close();
    this.connection.close();
  }
}

/**
 * Opens (and makes, and migrates) the embedded store at `path`.
 * `integrity` false lets references point at resources that are not there (REFERENTIAL_INTEGRITY=off).
 */
export const openSqliteStore = async (options: { readonly path: string; readonly integrity: boolean }): Promise<Store> =>
  new SqliteStore(options.path, await startWriterThread(options));

/** The store of a process that another one writes for: the schema is current by then. */
export const openSharedSqliteStore = (path: string, writer: UnitWriter): Store => new SqliteStore(path, writer);
