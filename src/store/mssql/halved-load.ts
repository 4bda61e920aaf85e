import type { Database, Inputs, Load } from './database.js';
import { troubleOf } from './server-errors.js';

/** parts that a table's rows are sent in at last */
const mostParts = 32;

const inParts = ({ rows, ...load }: Load, parts: number): readonly Load[] => {
  const each = Math.max(1, Math.ceil(rows.length / parts));
  return Array.from({ length: Math.ceil(rows.length / each) }, (_, part) => ({
    ...load,
    rows: rows.slice(part * each, (part + 1) * each),
  }));
};

/**
 * Rows in bulk, then a statement, in one transaction, as `Database.load`. Not every server that speaks the protocol takes every length of a
 * stream: what it refused is sent again as the same rows in shorter ones, shorter each time. Throws what the driver throws when that
 * fails too.
 */
export const loadOrHalve = async (
  database: Pick<Database, 'load'>,
  loads: readonly Load[],
  text: string,
  inputs: Inputs,
): Promise<void> => {
  for (let parts = 1; ; parts *= 2)
    try {
      const sent = parts === 1 ? loads : loads.flatMap((load) => inParts(load, parts));
      await database.load(sent, text, inputs);
      return;
    } catch (error) {
      // a row that is there already would be so again
      if (troubleOf(error) === 'race' || parts >= mostParts) throw error;
    }
};
