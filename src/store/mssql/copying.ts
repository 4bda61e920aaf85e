import {
  copyTables,
  type Cell,
  type Column,
  type CopySource,
  type CopyTable,
  type CopyTarget,
  type Piece,
  type Position,
  type Row,
} from '../copy/tables.js';
import { jsonText, meant, sentAs } from '../json-text.js';
import { keyText } from '../key-text.js';
import { Occupied } from '../port.js';
import { Database, type Input, type Inputs, type Load } from './database.js';
import { loadOrHalve } from './halved-load.js';
import { countAnew, countFreeSlots } from './indexes.js';
import { migrate } from './migrate.js';

// what the embedded store keeps in the row, this one keeps in the log of commits
const logged: Readonly<Record<string, string>> = {
  resource: 'resource t left join commit_log c on c.rid = t.rid and c.version = t.version',
  resource_version: 'resource_version t inner join commit_log c on c.rid = t.rid and c.version = t.version',
};
const ofLog: ReadonlySet<string> = new Set(['committed_at', 'sequence']);
const small: ReadonlySet<string> = new Set(['version', 'type', 'param', 'system', 'cell', 'status', 'number']);

const expression = ({ name }: CopyTable, column: string): string => {
  // a row that was only referred to has no commit
  if (name === 'resource' && ofLog.has(column)) return `coalesce(c.${column}, 0)`;
  if (name === 'resource_version' && (ofLog.has(column) || column === 'type')) return `c.${column}`;
  return `t.[${column}]`;
};

const greatest = Number.MAX_VALUE;
const fromDatabase = (value: unknown, { kind }: Column): Cell => {
  if (value === null || value === undefined) return null;
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  if (kind === 'whole') return Number(value);
  // what has no bound
  if (kind === 'real') return Math.abs(Number(value)) === greatest ? Math.sign(Number(value)) * Infinity : Number(value);
  return value as string;
};
const toDatabase = (cell: Cell, { kind, indexed }: Column): Input => {
  if (cell === null) return null;
  if (kind === 'body') return Buffer.from(String(cell), 'utf8');
  if (kind === 'real') return Math.max(-greatest, Math.min(greatest, Number(cell)));
  return indexed ? keyText(String(cell)) : cell;
};

const typeOf = ({ name, kind }: Column): Load['columns'][number]['type'] => {
  if (kind === 'body') return 'bytes';
  if (kind === 'real') return 'float';
  if (kind === 'text') return 'text';
  return small.has(name) ? 'int' : 'bigint';
};

class MssqlCopySource implements CopySource {
  constructor(
    readonly name: string,
    protected readonly database: Database,
  ) {}

  async count({ name }: CopyTable): Promise<number> {
    const [row] = await this.database.read(`select count_big(*) as n from ${name}`);
    return Number(row?.['n']);
  }

  async read(table: CopyTable, after: Position | undefined): Promise<Piece> {
    const { columns, along } = table;
    const from = logged[table.name] ?? `${table.name} t`;
    // the driver hands columns back by name, and some names are words of the language
    const wanted = columns.map(({ name }, at) => `${expression(table, name)} as c${String(at)}`).join(', ');
    const rowsOf = async (text: string, inputs: Inputs): Promise<readonly Row[]> => {
      const rows = await this.database.read(text, inputs);
      return rows.map((row) => columns.map((column, at) => fromDatabase(row[`c${String(at)}`], column)));
    };
    if ('number' in along) {
      const start = Number(after?.[0] ?? 0);
      const until = start + along.step;
      const number = along.number === 'row' ? 'entry' : along.number;
      const [end] = await this.database.read(`select max(${number}) as last_number from ${table.name}`);
      const rows = await rowsOf(`select ${wanted} from ${from} where t.${number} > @start and t.${number} <= @until`, {
        start,
        until,
      });
      return { rows, next: until >= Number(end?.['last_number'] ?? 0) ? 'end' : [until] };
    }
    const [first, second] = along.pair;
    const [a, b] = after ?? [];
    const rows = await rowsOf(
      `select top (${String(along.step)}) ${wanted} from ${from}
       ${after === undefined ? '' : `where t.[${first}] > @a or (t.[${first}] = @a and t.[${second}] > @b)`} order by t.[${first}], t.[${second}]`,
      a === undefined || b === undefined ? {} : { a, b },
    );
    const last = rows.at(-1);
    const at = (column: string): string | number => last?.[columns.findIndex(({ name }) => name === column)] ?? '';
    return { rows, next: rows.length < along.step ? 'end' : [at(first), at(second)] };
  }

  close(): Promise<void> {
    return this.database.close();
  }
}

const progress = `update store_copy set position = @position where name = @name;
if @@rowcount = 0 insert into store_copy (name, position) values (@name, @position);`;

class MssqlCopyTarget extends MssqlCopySource implements CopyTarget {
  async begin(source: string): Promise<ReadonlyMap<string, Position>> {
    const [row] = await this.database.read("select object_id('store_copy') as id");
    if (row?.['id'] === null) {
      for (const table of copyTables)
        if ((await this.count(table)) > 0) throw new Occupied(`${this.name} is not empty: a store is copied into one of its own.`);
      await this.database.execute(
        'create table store_copy (name nvarchar(100) not null, position nvarchar(1000) not null, constraint store_copy_pk primary key (name))',
      );
      await this.database.send("insert into store_copy (name, position) values ('source', @source)", { source });
    }
    const rows = await this.database.read('select name, position from store_copy');
    const positions = new Map(rows.map(({ name, position }) => [String(name), String(position)]));
    const known = positions.get('source');
    if (known !== source) throw new Occupied(`${this.name} has the beginning of a copy of ${String(known)}.`);
    positions.delete('source');
    return new Map([...positions].map(([name, position]) => [name, JSON.parse(position) as Position]));
  }

  async write(table: CopyTable, { rows, next }: Piece): Promise<void> {
    const position = { name: table.name, position: JSON.stringify(next) };
    if (table.name === 'term') {
      // an identity column, which a bulk load would number anew
      const text = `set identity_insert term on;
insert into term (id, text) select w.id, translate(w.text, @sent_as, @meant) from openjson(@rows) with (id int '$.id', text nvarchar(400) '$.text') w;
set identity_insert term off;
${progress}`;
      const terms = rows.map(([id = 0, name]) => ({ id, text: keyText(String(name)) }));
      await this.database.load([], text, { ...position, rows: jsonText(terms), sent_as: sentAs, meant });
      return;
    }
    await loadOrHalve(this.database, loadsOf(table, rows), progress, position);
  }

  async complete(): Promise<void> {
    const [last] = await this.database.read('select coalesce(max(rid), 0) + 1 as next_rid from resource');
    await this.database.execute(`alter sequence resource_rid restart with ${String(last?.['next_rid'])}`);
    await this.database.send(`update commit_order set sequence = coalesce((select max(c.sequence) from commit_log c), 0),
      committed_at = coalesce((select max(c.committed_at) from commit_log c), 0) where id = 1`);
    await countFreeSlots(this.database);
    await countAnew(this.database);
  }

  async release(): Promise<void> {
    await this.database.execute('drop table store_copy');
  }
}

const loadsOf = (table: CopyTable, rows: readonly Row[]): readonly Load[] => {
  const own = table.columns
    .map((column, at) => ({ column, at }))
    .filter(({ column: { name } }) => !(table.name in logged && ofLog.has(name)));
  const kept = table.name === 'resource_version' ? own.filter(({ column: { name } }) => name !== 'type') : own;
  const loads: Load[] = [
    {
      table: table.name,
      columns: kept.map(({ column }) => ({ name: column.name, type: typeOf(column) })),
      rows: rows.map((row) => kept.map(({ column, at }) => toDatabase(row[at] ?? null, column))),
    },
  ];
  if (!(table.name in logged)) return loads;
  const place = (name: string): number => table.columns.findIndex((column) => column.name === name);
  const pick = (row: Row, names: readonly string[]): Input[] => names.map((name) => row[place(name)] ?? null);
  const log = ['sequence', 'committed_at', 'type', 'rid', 'version'] as const;
  loads.push({
    table: 'commit_log',
    columns: log.map((name) => ({ name, type: small.has(name) ? 'int' : 'bigint' })),
    rows: rows.filter((row) => Number(row[place('version')]) > 0).map((row) => pick(row, log)),
  });
  if (table.name === 'resource')
    loads.push({
      table: 'live',
      columns: [{ name: 'rid', type: 'bigint' }],
      // what lives, and what was referred to without being there
      rows: rows.filter((row) => row[place('body')] !== null || row[place('version')] === 0).map((row) => pick(row, ['rid'])),
    });
  return loads;
};

/** A name without user and password. */
const nameOf = (url: string): string => {
  const { host, pathname } = new URL(url);
  return `mssql://${host}${pathname}`;
};

const openDatabase = async (url: string): Promise<Database> => {
  const own = new URL(url);
  // a thousand bodies are more than a request of a client ever asks for
  if (!own.searchParams.has('requestTimeout')) own.searchParams.set('requestTimeout', '300000');
  const database = await Database.open(own.href);
  await migrate(database);
  return database;
};

/** The store on SQL Server, to be copied. */
export const openMssqlSource = async (url: string): Promise<CopySource> => new MssqlCopySource(nameOf(url), await openDatabase(url));

/** An empty database on SQL Server to copy into; its schema is made. */
export const openMssqlTarget = async (url: string): Promise<CopyTarget> => new MssqlCopyTarget(nameOf(url), await openDatabase(url));
