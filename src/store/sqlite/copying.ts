import { existsSync, renameSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import {
  copyTables,
  type Cell,
  type CopySource,
  type CopyTable,
  type CopyTarget,
  type Piece,
  type Position,
  type Row,
} from '../copy/tables.js';
import { foldedCode, indexedText } from '../../fhir/search/text.js';
import { isShortened, keyText } from '../key-text.js';
import { Occupied } from '../port.js';
import { Connection } from './connection.js';
import { migrate } from './migrate.js';

const alone = 'pragma busy_timeout = 100; pragma locking_mode = exclusive';
const copying = 'pragma cache_size = -131072; pragma temp_store = file';
// what a killed copy has committed is there; a power cut means to start again
const filling = 'pragma page_size = 8192; pragma journal_mode = wal; pragma synchronous = normal';

const lists = (columns: readonly { readonly name: string }[]): string => columns.map(({ name }) => name).join(', ');

class SqliteCopySource implements CopySource {
  protected readonly connection: Connection;

  constructor(
    readonly name: string,
    file: string,
    pragmas = '',
  ) {
    this.connection = new Connection(file, alone);
    try {
      this.connection.db.exec('begin exclusive; commit');
      this.connection.db.exec(`${pragmas}; ${copying}`);
      migrate(this.connection.db);
    } catch (error) {
      this.connection.close();
      throw /locked|busy/i.test(String(error)) ? new Occupied(`${name} is in use: stop the server first.`) : error;
    }
  }

  count({ name }: CopyTable): Promise<number> {
    return Promise.resolve(Number(this.connection.get(`select count(*) as n from ${name}`)?.['n']));
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what it throws rejects
  async read({ name, columns, along }: CopyTable, after: Position | undefined): Promise<Piece> {
    const cells = (row: Readonly<Record<string, unknown>>): Row => columns.map((column) => row[column.name] as Cell);
    if ('number' in along) {
      const from = Number(after?.[0] ?? 0);
      const number = along.number === 'row' ? 'rowid' : along.number;
      const last = Number(this.connection.get(`select max(${number}) as last from ${name}`)?.['last'] ?? 0);
      const until = from + along.step;
      const text = `select ${lists(columns)} from ${name} where ${number} > ? and ${number} <= ?`;
      return { rows: this.connection.all(text, from, until).map(cells), next: until >= last ? 'end' : [until] };
    }
    const [first, second] = along.pair;
    const [a, b] = after ?? [];
    const rows = this.connection
      .all(
        `select ${lists(columns)} from ${name} ${after === undefined ? '' : `where (${first}, ${second}) > (?, ?)`} order by ${first}, ${second} limit ? + 0`,
        ...(a === undefined || b === undefined ? [] : [a, b]),
        along.step,
      )
      .map(cells);
    const last = rows.at(-1);
    const at = (column: string): string | number => last?.[columns.findIndex(({ name: own }) => own === column)] ?? '';
    return { rows, next: rows.length < along.step ? 'end' : [at(first), at(second)] };
  }

  /** The driver finishes statements when they are collected: until then an exclusive lock would stay. */
  protected letGo(): void {
    if (this.connection.db.isTransaction) this.connection.db.exec('rollback');
    this.connection.db.exec('pragma locking_mode = normal; select 1 from sqlite_master limit 1');
    this.connection.close();
  }

  close(): Promise<void> {
    this.letGo();
    return Promise.resolve();
  }
}

const indexesOf = (connection: Connection): readonly { readonly name: string; readonly sql: string }[] =>
  connection.all("select name, sql from sqlite_master where type = 'index' and sql is not null") as unknown as readonly {
    readonly name: string;
    readonly sql: string;
  }[];

/** A text that another engine keeps shortened, as it stands in the resource. */
const wholeText = (shortened: string, body: string): string => {
  const found: string[] = [];
  JSON.parse(body, (_name, value: unknown) => {
    if (typeof value === 'string')
      for (const form of [value, indexedText(value), foldedCode(value)]) if (keyText(form) === shortened) found.push(form);
    return value;
  });
  if (found[0] === undefined) throw new Error(`The whole of an index text is not in its resource: ${shortened.slice(0, 40)}...`);
  return found[0];
};

/** Filled beside the file, which it becomes in the end. */
class SqliteCopyTarget extends SqliteCopySource implements CopyTarget {
  private released = false;

  constructor(private readonly file: string) {
    super(`sqlite:${file}`, `${file}.copying`, filling);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what it throws rejects
  async begin(source: string): Promise<ReadonlyMap<string, Position>> {
    const { connection } = this;
    connection.db.exec('create table if not exists store_copy (name text primary key, position text not null) strict');
    const known = connection.get("select position from store_copy where name = 'source'")?.['position'] as string | undefined;
    if (known !== undefined && known !== source) throw new Occupied(`${this.name} has the beginning of a copy of ${known}.`);
    if (known === undefined) {
      // rows go in quicker without; they are built in the end
      for (const { name } of indexesOf(connection)) connection.db.exec(`drop index ${name}`);
      connection.run("insert into store_copy (name, position) values ('source', ?)", source);
    }
    return new Map(
      connection
        .all("select name, position from store_copy where name <> 'source'")
        .map(({ name, position }) => [String(name), JSON.parse(String(position)) as Position]),
    );
  }

  write({ name, columns }: CopyTable, { rows, next }: Piece): Promise<void> {
    const { connection } = this;
    const text = `insert into ${name} (${lists(columns)}) values (${columns.map(() => '?').join(', ')})`;
    connection.db.exec('begin immediate');
    for (const row of rows)
      connection.run(text, ...columns.map(({ indexed }, at) => this.restored(row, row[at] ?? null, indexed === true)));
    connection.run('insert or replace into store_copy (name, position) values (?, ?)', name, JSON.stringify(next));
    connection.db.exec('commit');
    return Promise.resolve();
  }

  private restored([rid = null]: Row, cell: Cell, indexed: boolean): Cell {
    if (!indexed || typeof cell !== 'string' || !isShortened(cell)) return cell;
    const body = this.connection.get('select body from resource where rid = ?', rid)?.['body'];
    return typeof body === 'string' ? wholeText(cell, body) : cell;
  }

  complete(): Promise<void> {
    const model = new Connection(':memory:', '');
    migrate(model.db);
    const present = new Set(indexesOf(this.connection).map(({ name }) => name));
    for (const { name, sql } of indexesOf(model)) if (!present.has(name)) this.connection.db.exec(sql);
    model.close();
    return Promise.resolve();
  }

  release(): Promise<void> {
    this.connection.db.exec('drop table store_copy; pragma optimize; pragma wal_checkpoint(truncate)');
    this.letGo();
    this.released = true;
    for (const suffix of ['-wal', '-shm']) rmSync(this.file + suffix, { force: true });
    renameSync(`${this.file}.copying`, this.file);
    return Promise.resolve();
  }

  override close(): Promise<void> {
    return this.released ? Promise.resolve() : super.close();
  }
}

/** A store that was never opened, or only migrated. */
const refuseUnlessEmpty = async (file: string): Promise<void> => {
  if (!existsSync(file)) return;
  const present = new SqliteCopySource(`sqlite:${file}`, file);
  try {
    for (const table of copyTables)
      if ((await present.count(table)) > 0) throw new Occupied(`${present.name} is not empty: a store is copied into one of its own.`);
  } finally {
    await present.close();
  }
};

/** The embedded store in `file`, to be copied. Throws Occupied when a server has it open. */
export const openSqliteSource = (file: string): CopySource => {
  if (!existsSync(file)) throw new Error(`there is no ${file}`);
  return new SqliteCopySource(`sqlite:${file}`, file);
};

/** An embedded store to copy into. Throws Occupied when there is one already. */
export const openSqliteTarget = async (file: string): Promise<CopyTarget> => {
  await mkdir(path.dirname(file), { recursive: true });
  await refuseUnlessEmpty(file);
  return new SqliteCopyTarget(file);
};
