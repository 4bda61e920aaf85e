import type { Database, Inputs, Load } from './database.js';
import { troubleOf } from './server-errors.js';

const inHalves = ({ rows, ...load }: Load): readonly Load[] => {
  const middle = Math.ceil(rows.length / 2);
  return [rows.slice(0, middle), rows.slice(middle)].map((some) => ({ ...load, rows: some }));
};

/**
 * Rows in bulk, then a statement, in one transaction, as `Database.load`. Not every server that speaks the protocol takes every length of a
 * stream: what it refused is sent once more as the same rows in shorter ones. Throws what the driver throws when that fails too.
 */
export const loadOrHalve = async (
  database: Pick<Database, 'load'>,
  loads: readonly Load[],
  text: string,
  inputs: Inputs,
): Promise<void> => {
  try {
    await database.load(loads, text, inputs);
  } catch (error) {
    // a row that is there already would be so again
    if (troubleOf(error) === 'race') throw error;
    await database.load(loads.flatMap(inHalves), text, inputs);
  }
};
