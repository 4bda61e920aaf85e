/**
 * What a store holds, table by table, as it is copied from one store to another: the rows of the embedded store's schema, which the
 * other engine reads and writes in its own form. Row numbers and term numbers stay the same, so that index rows are copied as they are.
 */
export type Cell = string | number | null;
export type Row = readonly Cell[];

export type Column = {
  readonly name: string;
  readonly kind: 'whole' | 'real' | 'text' | 'body';
  /** a text that an index may hold shortened (mssql/terms) */
  readonly indexed?: true;
};

export type CopyTable = {
  readonly name: string;
  readonly columns: readonly Column[];
  /**
   * what a copy goes along: a number, of which each step takes so many (`row`: the one that an engine itself gives to each row); or two columns
   * that are unique together
   */
  readonly along: { readonly number: string; readonly step: number } | { readonly pair: readonly [string, string]; readonly step: number };
};

const whole = (name: string): Column => ({ name, kind: 'whole' });
const real = (name: string): Column => ({ name, kind: 'real' });
const text = (name: string): Column => ({ name, kind: 'text' });
const indexed = (name: string): Column => ({ name, kind: 'text', indexed: true });
const body: Column = { name: 'body', kind: 'body' };

const searchTable = (name: string, ...columns: readonly Column[]): CopyTable => ({
  name,
  columns: [whole('rid'), whole('param'), ...columns],
  along: { number: 'rid', step: 2000 },
});

/** In the order in which they are written: what is referred to first. */
export const copyTables = [
  { name: 'term', columns: [whole('id'), indexed('text')], along: { number: 'id', step: 2000 } },
  {
    name: 'resource',
    columns: ['rid', 'type'].map(whole).concat(text('id'), ['version', 'last_updated', 'committed_at', 'sequence'].map(whole), body),
    along: { number: 'rid', step: 1000 },
  },
  {
    name: 'resource_version',
    columns: [...['rid', 'version', 'type', 'last_updated', 'committed_at', 'sequence'].map(whole), body],
    along: { number: 'rid', step: 1000 },
  },
  searchTable('search_token', indexed('code'), whole('system')),
  searchTable('search_reference', whole('target')),
  searchTable('search_range', real('low'), real('high')),
  searchTable('search_text', indexed('value')),
  searchTable('search_position', whole('cell'), real('x'), real('y'), real('z')),
  searchTable('search_word', indexed('word')),
  { name: 'slot_index', columns: ['rid', 'schedule', 'status', 'start_at'].map(whole), along: { number: 'rid', step: 5000 } },
  {
    name: 'service_request_index',
    columns: [...['rid', 'subject', 'status'].map(whole), real('authored'), real('authored_end')],
    along: { number: 'rid', step: 5000 },
  },
  { name: 'access_key', columns: [whole('rid'), text('key')], along: { number: 'rid', step: 5000 } },
  { name: 'access_link', columns: ['child', 'root', 'source'].map(whole), along: { number: 'source', step: 5000 } },
  {
    name: 'worklist',
    columns: [
      ...[...['referral', 'list', 'owner'].map(text), whole('authored'), ...['service', 'specialty'].map(text)],
      ...[whole('until'), whole('due'), { name: 'item', kind: 'body' } as const],
    ],
    along: { number: 'row', step: 5000 },
  },
  { name: 'claim', columns: [text('kind'), text('key'), text('owner'), whole('expires')], along: { pair: ['kind', 'key'], step: 2000 } },
  {
    name: 'entry',
    columns: [text('kind'), text('key'), whole('version'), body, whole('expires')],
    along: { pair: ['kind', 'key'], step: 2000 },
  },
  { name: 'audit_link', columns: [text('chain'), whole('number'), text('hash'), body], along: { pair: ['chain', 'number'], step: 1000 } },
] as const satisfies readonly CopyTable[];

/** Where a table is copied up to; the last one says that it is done. */
export type Position = readonly (string | number)[] | 'end';
export type Piece = { readonly rows: readonly Row[]; readonly next: Position };

export interface CopySource {
  /** what tells this store from others, without a password */
  readonly name: string;
  count(table: CopyTable): Promise<number>;
  /** the rows that follow a position; all of them together are the table */
  read(table: CopyTable, after: Position | undefined): Promise<Piece>;
  close(): Promise<void>;
}

export interface CopyTarget extends CopySource {
  /** how far an earlier copy of this source came. Throws Occupied when the store holds anything else. */
  begin(source: string): Promise<ReadonlyMap<string, Position>>;
  /** all of it, with the position after it, or nothing */
  write(table: CopyTable, piece: Piece): Promise<void>;
  /** what makes the rows a store: indexes, counters */
  complete(): Promise<void>;
  /** from here on it may be served */
  release(): Promise<void>;
}
