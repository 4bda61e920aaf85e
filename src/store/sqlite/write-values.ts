import { columnOf, homeParam, narrowTables } from '../layout.js';
import type { Key, Put, Value } from '../port.js';
import type { Writer } from './apply-unit.js';

type Cell = string | number;
/** The general tables: columns after the parameter, in the order of their primary key, rid last. */
const tables = {
  token: ['search_token', 'code', 'system'],
  reference: ['search_reference', 'target'],
  range: ['search_range', 'low', 'high'],
  text: ['search_text', 'value'],
} as const;
type Kind = keyof typeof tables;

const inColumn = (type: string, value: Value): boolean => {
  const column = columnOf(type, value.param);
  return column !== undefined && column.kind === (value.kind === 'range' ? 'instant' : value.kind);
};

/** Replaces the index rows of one resource: only what differs between the old and the new values is written. */
export const writeValues = (writer: Writer, put: Put, rid: number, ridOf: (target: Key) => number): void => {
  const values = put.body === undefined ? [] : put.values;
  writeColumns(writer, put.type, rid, values, ridOf, put.body === undefined);
  const rows: Record<Kind, Map<string, readonly Cell[]>> = { token: new Map(), reference: new Map(), range: new Map(), text: new Map() };
  for (const value of values) {
    if (inColumn(put.type, value)) continue;
    // an alias is searched at its home and needs no rows of its own
    if (homeParam(put.type, value.param) !== value.param) continue;
    const cells = [writer.terms.intern(`${put.type}.${value.param}`), ...cellsOf(writer, value, ridOf)];
    rows[value.kind].set(cells.join('\u0000'), cells);
  }
  for (const kind of ['token', 'reference', 'range', 'text'] as const) replace(writer, kind, rid, rows[kind], put.version > 0);
};

const cellsOf = (writer: Writer, value: Value, ridOf: (target: Key) => number): readonly Cell[] => {
  switch (value.kind) {
    case 'token':
      return [value.code, writer.terms.intern(value.system)];
    case 'reference':
      return [ridOf(value.target)];
    case 'range':
      return [value.low, value.high];
    case 'text':
      return [value.value];
  }
};

const replace = (writer: Writer, kind: Kind, rid: number, wanted: ReadonlyMap<string, readonly Cell[]>, mayHaveOld: boolean): void => {
  const [table, ...columns] = tables[kind];
  const names = ['param', ...columns];
  const fresh = new Map(wanted);
  if (mayHaveOld) {
    for (const row of writer.connection.all(`select ${names.join(', ')} from ${table} where rid = ?`, rid)) {
      const cells = names.map((name) => row[name] as Cell);
      if (!fresh.delete(cells.join('\u0000')))
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

const writeColumns = (
  writer: Writer,
  type: string,
  rid: number,
  values: readonly Value[],
  ridOf: (target: Key) => number,
  remove: boolean,
): void => {
  const narrow = narrowTables[type];
  if (!narrow) return;
  if (remove) {
    writer.connection.run(`delete from ${narrow.table} where rid = ?`, rid);
    return;
  }
  const cells = narrow.columns.map(({ param }) => {
    const value = values.find((candidate) => candidate.param === param && inColumn(type, candidate));
    if (!value) return null;
    if (value.kind === 'reference') return ridOf(value.target);
    if (value.kind === 'token') return writer.terms.intern(value.code);
    return value.kind === 'range' ? value.low : null;
  });
  const columns = narrow.columns.map(({ column }) => column);
  writer.connection.run(
    `insert or replace into ${narrow.table} (rid, ${columns.join(', ')}) values (?, ${columns.map(() => '?').join(', ')})`,
    rid,
    ...cells,
  );
};
