import { columnOf, homeParam, isKeptFor, narrowTables, plainType, pointOf } from '../layout.js';
import type { Key, Put, Reindex, Value } from '../port.js';
import type { Writer } from './apply-unit.js';
import { nameOfRow, ownedRows, replaceRows, updateChanged, type Cell } from './owned-rows.js';
import type { Terms } from './terms.js';

/** The general tables: the columns beside `param` and `rid`. */
export const indexTables = {
  token: ['search_token', 'code', 'system'],
  reference: ['search_reference', 'target'],
  range: ['search_range', 'low', 'high'],
  text: ['search_text', 'value'],
  position: ['search_position', 'cell', 'x', 'y', 'z'],
  word: ['search_word', 'word'],
} as const;
export type Kind = keyof typeof indexTables;
export const kinds = Object.keys(indexTables) as readonly Kind[];

const inColumn = (type: string, value: Value): boolean => {
  const column = columnOf(type, value.param);
  if (column === undefined) return false;
  return value.kind === 'range' ? column.kind === 'instant' || column.kind === 'span' : column.kind === value.kind;
};

/** Where one resource is found: its rows of the general tables, and the cells of its type's narrow table when it has one. */
export type IndexRows = {
  readonly rows: Readonly<Record<Kind, ReadonlyMap<string, readonly Cell[]>>>;
  readonly narrow: { readonly table: string; readonly columns: readonly string[]; readonly cells: readonly (Cell | null)[] } | undefined;
};

/** Names of parameters as they are interned, made once: a write asks for some dozens of them. */
const names = new Map<string, Map<string, string | undefined>>();

/** Under which name a parameter's values have rows: an alias is searched at its home and has none of its own. */
const keptName = (type: string, param: string): string | undefined => {
  const ofType = names.get(type) ?? new Map<string, string | undefined>();
  names.set(type, ofType);
  if (ofType.has(param)) return ofType.get(param);
  const name = homeParam(type, param) === param ? `${type}.${param}` : undefined;
  // keys of quantities and composites are as many as there are units and codes
  if (ofType.size > mostNames) ofType.clear();
  ofType.set(param, name);
  return name;
};
const mostNames = 2000;

/** The rows of the general tables for a resource's values, each as its parameter's term and its cells; the same row may come twice. */
export const eachRow = (
  terms: Pick<Terms, 'intern'>,
  rowType: string,
  values: readonly Value[],
  ridOf: (target: Key) => number,
  emit: (kind: Kind, param: number, cells: readonly Cell[]) => void,
): void => {
  const type = plainType(rowType);
  for (const value of values) {
    if (inColumn(type, value)) continue;
    const name = keptName(type, value.param);
    if (name !== undefined) emit(value.kind, terms.intern(name), cellsOf(terms, value, ridOf));
  }
};

export const indexRowsOf = (
  terms: Pick<Terms, 'intern'>,
  rowType: string,
  values: readonly Value[],
  ridOf: (target: Key) => number,
): IndexRows => {
  const rows = Object.fromEntries(kinds.map((kind) => [kind, new Map()])) as Record<Kind, Map<string, readonly Cell[]>>;
  eachRow(terms, rowType, values, ridOf, (kind, param, cells) => {
    const row = [param, ...cells];
    rows[kind].set(nameOfRow(row), row);
  });
  return { rows, narrow: narrowCells(terms, plainType(rowType), values, ridOf) };
};

const ofRid = Object.fromEntries(
  kinds.map((kind) => {
    const [table, ...columns] = indexTables[kind];
    return [kind, ownedRows(table, 'rid', ['param', ...columns])];
  }),
) as Readonly<Record<Kind, ReturnType<typeof ownedRows>>>;

const always = (): boolean => true;

/** Replaces the index rows of one resource: only what differs between the old and the new values is written. */
export const writeValues = (writer: Writer, put: Put, rid: number, ridOf: (target: Key) => number): void => {
  const { rows, narrow } = indexRowsOf(writer.terms, put.type, put.body === undefined ? [] : put.values, ridOf);
  if (narrow && put.body === undefined) writer.connection.run(`delete from ${narrow.table} where rid = ?`, rid);
  else if (narrow) putNarrow(writer, narrow, rid, put.version > 0);
  for (const kind of kinds) replaceRows(writer.connection, ofRid[kind], rid, rows[kind], put.version > 0 ? always : undefined);
};

const putNarrow = (
  { connection }: Writer,
  { table, columns, cells }: NonNullable<IndexRows['narrow']>,
  rid: number,
  had: boolean,
): boolean => {
  const before = had ? connection.get(`select ${columns.join(', ')} from ${table} where rid = ?`, rid) : undefined;
  if (!before) {
    connection.run(`insert into ${table} (rid, ${columns.join(', ')}) values (?, ${columns.map(() => '?').join(', ')})`, rid, ...cells);
    return true;
  }
  return updateChanged(connection, { table, key: 'rid', columns }, before, cells, rid);
};

/** Replaces the index rows of one resource: all of them, or those of some parameters, which have no columns. Whether a column changed. */
export const reindexValues = (writer: Writer, { type, params, values }: Reindex, rid: number, ridOf: (target: Key) => number): boolean => {
  const { rows, narrow } = indexRowsOf(writer.terms, type, values, ridOf);
  const moved = narrow !== undefined && params === undefined && putNarrow(writer, narrow, rid, true);
  const isOf = params ? (term: Cell): boolean => params.some((param) => isKeptFor(writer.terms.textOf(Number(term)), type, param)) : always;
  for (const kind of kinds) replaceRows(writer.connection, ofRid[kind], rid, rows[kind], isOf);
  return moved;
};

const cellsOf = (terms: Pick<Terms, 'intern'>, value: Value, ridOf: (target: Key) => number): readonly Cell[] => {
  switch (value.kind) {
    case 'token':
      return [value.code, terms.intern(value.system)];
    case 'reference':
      return [ridOf(value.target)];
    case 'range':
      return [value.low, value.high];
    case 'text':
      return [value.value];
    case 'position': {
      const { cell, x, y, z } = pointOf(value.latitude, value.longitude);
      return [cell, x, y, z];
    }
    case 'word':
      return [value.word];
  }
};

/** The cells of its type's narrow table, for a resource of a type that has one. */
export const narrowCells = (
  terms: Pick<Terms, 'intern'>,
  type: string,
  values: readonly Value[],
  ridOf: (target: Key) => number,
): IndexRows['narrow'] => {
  const narrow = narrowTables[type];
  if (!narrow) return undefined;
  const columns: string[] = [];
  const cells: (Cell | null)[] = [];
  for (const { param, column, kind } of narrow.columns) {
    const value = values.find((candidate) => candidate.param === param && inColumn(type, candidate));
    columns.push(column);
    if (value?.kind === 'reference') cells.push(ridOf(value.target));
    else if (value?.kind === 'token') cells.push(terms.intern(value.code));
    else cells.push(value?.kind === 'range' ? value.low : null);
    if (kind !== 'span') continue;
    columns.push(`${column}_end`);
    cells.push(value?.kind === 'range' ? value.high : null);
  }
  return { table: narrow.table, columns, cells };
};
