import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import {
  Occupied,
  Taken,
  Unresolved,
  type Bulk,
  type BulkItem,
  type BulkReport,
  type Claim,
  type EntryPut,
  type Key,
  type Put,
} from '../port.js';
import { Connection } from './connection.js';
import { migrate } from './migrate.js';
import { Terms } from './terms.js';
import { insertPlace, placeCells } from './worklist-rows.js';
import { plainType } from '../layout.js';
import { StagedRows } from './staged-rows.js';
import { eachRow, indexTables, kinds, narrowCells, type Kind } from './write-values.js';
import type { Cell } from './owned-rows.js';

// A file that nobody else opens and that is thrown away on any fault needs neither a journal nor a sync until it is whole. Sorters
// spill to files: a national load sorts tens of millions of index rows.
const loading =
  'pragma page_size = 8192; pragma journal_mode = off; pragma synchronous = off; pragma locking_mode = exclusive; pragma cache_size = -262144; pragma temp_store = file; pragma threads = 4';
/** ids whose rows are known without asking: all that a national load's referrals refer to */
const remembered = 2_000_000;

/** Tables whose primary key is not the row id: their rows are staged and go in sorted, as one append. */
const staged: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(kinds.map((kind) => [indexTables[kind][0], stagedColumns(kind)])),
  access_link: ['child', 'root', 'source'],
  claim: ['kind', 'key', 'owner', 'expires'],
};

function stagedColumns(kind: (typeof kinds)[number]): readonly string[] {
  const [, ...columns] = indexTables[kind];
  return kind === 'reference' ? ['target', 'param', 'rid'] : ['param', ...columns, 'rid'];
}

type Index = { readonly name: string; readonly sql: string };

class SqliteBulk implements Bulk {
  private readonly connection: Connection;
  private readonly terms: Terms;
  private readonly indexes: readonly Index[];
  private readonly rids = new Map<string, number>();
  private readonly staged: Readonly<Record<string, StagedRows>>;
  private readonly appended = new Map<string, StagedRows>();
  private readonly started = performance.now();
  private readonly committedAt = Date.now();
  private sequence: number;
  private resources = 0;
  private rows = 0;

  constructor(
    private readonly target: string,
    private readonly integrity: boolean,
  ) {
    this.removeFiles();
    if (existsSync(target)) copyFileSync(target, this.file);
    this.connection = new Connection(this.file, loading);
    migrate(this.connection.db);
    this.connection.db.exec(
      `attach '${this.scratch.replaceAll("'", "''")}' as scratch; pragma scratch.journal_mode = off; pragma scratch.synchronous = off`,
    );
    for (const [table, columns] of Object.entries(staged)) this.connection.db.exec(`create table scratch.${table} (${columns.join(', ')})`);
    this.staged = Object.fromEntries(
      Object.entries(staged).map(([table, columns]) => [table, new StagedRows(this.connection, `scratch.${table}`, columns)]),
    );
    // those of the resources grow at their ends as rows come; made afterwards, each would read all the bodies again
    this.indexes = this.connection.all(
      "select name, sql from main.sqlite_master where type = 'index' and sql is not null and tbl_name <> 'resource'",
    ) as unknown as Index[];
    for (const { name } of this.indexes) this.connection.db.exec(`drop index main.${name}`);
    this.terms = new Terms(this.connection);
    this.sequence = (this.connection.get('select max(sequence) as last from resource') as { last: number | null }).last ?? 0;
    this.connection.db.exec('begin');
  }

  private get file(): string {
    return `${this.target}.loading`;
  }

  private get scratch(): string {
    return `${this.target}.scratch`;
  }

  private removeFiles(): void {
    for (const file of [this.file, this.scratch])
      for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(file + suffix, { force: true });
  }

  add(batch: readonly BulkItem[]): void {
    // rows first, then what points at them: references inside a batch may go in any direction
    const rids = batch.map(({ put }) => this.addRow(put));
    batch.forEach(({ put, claims, places }, at) => {
      this.addIndex(put, rids[at] ?? 0);
      for (const { kind, key, owner, expires } of claims) this.stage('claim', [kind, key, owner, expires ?? null]);
      for (const place of places ?? []) {
        this.connection.run(insertPlace, ...placeCells(put.id, place));
        this.rows++;
      }
    });
    this.resources += batch.length;
  }

  addEntries(entries: readonly EntryPut[]): void {
    for (const { kind, key, body, expires } of entries)
      if (body !== undefined)
        this.connection.run(
          'insert or replace into entry (kind, key, version, body, expires) values (?, ?, 1, ?, ?)',
          kind,
          key,
          body,
          expires ?? null,
        );
  }

  private addRow(put: Put): number {
    const rid = this.connection.insert(
      'insert into resource (type, id, version, last_updated, committed_at, sequence, body) values (?, ?, 1, ?, ?, ?, ?)',
      this.terms.intern(put.type),
      put.id,
      put.lastUpdated,
      this.committedAt,
      ++this.sequence,
      put.body ?? null,
    );
    this.rows++;
    return this.remember(put, rid);
  }

  /** The newest ids are the likeliest targets; the rest are looked up again. */
  private remember({ type, id }: Key, rid: number): number {
    if (this.rids.size >= remembered) this.rids.clear();
    this.rids.set(`${type}/${id}`, rid);
    return rid;
  }

  private ridOf = (target: Key): number => {
    const known = this.rids.get(`${target.type}/${target.id}`);
    if (known !== undefined) return known;
    const type = this.terms.intern(target.type);
    const found = this.connection.get('select rid, body is not null as live from resource where type = ? and id = ?', type, target.id) as
      { rid: number; live: number } | undefined;
    if (found && (found.live || !this.integrity)) return this.remember(target, found.rid);
    if (this.integrity) throw new Unresolved(target);
    const rid = this.connection.insert(
      'insert into resource (type, id, version, last_updated, committed_at, sequence, body) values (?, ?, 0, 0, 0, 0, null)',
      type,
      target.id,
    );
    return this.remember(target, rid);
  };

  private addIndex(put: Put, rid: number): void {
    eachRow(this.terms, put.type, put.values, this.ridOf, this.stageRow(rid));
    const narrow = narrowCells(this.terms, plainType(put.type), put.values, this.ridOf);
    if (narrow) this.append(narrow.table, ['rid', ...narrow.columns], [rid, ...narrow.cells]);
    for (const key of new Set(put.accessKeys)) this.append('access_key', ['rid', 'key'], [rid, key]);
    for (const { child, root } of put.accessLinks) this.stage('access_link', [this.ridOf(child), this.ridOf(root), rid]);
  }

  private stageRow(rid: number) {
    return (kind: Kind, param: number, cells: readonly Cell[]): void => {
      this.stage(indexTables[kind][0], kind === 'reference' ? [...cells, param, rid] : [param, ...cells, rid]);
    };
  }

  /** A row of a table that is in the order of rid: it goes to its end at once. */
  private append(table: string, columns: readonly string[], cells: readonly (Cell | null)[]): void {
    const rows = this.appended.get(table) ?? new StagedRows(this.connection, table, columns);
    this.appended.set(table, rows);
    rows.add(cells);
    this.rows++;
  }

  private stage(table: string, cells: readonly (Cell | null)[]): void {
    this.staged[table]?.add(cells);
    this.rows++;
  }

  async finish(say: (phase: string) => void): Promise<BulkReport> {
    const { db } = this.connection;
    for (const rows of [...Object.values(this.staged), ...this.appended.values()]) rows.flush();
    for (const [table, columns] of Object.entries(staged)) {
      say(`sorts ${table}`);
      await turn();
      const names = columns.join(', ');
      if (table === 'claim') this.refuseDoubleClaims();
      db.exec(`insert or ignore into main.${table} (${names}) select ${names} from scratch.${table} order by ${names}`);
    }
    for (const { name, sql } of this.indexes) {
      say(`builds ${name}`);
      await turn();
      db.exec(sql);
    }
    db.exec('commit');
    this.letGo();
    this.moveIntoPlace();
    return {
      resources: this.resources,
      rows: this.rows,
      bytes: statSync(this.target).size,
      seconds: (performance.now() - this.started) / 1000,
    };
  }

  private refuseDoubleClaims(): void {
    const double = this.connection.get(
      'select kind, key, max(owner) as owner from (select kind, key, owner from scratch.claim union all select kind, key, owner from main.claim) group by kind, key having count(*) > 1 limit 1',
    );
    if (double) throw new Taken(double as unknown as Claim);
  }

  /** Whole and on disk before it takes the name: a crash leaves the old file or the new one. */
  private moveIntoPlace(): void {
    const sync = (name: string): void => {
      const handle = openSync(name, 'r');
      fsyncSync(handle);
      closeSync(handle);
    };
    sync(this.file);
    for (const suffix of ['-wal', '-shm']) rmSync(this.target + suffix, { force: true });
    renameSync(this.file, this.target);
    sync(path.dirname(this.target));
    this.removeFiles();
  }

  /** The driver finishes statements when they are collected: until then an exclusive lock would stay. */
  private letGo(): void {
    this.connection.db.exec('pragma locking_mode = normal; select 1 from term limit 1');
    this.connection.close();
  }

  abandon(): void {
    if (this.connection.db.isTransaction) this.connection.db.exec('commit');
    this.letGo();
    this.removeFiles();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Nobody may have the file open, and nothing may be in it: in WAL mode every connection holds a shared lock while it is open. */
const refuseUnlessFree = (file: string): void => {
  if (!existsSync(file)) return;
  const connection = new Connection(file, 'pragma busy_timeout = 100; pragma locking_mode = exclusive');
  try {
    connection.db.exec('begin exclusive');
    const tables = connection.get("select count(*) as n from sqlite_master where name = 'resource'") as { n: number };
    // what the server writes of its own at its first start is no hindrance: it has no patients
    const filled =
      tables.n > 0 &&
      connection.get("select 1 from resource where type = (select id from term where text = 'Patient') limit 1") !== undefined;
    connection.db.exec('rollback');
    if (filled) throw new Occupied('The store has patients already: a whole data set is loaded into a store of its own.');
    connection.db.exec('pragma wal_checkpoint(truncate)');
  } catch (error) {
    throw error instanceof Occupied ? error : new Occupied(`The store is in use: stop the server first (${String(error)}).`);
  } finally {
    connection.db.exec('pragma locking_mode = normal');
    connection.close();
  }
};

/**
 * Fills the embedded store at `path` beside the present file, without a journal, the indexes built at the end; the new file takes the
 * name when it is whole. Throws Occupied when a server has the store open or something is in it.
 */
export const openSqliteBulk = (options: { readonly path: string; readonly integrity: boolean }): Bulk => {
  refuseUnlessFree(options.path);
  return new SqliteBulk(options.path, options.integrity);
};
