import type { Connection } from './connection.js';

export type Cell = string | number;
type Written = Cell | null;

/** The statements over the rows of a table that belong to one owner. */
export type OwnedRows = { readonly columns: readonly string[]; readonly select: string; readonly remove: string; readonly insert: string };

/** `owner`: the column that says whose a row is; `columns`: the others, which make it what it is. */
export const ownedRows = (table: string, owner: string, columns: readonly string[]): OwnedRows => ({
  columns,
  select: `select ${columns.join(', ')} from ${table} where ${owner} = ?`,
  remove: `delete from ${table} where ${owner} = ? and ${columns.map((name) => `${name} = ?`).join(' and ')}`,
  insert: `insert or ignore into ${table} (${columns.join(', ')}, ${owner}) values (${columns.map(() => '?').join(', ')}, ?)`,
});

/** What tells a row from the others of its owner. */
export const nameOfRow = (cells: readonly Cell[]): string => cells.join('\u0000');

/**
 * Makes the rows of an owner those that are wanted, by `nameOfRow`. Only what differs is written: a row that is taken out and put in again
 * costs a page of each of its indexes, in the log and then in the file.
 *
 * @param isOld tells of a row's first cell whether such rows that are not wanted any more go; undefined: the owner has none yet
 */
export const replaceRows = (
  connection: Connection,
  { columns, select, remove, insert }: OwnedRows,
  owner: number,
  wanted: ReadonlyMap<string, readonly Cell[]>,
  isOld: ((first: Cell) => boolean) | undefined,
): void => {
  const kept = new Set<string>();
  if (isOld)
    for (const row of connection.all(select, owner)) {
      const cells = columns.map((name) => row[name] as Cell);
      const name = nameOfRow(cells);
      if (wanted.has(name)) kept.add(name);
      else if (isOld(cells[0] ?? 0)) connection.run(remove, owner, ...cells);
    }
  for (const [name, cells] of wanted) if (!kept.has(name)) connection.run(insert, ...cells, owner);
};

/**
 * Writes the cells of a row that differ: each that is written, though the same, is taken out of every index that has it and put in again.
 * Whether any did.
 */
export const updateChanged = (
  connection: Connection,
  { table, key, columns }: { readonly table: string; readonly key: string; readonly columns: readonly string[] },
  before: Readonly<Record<string, unknown>>,
  cells: readonly (Written | undefined)[],
  owner: number,
): boolean => {
  const changed = columns.flatMap((name, at) => (before[name] === cells[at] ? [] : [{ name, cell: cells[at] ?? null }]));
  if (changed.length === 0) return false;
  const text = `update ${table} set ${changed.map(({ name }) => `${name} = ?`).join(', ')} where ${key} = ?`;
  connection.run(text, ...changed.map(({ cell }) => cell), owner);
  return true;
};
