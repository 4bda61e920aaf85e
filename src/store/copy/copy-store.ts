import { createHash } from 'node:crypto';
import { keyText } from '../key-text.js';
import { copyTables, type Cell, type Column, type CopySource, type CopyTable, type CopyTarget, type Position, type Row } from './tables.js';

export type TableReport = { readonly table: string; readonly rows: number; readonly hash: string };
export type CopyReport = { readonly rows: number; readonly seconds: number; readonly tables: readonly TableReport[] };

const greatest = Number.MAX_VALUE;

/** A cell as both engines can give it back: index texts shortened, numbers within the range of a float. */
const canonical = (cell: Cell | undefined, { kind, indexed }: Column): Cell => {
  if (typeof cell === 'string' && indexed) return keyText(cell);
  if (typeof cell === 'number' && kind === 'real') return Math.max(-greatest, Math.min(greatest, cell));
  return cell ?? null;
};

const bits = 48;
const modulus = 2 ** bits;

/** The number of rows of a table, and a hash of them in whatever order they come. */
const digest = async (store: CopySource, table: CopyTable, say: (rows: number) => void): Promise<TableReport> => {
  const columns: readonly Column[] = table.columns;
  let sum = 0;
  let count = 0;
  const add = (row: Row): void => {
    const text = JSON.stringify(columns.map((column, at) => canonical(row[at], column)));
    sum =
      (sum +
        createHash('sha256')
          .update(text)
          .digest()
          .readUIntBE(0, bits / 8)) %
      modulus;
  };
  for (let after: Position | undefined; after !== 'end';) {
    const piece = await store.read(table, after);
    piece.rows.forEach(add);
    count += piece.rows.length;
    say(piece.rows.length);
    after = piece.next;
  }
  return { table: table.name, rows: count, hash: sum.toString(16).padStart(bits / 4, '0') };
};

/** Both sides read again, and compared: also finds what somebody wrote to the source meanwhile. */
const verify = async (source: CopySource, target: CopySource, say: (rows: number) => void): Promise<readonly TableReport[]> => {
  const reports: TableReport[] = [];
  for (const table of copyTables) {
    const from = await digest(source, table, () => undefined);
    const to = await digest(target, table, say);
    if (from.rows !== to.rows || from.hash !== to.hash)
      throw new Error(
        `${table.name} differs: ${String(from.rows)} rows (${from.hash}) in ${source.name}, ${String(to.rows)} (${to.hash}) in ${target.name}. Was the source written to meanwhile?`,
      );
    reports.push(to);
  }
  return reports;
};

/**
 * Copies all that a store holds into an empty one of the same or the other engine: every version, the audit chains, clients, keys, claims
 * and jobs. A copy that was cut off goes on where it was. Nobody may serve either store meanwhile. Throws Occupied when the target
 * holds anything else, and an Error that names the table when the two differ in the end: the target cannot be served then.
 */
export const copyStore = async (
  source: CopySource,
  target: CopyTarget,
  say: (done: number, total: number, what: string) => void,
): Promise<CopyReport> => {
  const started = performance.now();
  const known = await target.begin(source.name);
  const counts = new Map<string, number>();
  for (const table of copyTables) counts.set(table.name, await source.count(table));
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  let rows = 0;
  for (const table of copyTables) {
    let after = known.get(table.name);
    rows += after === undefined ? 0 : await target.count(table);
    while (after !== 'end') {
      const piece = await source.read(table, after);
      await target.write(table, piece);
      rows += piece.rows.length;
      after = piece.next;
      say(rows, total, table.name);
    }
  }
  say(total, total, 'builds indexes');
  await target.complete();
  let verified = 0;
  const tables = await verify(source, target, (count) => {
    verified += count;
    say(verified, total, 'verified');
  });
  await target.release();
  return { rows: tables.reduce((sum, table) => sum + table.rows, 0), seconds: (performance.now() - started) / 1000, tables };
};
