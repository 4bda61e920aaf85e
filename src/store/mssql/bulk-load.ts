import { jsonText, meant, sentAs } from '../json-text.js';
import { keyText } from '../key-text.js';
import { narrowTables } from '../layout.js';
import { Occupied, Taken, Unresolved, type Bulk, type BulkItem, type BulkReport, type Claim, type EntryPut, type Key } from '../port.js';
import { placeCells } from '../sqlite/worklist-rows.js';
import { indexRowsOf, indexTables, kinds, type Cell } from '../sqlite/write-values.js';
import { cellNames } from './batch.js';
import { Database, type Input, type Load } from './database.js';
import { buildReadIndexes, dropReadIndexes } from './indexes.js';
import { migrate } from './migrate.js';
import { Terms } from './terms.js';

/** rows that are sent together */
const together = 20_000;
/** targets that are known without asking; the rest are looked up again */
const remembered = 500_000;
// it has the table of a copy that is not finished, so that no server starts meanwhile
const marker = 'generated data';

type Type = Load['columns'][number]['type'];
type Column = readonly [name: string, type: Type];

const searchColumn = (name: string): Column => {
  if (['code', 'value', 'word'].includes(name)) return [name, 'text'];
  if (['low', 'high', 'x', 'y', 'z'].includes(name)) return [name, 'float'];
  return [name, name === 'target' ? 'bigint' : 'int'];
};
const narrowType = (kind: string): Type => (kind === 'span' ? 'float' : kind === 'token' ? 'int' : 'bigint');

/** In the order in which they are written: what is referred to first. */
const tables: Readonly<Record<string, readonly Column[]>> = {
  resource: [
    ['rid', 'bigint'],
    ['type', 'int'],
    ['id', 'text'],
    ['version', 'int'],
    ['last_updated', 'bigint'],
    ['body', 'bytes'],
  ],
  live: [['rid', 'bigint']],
  commit_log: [
    ['sequence', 'bigint'],
    ['committed_at', 'bigint'],
    ['type', 'int'],
    ['rid', 'bigint'],
    ['version', 'int'],
  ],
  ...Object.fromEntries(
    kinds.map((kind) => {
      const [table, ...columns] = indexTables[kind];
      return [table, [['rid', 'bigint'], ['param', 'int'], ...columns.map(searchColumn)] satisfies Column[]];
    }),
  ),
  ...Object.fromEntries(
    Object.values(narrowTables).map(({ table, columns }) => [
      table,
      [['rid', 'bigint'], ...cellNames(columns).map(({ name, kind }): Column => [name, narrowType(kind)])] satisfies Column[],
    ]),
  ),
  access_key: [
    ['rid', 'bigint'],
    ['key', 'text'],
  ],
  access_link: [
    ['child', 'bigint'],
    ['root', 'bigint'],
    ['source', 'bigint'],
  ],
  worklist: [
    ['referral', 'text'],
    ['list', 'text'],
    ['owner', 'text'],
    ['authored', 'bigint'],
    ['service', 'text'],
    ['specialty', 'text'],
    ['until', 'bigint'],
    ['due', 'bigint'],
    ['item', 'bytes'],
  ],
  claim: [
    ['kind', 'text'],
    ['key', 'text'],
    ['owner', 'text'],
    ['expires', 'bigint'],
  ],
};

const greatest = Number.MAX_VALUE;
const inputOf = (cell: Cell | null | undefined, type: Type): Input => {
  if (cell === null || cell === undefined) return null;
  if (type === 'bytes') return Buffer.from(String(cell), 'utf8');
  if (type === 'float') return Math.max(-greatest, Math.min(greatest, Number(cell)));
  return type === 'text' ? keyText(String(cell)) : cell;
};

const nameOf = ({ type, id }: Key): string => `${type}/${id}`;

class MssqlBulk implements Bulk {
  private readonly terms: Terms;
  private readonly rids = new Map<string, number>();
  private readonly rows = new Map<string, (readonly Input[])[]>();
  private readonly started = performance.now();
  private readonly committedAt = Date.now();
  /** batches are taken one after the other, also of makers that work side by side */
  private last: Promise<void> = Promise.resolve();
  private nextRid = 1;
  private waiting = 0;
  private counts = { resources: 0, rows: 0, bytes: 0 };

  constructor(
    private readonly database: Database,
    private readonly integrity: boolean,
  ) {
    this.terms = new Terms(database);
  }

  add(batch: readonly BulkItem[]): Promise<void> {
    this.last = this.last.then(() => this.take(batch));
    return this.last;
  }

  private async take(batch: readonly BulkItem[]): Promise<void> {
    if (this.rids.size >= remembered) this.rids.clear();
    await this.intern(batch);
    // rows first, then what points at them: references inside a batch may go in any direction
    for (const { put } of batch) this.addRow(put, put.body ?? null, put.lastUpdated);
    await this.findTargets(batch);
    for (const { put, claims, places } of batch) {
      this.addIndex(put);
      for (const { kind, key, owner, expires } of claims) this.stage('claim', [kind, key, owner, expires ?? null]);
      for (const place of places ?? []) this.stage('worklist', placeCells(put.id, place));
    }
    this.counts.resources += batch.length;
    if (this.waiting >= together) await this.flush();
  }

  /** Every text of the batch that stands in the database as a number. */
  private async intern(batch: readonly BulkItem[]): Promise<void> {
    const texts = new Set<string>();
    const recording = {
      intern: (text: string): number => {
        texts.add(text);
        return 0;
      },
    };
    for (const { put } of batch) {
      texts.add(put.type);
      indexRowsOf(recording, put.type, put.values, ({ type }) => recording.intern(type));
      for (const { child, root } of put.accessLinks) texts.add(child.type).add(root.type);
    }
    await this.terms.intern(texts);
  }

  private addRow(key: Key, body: string | null, lastUpdated: number): void {
    const rid = this.nextRid++;
    const type = this.terms.number(key.type);
    const version = body === null ? 0 : 1;
    this.rids.set(nameOf(key), rid);
    this.stage('resource', [rid, type, key.id, version, lastUpdated, body]);
    this.stage('live', [rid]);
    if (body !== null) this.stage('commit_log', [rid, this.committedAt, type, rid, version]);
    this.counts.bytes += body?.length ?? 0;
  }

  private targetsOf(batch: readonly BulkItem[]): readonly Key[] {
    const targets = batch.flatMap(({ put }) => [
      ...put.values.flatMap((value) => (value.kind === 'reference' ? [value.target] : [])),
      ...put.accessLinks.flatMap(({ child, root }) => [child, root]),
    ]);
    return [...new Map(targets.map((key) => [nameOf(key), key])).values()].filter((key) => !this.rids.has(nameOf(key)));
  }

  private async findTargets(batch: readonly BulkItem[]): Promise<void> {
    const unknown = this.targetsOf(batch);
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

  private addIndex({ type, id, values, accessKeys, accessLinks }: BulkItem['put']): void {
    const rid = this.ridOf({ type, id });
    const { rows, narrow } = indexRowsOf({ intern: (text) => this.terms.number(text) }, type, values, this.ridOf);
    if (narrow) this.stage(narrow.table, [rid, ...narrow.cells]);
    for (const kind of kinds) {
      // texts that are kept as their beginning and hash may have become equal
      const kept = new Map([...rows[kind].values()].map((cells) => [JSON.stringify(cells.map(shortened)), cells]));
      for (const cells of kept.values()) this.stage(indexTables[kind][0], [rid, ...cells]);
    }
    for (const key of new Set(accessKeys)) this.stage('access_key', [rid, key]);
    const links = accessLinks.map(({ child, root }) => [this.ridOf(child), this.ridOf(root), rid] as const);
    for (const link of new Map(links.map((cells) => [cells.join(), cells])).values()) this.stage('access_link', link);
  }

  private stage(table: string, cells: readonly (Cell | null)[]): void {
    const columns = tables[table] ?? [];
    const staged = this.rows.get(table) ?? [];
    this.rows.set(table, staged);
    staged.push(columns.map(([, type], at) => inputOf(cells[at], type)));
    this.waiting++;
    this.counts.rows++;
  }

  private async flush(): Promise<void> {
    const loads = Object.entries(tables).map(([table, columns]): Load => ({
      table,
      columns: columns.map(([name, type]) => ({ name, type })),
      rows: this.rows.get(table) ?? [],
    }));
    await this.refuseTakenClaims(this.rows.get('claim') ?? []);
    await this.database.load(loads, 'update commit_order set sequence = @sequence, committed_at = @now where id = 1', {
      sequence: this.nextRid - 1,
      now: this.committedAt,
    });
    this.rows.clear();
    this.waiting = 0;
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
    const columns = [
      { name: 'kind', type: 'text' },
      { name: 'key', type: 'text' },
      { name: 'version', type: 'int' },
      { name: 'body', type: 'bytes' },
      { name: 'expires', type: 'bigint' },
    ] as const;
    const rows = entries.flatMap(({ kind, key, body, expires }) =>
      body === undefined ? [] : [[kind, key, 1, Buffer.from(body, 'utf8'), expires ?? null]],
    );
    await this.last;
    await this.database.load([{ table: 'entry', columns, rows }], 'select 1 as one', {});
  }

  async finish(say: (phase: string) => void): Promise<BulkReport> {
    await this.last;
    await this.flush();
    await this.database.execute(`alter sequence resource_rid restart with ${String(this.nextRid)}`);
    await buildReadIndexes(this.database, say);
    await this.database.execute(`insert into slot_day (schedule, day, free) select d.schedule, d.day, count(*)
      from (select h.schedule, h.start_at / 86400000 as day from slot_index h inner join term t on t.id = h.status
        where t.text = 'free' and h.schedule is not null and h.start_at is not null) d group by d.schedule, d.day`);
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

const shortened = (cell: Cell): Cell => (typeof cell === 'string' ? keyText(cell) : cell);

/** What is referred to by a foreign key cannot be truncated. */
const empty = async (database: Database): Promise<void> => {
  const all = ['slot_day', 'entry', ...Object.keys(tables).reverse()];
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
