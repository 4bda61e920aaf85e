import { randomUUID } from 'node:crypto';
import { AuditChain } from '../audit-chain.js';
import {
  Matched,
  Referenced,
  Stale,
  Taken,
  Unavailable,
  Unresolved,
  type ClaimKind,
  type ConnectionFigures,
  type Entry,
  type HistoryScope,
  type Key,
  type Put,
  type Reader,
  type SearchPlan,
  type Sight,
  type Store,
  type Unit,
  type Window,
  type WorklistQuery,
} from '../port.js';
import { AuditHeads } from './audit-heads.js';
import { readsOfCopy } from './copy-reads.js';
import { Database } from './database.js';
import { atFirst } from './gate.js';
import { countAnew } from './indexes.js';
import { isLarge, writeLarge } from './large-unit.js';
import { checkSchema, migrate } from './migrate.js';
import { MssqlReader } from './reader.js';
import { numberOf, thrown, troubleOf } from './server-errors.js';
import { Terms } from './terms.js';
import { termsOf, unitBatch, type AuditInput, type UnitBatch } from './unit-batch.js';
import { warmUp } from './warm-up.js';

const sweepMs = 60_000;

class MssqlStore implements Store {
  /** audit chains nobody writes to at the moment: each has one writer at a time */
  private readonly idleChains: AuditChain[] = [];
  private readonly reader: MssqlReader;
  private readonly behind: Reader;
  private readonly heads: AuditHeads;
  private readonly sweeper: NodeJS.Timeout;
  private closed = false;

  constructor(
    private readonly database: Database,
    private readonly copy: Database | undefined,
    private readonly terms: Terms,
    private readonly integrity: boolean,
  ) {
    this.reader = new MssqlReader(database, terms);
    this.heads = new AuditHeads(database);
    this.behind = copy ? readsOfCopy(new MssqlReader(copy, terms), this.reader) : this.reader;
    this.sweeper = setInterval(() => {
      void this.sweep();
    }, sweepMs);
    this.sweeper.unref();
  }

  at(freshness: 'replica' | 'primary'): Reader {
    return freshness === 'replica' ? this.behind : this.reader;
  }

  snapshot = <T>(read: (reader: Reader) => Promise<T>) => this.database.snapshot((reading) => read(this.reader.over(reading)));

  find = (key: Key, sight: Sight) => this.reader.find(key, sight);
  findVersion = (key: Key, version: number, sight: Sight) => this.reader.findVersion(key, version, sight);
  findMany = (keys: readonly Key[], sight: Sight) => this.reader.findMany(keys, sight);
  search = (plan: SearchPlan, sight: Sight) => this.reader.search(plan, sight);
  count = (plan: SearchPlan, sight: Sight, limit: number) => this.reader.count(plan, sight, limit);
  history = (scope: HistoryScope, window: Window, sight: Sight) => this.reader.history(scope, window, sight);
  referrers = (target: Key, sight: Sight, limit: number, of?: { readonly type: string; readonly param: string }) =>
    this.reader.referrers(target, sight, limit, of);
  keysOf = (key: Key) => this.reader.keysOf(key);
  labelled = (type: string, limit: number) => this.reader.labelled(type, limit);
  findClaim = (kind: ClaimKind, key: string) => this.reader.findClaim(kind, key);
  findEntry = (kind: Entry['kind'], key: string) => this.reader.findEntry(kind, key);
  listEntries = (kind: Entry['kind']) => this.reader.listEntries(kind);
  worklist = (query: WorklistQuery) => this.reader.worklist(query);
  availability = (schedules: readonly string[], from: number, until: number) => this.reader.availability(schedules, from, until);
  auditChains = () => this.heads.read();
  auditLinks = (chain: string, after: number, limit: number) => this.reader.auditLinks(chain, after, limit);

  async commit(unit: Unit): Promise<void> {
    if (this.closed) throw new Unavailable('the store is closed');
    await this.terms.intern(termsOf(unit));
    const chain = unit.audit && unit.audit.length > 0 ? (this.idleChains.pop() ?? new AuditChain(randomUUID())) : undefined;
    const head = chain?.mark();
    const link = chain?.append(unit.audit ?? []);
    const outcome = { certain: true };
    const uncertain = (): void => {
      outcome.certain = false;
    };
    try {
      const doubtful = isLarge(unit) ? await this.wroteLarge(unit, link) : 'no';
      if (doubtful === 'yes') return;
      if (doubtful === 'unknown') uncertain();
      const unmatched = await Promise.all((unit.unmatched ?? []).map((plan) => this.reader.test(plan)));
      const batch = unitBatch(this.terms, unit, { integrity: this.integrity, unmatched, link });
      await this.sendUnit(batch, link, uncertain, doubtful === 'unknown');
    } catch (error) {
      if (chain && head) chain.reset(head);
      throw error;
    } finally {
      // a chain whose last link may or may not be there is never continued
      if (chain && outcome.certain) this.idleChains.push(chain);
    }
  }

  /** Whether a large unit was written in bulk. When not, the ordinary batch writes it, or names what is in its way. */
  private async wroteLarge(unit: Unit, link: AuditInput | undefined, tries = 2): Promise<'yes' | 'no' | 'unknown'> {
    try {
      return (await writeLarge(this.database, this.terms, unit, link)) ? 'yes' : 'no';
    } catch (error) {
      const trouble = troubleOf(error);
      // two loads that begin the counter of one day: the later one finds it the next time
      if (tries > 1 && (trouble === 'race' || trouble === 'passing')) return this.wroteLarge(unit, link, tries - 1);
      return trouble === 'unknown' ? 'unknown' : 'no';
    }
  }

  /**
   * Sends the batch until it is committed, refused, or the budget is spent. When a connection broke, what is there tells whether it was
   * committed: the batch is conditional, so it can be sent again whatever the answer was.
   */
  private async sendUnit(batch: UnitBatch, link: AuditInput | undefined, uncertain: () => void, doubtful: boolean): Promise<void> {
    const outcome = { doubtful };
    try {
      await this.database.again(
        async () => {
          try {
            await this.database.send(batch.text, batch.inputs);
          } catch (error) {
            if (troubleOf(error) === 'unknown') {
              outcome.doubtful = true;
              uncertain();
              if (await this.isThere(batch, link)) return;
            }
            throw error;
          }
        },
        (error) => troubleOf(error) !== 'fault',
      );
    } catch (error) {
      const refusal = await this.refusalOf(error, batch);
      // the unit that stands in the way may be this one, committed before the connection broke
      if (outcome.doubtful && refusal instanceof Stale && (await this.isThere(batch, link))) return;
      throw refusal;
    }
  }

  /** Whether the unit was committed. Its link of the audit is its own; what it wrote, another may have written alike. */
  private async isThere({ puts, entries }: UnitBatch, link: AuditInput | undefined): Promise<boolean> {
    if (link) {
      const [there] = await this.reader.auditLinks(link.chain, link.number - 1, 1);
      return there?.hash === link.hash;
    }
    const [put] = puts;
    if (put) return this.holds(put);
    const [entry] = entries;
    if (!entry) return false;
    const known = await this.reader.findEntry(entry.kind, entry.key);
    return entry.body === undefined ? known === undefined : known?.version === entry.version + 1 && known.body === entry.body;
  }

  private async holds(put: Put): Promise<boolean> {
    const stored = await this.reader.findVersion(put, put.version + 1, 'all');
    return stored !== undefined && stored.body === put.body && stored.lastUpdated === put.lastUpdated;
  }

  /** The error of a batch as the port names it. */
  private async refusalOf(error: unknown, batch: UnitBatch): Promise<Error> {
    const number = numberOf(error);
    const [list = '', place = ''] = (error as Error).message.split(' ');
    const at = Number(place);
    const key = ({ type, id }: Key): Key => ({ type, id });
    switch (number) {
      case thrown.stale: {
        const entry = list === 'entries' ? batch.entries[at] : undefined;
        if (entry) return new Stale({ type: entry.kind, id: entry.key });
        const moved = list === 'expects' ? batch.expects[at] : batch.puts[at];
        return moved ? new Stale(key(moved)) : new Unavailable('refused');
      }
      case thrown.taken: {
        const claim = batch.claims[at];
        return claim ? new Taken(claim) : new Unavailable('refused');
      }
      case thrown.unresolved: {
        const target = batch.targets[at];
        return target ? new Unresolved(key(target)) : new Unavailable('refused');
      }
      case thrown.referenced: {
        const put = batch.puts[at];
        if (!put) return new Unavailable('refused');
        const by = (await this.reader.referrers(put, 'all', 10)).map(key);
        return new Referenced(key(put), by);
      }
      case thrown.matched:
        return new Matched();
      default:
        return new Unavailable(`SQL Server: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Removes what has expired, in small steps that hold few locks. */
  private async sweep(): Promise<void> {
    const now = Date.now();
    try {
      await this.database.send("delete top (1000) from claim where expires < @now and kind in ('jti', 'idempotency', 'found')", { now });
      await this.database.send('delete top (1000) from entry where expires < @now', { now });
      await this.database.send('delete top (1000) from worklist where until <= @now', { now });
    } catch {
      // the next round will do
    }
  }

  async check(): Promise<void> {
    if (this.closed) throw new Unavailable('the store is closed');
    await checkSchema(this.database);
  }

  connections(): ConnectionFigures {
    return this.database.figures();
  }

  countAnew(): Promise<void> {
    return countAnew(this.database);
  }

  warmUp(): Promise<void> {
    return warmUp(this, atFirst);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.sweeper);
    await this.copy?.close();
    await this.database.close();
  }
}

export type MssqlOptions = {
  /** mssql://user:password@host:1433/database?encrypt=true */
  readonly url: string;
  /** a readable copy for reads that may be some seconds behind */
  readonly replicaUrl?: string | undefined;
  readonly integrity: boolean;
};

/** Brings the schema up to date and serves the database; the store closes its pools with itself. */
export const serveDatabase = async (database: Database, copy: Database | undefined, integrity: boolean): Promise<Store> => {
  await migrate(database);
  const [unfinished] = await database.read("select object_id('store_copy') as id");
  if (unfinished?.['id'] !== null) throw new Error('a copy into this database was not finished: run migrate-store again to its end');
  const terms = new Terms(database);
  await terms.load();
  return new MssqlStore(database, copy, terms, integrity);
};

/** Opens, and migrates, the store on SQL Server. Throws Unavailable when the server does not answer. */
export const openMssqlStore = async ({ url, replicaUrl, integrity }: MssqlOptions): Promise<Store> => {
  const opened: Database[] = [];
  const open = async (each: string): Promise<Database> => {
    const database = await Database.open(each);
    opened.push(database);
    return database;
  };
  try {
    return await serveDatabase(await open(url), replicaUrl === undefined ? undefined : await open(replicaUrl), integrity);
  } catch (error) {
    await Promise.all(opened.map((database) => database.close()));
    throw error;
  }
};
