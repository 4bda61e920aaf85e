import { columnOf, homeParam, isKeptFor, narrowTables, plainType, pointOf } from '../layout.js';
import type { Key, Put, Reindex, Value } from '../port.js';
import type { Writer } from './apply-unit.js';
import type { Terms } from './terms.js';

export type Cell = string | number;
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

export const indexRowsOf = (
  terms: Pick<Terms, 'intern'>,
  rowType: string,
  values: readonly Value[],
  ridOf: (target: Key) => number,
): IndexRows => {
  const type = plainType(rowType);
  const rows = Object.fromEntries(kinds.map((kind) => [kind, new Map()])) as Record<Kind, Map<string, readonly Cell[]>>;
  for (const value of values) {
    if (inColumn(type, value)) continue;
    // an alias is searched at its home and needs no rows of its own
    if (homeParam(type, value.param) !== value.param) continue;
    const cells = [terms.intern(`${type}.${value.param}`), ...cellsOf(terms, value, ridOf)];
    rows[value.kind].set(cells.join('\u0000'), cells);
  }
  return { rows, narrow: narrowCells(terms, type, values, ridOf) };
};

/** Replaces the index rows of one resource: only what differs between the old and the new values is written. */
export const writeValues = (writer: Writer, put: Put, rid: number, ridOf: (target: Key) => number): void => {
  const { rows, narrow } = indexRowsOf(writer.terms, put.type, put.body === undefined ? [] : put.values, ridOf);
  if (narrow?.table === 'slot_index') countSlot(writer, rid, -1);
  if (narrow && put.body === undefined) writer.connection.run(`delete from ${narrow.table} where rid = ?`, rid);
  else if (narrow)
    writer.connection.run(
      `insert or replace into ${narrow.table} (rid, ${narrow.columns.join(', ')}) values (?, ${narrow.columns.map(() => '?').join(', ')})`,
      rid,
      ...narrow.cells,
    );
  if (narrow?.table === 'slot_index' && put.body !== undefined) countSlot(writer, rid, 1);
  for (const kind of kinds) replace(writer, kind, rid, rows[kind], put.version > 0 ? () => true : undefined);
};

/** Replaces the index rows of some parameters of one resource, which have no columns. */
export const replaceValues = (writer: Writer, { type, params, values }: Reindex, rid: number, ridOf: (target: Key) => number): void => {
  const { rows } = indexRowsOf(writer.terms, type, values, ridOf);
  const isOf = (term: number): boolean => params.some((param) => isKeptFor(writer.terms.textOf(term), type, param));
  for (const kind of kinds) replace(writer, kind, rid, rows[kind], isOf);
};

/** Takes a slot, as its row stands, out of its day's counter of free ones, or puts it in. */
const countSlot = ({ connection, terms }: Writer, rid: number, change: 1 | -1): void => {
  connection.run(
    `insert into slot_day (schedule, day, free) select schedule, start_at / 86400000, ? from slot_index
     where rid = ? and status = ? and schedule is not null and start_at is not null
     on conflict (schedule, day) do update set free = free + excluded.free`,
    change,
    rid,
    terms.find('free') ?? 0,
  );
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

/** `isOld` tells of a parameter's term whether rows of it that are not wanted any more go; undefined: there are none. */
const replace = (
  writer: Writer,
  kind: Kind,
  rid: number,
  wanted: ReadonlyMap<string, readonly Cell[]>,
  isOld: ((term: number) => boolean) | undefined,
): void => {
  const [table, ...columns] = indexTables[kind];
  const names = ['param', ...columns];
  const fresh = new Map(wanted);
  if (isOld) {
    for (const row of writer.connection.all(`select ${names.join(', ')} from ${table} where rid = ?`, rid)) {
      const cells = names.map((name) => row[name] as Cell);
      if (isOld(row['param'] as number) && !fresh.delete(cells.join('\u0000')))
        writer.connection.run(`delete from ${table} where rid = ? and ${names.map((name) => `${name} = ?`).join(' and ')}`, rid, ...cells);
    }
  }
  for (const cells of fresh.values())
    writer.connection.run(
      `insert or ignore into ${table} (${names.join(', ')}, rid) values (${names.map(() => '?').join(', ')}, ?)`,
      ...cells,
      rid,
    );
};

const narrowCells = (
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
