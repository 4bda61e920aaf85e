import { keyText } from '../key-text.js';
import { narrowTables } from '../layout.js';
import type { Claim, Key, Put, WorklistPlace } from '../port.js';
import { placeCells } from '../sqlite/worklist-rows.js';
import type { Cell } from '../sqlite/owned-rows.js';
import { indexRowsOf, indexTables, kinds } from '../sqlite/write-values.js';
import { cellNames } from './batch.js';
import type { Input, Load } from './database.js';
import type { Terms } from './terms.js';

type Type = Load['columns'][number]['type'];
type Column = readonly [name: string, type: Type];

const searchColumn = (name: string): Column => {
  if (['code', 'value', 'word'].includes(name)) return [name, 'text'];
  if (['low', 'high', 'x', 'y', 'z'].includes(name)) return [name, 'float'];
  return [name, name === 'target' ? 'bigint' : 'int'];
};
const narrowType = (kind: string): Type => (kind === 'span' ? 'float' : kind === 'token' ? 'int' : 'bigint');

/** In the order in which they are written: what is referred to first. */
export const tables: Readonly<Record<string, readonly Column[]>> = {
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
  entry: [
    ['kind', 'text'],
    ['key', 'text'],
    ['version', 'int'],
    ['body', 'bytes'],
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

export const nameOf = ({ type, id }: Key): string => `${type}/${id}`;

const shortened = (cell: Cell): Cell => (typeof cell === 'string' ? keyText(cell) : cell);

/** Rows of new resources on their way into the tables, many at a time. The numbers of all rows and terms are known. */
export class BulkRows {
  private rows = new Map<string, (readonly Input[])[]>();
  /** rows that wait */
  waiting = 0;

  constructor(private readonly terms: Terms) {}

  /** body null: a row that is only referred to */
  addRow(key: Key, rid: number, body: string | null, lastUpdated: number): void {
    this.stage('resource', [rid, this.terms.number(key.type), key.id, body === null ? 0 : 1, lastUpdated, body]);
    this.stage('live', [rid]);
  }

  addCommit(key: Key, rid: number, sequence: number, at: number): void {
    this.stage('commit_log', [sequence, at, this.terms.number(key.type), rid, 1]);
  }

  addIndex({ type, values, accessKeys, accessLinks }: Put, rid: number, ridOf: (target: Key) => number): void {
    const { rows, narrow } = indexRowsOf({ intern: (text) => this.terms.number(text) }, type, values, ridOf);
    if (narrow) this.stage(narrow.table, [rid, ...narrow.cells]);
    for (const kind of kinds) {
      // texts that are kept as their beginning and hash may have become equal
      const kept = new Map([...rows[kind].values()].map((cells) => [JSON.stringify(cells.map(shortened)), cells]));
      for (const cells of kept.values()) this.stage(indexTables[kind][0], [rid, ...cells]);
    }
    for (const key of new Set(accessKeys)) this.stage('access_key', [rid, key]);
    const links = accessLinks.map(({ child, root }) => [ridOf(child), ridOf(root), rid] as const);
    for (const link of new Map(links.map((cells) => [cells.join(), cells])).values()) this.stage('access_link', link);
  }

  addClaim({ kind, key, owner, expires }: Claim): void {
    this.stage('claim', [kind, key, owner, expires ?? null]);
  }

  addEntry(kind: string, key: string, body: string, expires: number | undefined): void {
    this.stage('entry', [kind, key, 1, body, expires ?? null]);
  }

  addPlace(referral: string, place: WorklistPlace): void {
    this.stage('worklist', placeCells(referral, place));
  }

  private stage(table: string, cells: readonly (Cell | null)[]): void {
    const staged = this.rows.get(table) ?? [];
    this.rows.set(table, staged);
    staged.push((tables[table] ?? []).map(([, type], at) => inputOf(cells[at], type)));
    this.waiting++;
  }

  /** What waits of one table. */
  of(table: string): readonly (readonly Input[])[] {
    return this.rows.get(table) ?? [];
  }

  /** All that waits, in the order in which it can be written; nothing waits any more. */
  take(): readonly Load[] {
    const loads = Object.entries(tables).map(([table, columns]): Load => ({
      table,
      columns: columns.map(([name, type]) => ({ name, type })),
      rows: this.of(table),
    }));
    this.rows = new Map();
    this.waiting = 0;
    return loads.filter((load) => load.rows.length > 0);
  }
}
