import { jsonText, meant, sentAs } from '../json-text.js';
import { Occupied, Taken, Unresolved, type Bulk, type BulkItem, type BulkReport, type Claim, type EntryPut, type Key } from '../port.js';
import { BulkRows, nameOf, tables } from './bulk-rows.js';
import { Database, type Input, type Load } from './database.js';
import { loadOrHalve } from './halved-load.js';
import { buildReadIndexes, countAnew, countFreeSlots, dropReadIndexes } from './indexes.js';
import { migrate } from './migrate.js';
import { Terms } from './terms.js';
import { targetsOf, termsOf } from './unit-batch.js';

/** rows that are sent together: each stream of each table has a price of its own, and these are some ten megabytes */
const together = 40_000;
/** targets that are known without asking; the rest are looked up again */
const remembered = 500_000;
// it has the table of a copy that is not finished, so that no server starts meanwhile
const marker = 'generated data';

class MssqlBulk implements Bulk {
  private readonly terms: Terms;
  private readonly rids = new Map<string, number>();
  private readonly rows: BulkRows;
  private readonly started = performance.now();
  private readonly committedAt = Date.now();
  /** batches are taken one after the other, also of makers that work side by side */
  private last: Promise<void> = Promise.resolve();
  private nextRid = 1;
  private counts = { resources: 0, rows: 0, bytes: 0 };

  constructor(
    private readonly database: Database,
    private readonly integrity: boolean,
  ) {
    this.terms = new Terms(database);
    this.rows = new BulkRows(this.terms);
  }

  add(batch: readonly BulkItem[]): Promise<void> {
    this.last = this.last.then(() => this.take(batch));
    return this.last;
  }

  private async take(batch: readonly BulkItem[]): Promise<void> {
    if (this.rids.size >= remembered) this.rids.clear();
    await this.terms.intern(termsOf({ puts: batch.map(({ put }) => put) }));
    // rows first, then what points at them: references inside a batch may go in any direction
    for (const { put } of batch) this.addRow(put, put.body ?? null, put.lastUpdated);
    await this.findTargets(batch);
    for (const { put, claims, places } of batch) {
      this.rows.addIndex(put, this.ridOf(put), this.ridOf);
      for (const claim of claims) this.rows.addClaim(claim);
      for (const place of places ?? []) this.rows.addPlace(put.id, place);
    }
    this.counts.resources += batch.length;
    if (this.rows.waiting >= together) await this.flush();
  }

  private addRow(key: Key, body: string | null, lastUpdated: number): void {
    const rid = this.nextRid++;
    this.rids.set(nameOf(key), rid);
    this.rows.addRow(key, rid, body, lastUpdated);
    if (body !== null) this.rows.addCommit(key, rid, rid, this.committedAt);
    this.counts.bytes += body?.length ?? 0;
  }

  private async findTargets(batch: readonly BulkItem[]): Promise<void> {
    const unknown = targetsOf(batch.map(({ put }) => put)).filter((key) => !this.rids.has(nameOf(key)));
    if (unknown.length === 0) return;
    await this.flush();
    const rows = await this.database.read(
      `select r.rid, w.n from openjson(@wanted) with (n int '$.n', type int '$.t', id nvarchar(64) '$.i') w
       inner join resource r on r.type = w.type and r.id = w.id collate Latin1_General_BIN2`,
      { wanted: jsonText(unknown.map(({ type, id }, n) => ({ n, t: this.terms.number(type), i: id }))) },
    );
    for (const { rid, n } of rows) this.rids.set(nameOf(unknown[Number(n)]!), Number(rid));
    for (const target of unknown.filter((key) => !this.rids.has(nameOf(key)))) {
      if (this.integrity) throw new Unresolved(target);
      this.addRow(target, null, 0);
    }
  }

  private readonly ridOf = (target: Key): number => this.rids.get(nameOf(target)) ?? 0;

  private async flush(): Promise<void> {
    await this.refuseTakenClaims(this.rows.of('claim'));
    this.counts.rows += this.rows.waiting;
    await this.write(this.rows.take());
  }

  private async write(loads: readonly Load[]): Promise<void> {
    const last = { sequence: this.nextRid - 1, now: this.committedAt };
    const text = 'update commit_order set sequence = @sequence, committed_at = @now where id = 1';
    await loadOrHalve(this.database, loads, text, last);
  }

  private async refuseTakenClaims(claims: readonly (readonly Input[])[]): Promise<void> {
    if (claims.length === 0) return;
    const seen = new Set<string>();
    const refuse = (kind: Input | undefined, key: Input | undefined): never => {
      throw new Taken({ kind, key, owner: '' } as Claim);
    };
    for (const [kind, key] of claims) {
      const name = JSON.stringify([kind, key]);
      if (seen.has(name)) refuse(kind, key);
      seen.add(name);
    }
    const [taken] = await this.database.read(
      `select top (1) c.kind, c.[key] as claim_key from openjson(@wanted) with (kind nvarchar(30) '$.kind', claim_key nvarchar(400) '$.key') w
       inner join claim c on c.kind = w.kind collate Latin1_General_BIN2 and c.[key] = translate(w.claim_key, @sent_as, @meant) collate Latin1_General_BIN2`,
      { wanted: jsonText(claims.map(([kind, key]) => ({ kind, key }))), sent_as: sentAs, meant },
    );
    if (taken) refuse(String(taken['kind']), String(taken['claim_key']));
  }

  async addEntries(entries: readonly EntryPut[]): Promise<void> {
    await this.last;
    for (const { kind, key, body, expires } of entries) if (body !== undefined) this.rows.addEntry(kind, key, body, expires);
  }

  async finish(say: (phase: string) => void): Promise<BulkReport> {
    await this.last;
    await this.flush();
    await this.database.execute(`alter sequence resource_rid restart with ${String(this.nextRid)}`);
    await buildReadIndexes(this.database, say);
    await countFreeSlots(this.database);
    say('counts anew');
    await countAnew(this.database);
    await this.database.execute('drop table store_copy');
    await this.database.close();
    return { ...this.counts, seconds: (performance.now() - this.started) / 1000 };
  }

  async abandon(): Promise<void> {
    await this.last.catch(() => undefined);
    await empty(this.database);
    await buildReadIndexes(this.database, () => undefined);
    await this.database.execute('drop table store_copy');
    await this.database.close();
  }
}

/** What is referred to by a foreign key cannot be truncated. */
const empty = async (database: Database): Promise<void> => {
  const all = ['slot_day', ...Object.keys(tables).reverse()];
  for (const table of all) await database.execute(`${table === 'live' ? 'delete from' : 'truncate table'} ${table}`);
  await database.execute('update commit_order set sequence = 0 where id = 1');
};

/**
 * Fills an empty database with many rows at a time, the indexes that only answer reads built at the end. Until `finish` no server starts
 * on it; a load that was cut off is begun anew by the next one. Throws Occupied when anything else is in the database.
 */
export const openMssqlBulk = async ({ url, integrity }: { readonly url: string; readonly integrity: boolean }): Promise<Bulk> => {
  const own = new URL(url);
  // to sort a table for an index takes longer than a client ever waits
  own.searchParams.set('requestTimeout', '3600000');
  const database = await Database.open(own.href);
  try {
    await migrate(database);
    const [begun] = await database.read("select object_id('store_copy') as id");
    if (begun?.['id'] === null) {
      const [first] = await database.read('select (select count(*) from (select top (1) rid from resource) r) as n');
      if (Number(first?.['n']) > 0) throw new Occupied('The database is not empty: a whole data set is loaded into a database of its own.');
      await database.execute(
        'create table store_copy (name nvarchar(100) not null, position nvarchar(1000) not null, constraint store_copy_pk primary key (name))',
      );
      await database.send("insert into store_copy (name, position) values ('source', @marker)", { marker });
    } else {
      const [known] = await database.read("select position from store_copy where name = 'source'");
      if (known?.['position'] !== marker)
        throw new Occupied('The database has the beginning of a copy: run migrate-store again to its end.');
    }
    await empty(database);
    await dropReadIndexes(database);
    return new MssqlBulk(database, integrity);
  } catch (error) {
    await database.close();
    throw error;
  }
};
