import { createHash } from 'node:crypto';
import type { DatabaseSyncInstance } from '@photostructure/sqlite';
import { scripts, type Script } from './schema/scripts.js';

const newest = Math.max(...scripts.map(({ number }) => number));
const checksum = (script: Script): string => createHash('sha256').update(script.sql).digest('hex');

type Applied = { readonly number: number; readonly checksum: string; readonly runs_with: number | null };

const appliedTo = (db: DatabaseSyncInstance): ReadonlyMap<number, Applied> => {
  const rows = db.prepare('select number, checksum, runs_with from schema_script').all() as readonly Applied[];
  return new Map(rows.map((row) => [row.number, row]));
};

/**
 * Brings the schema to the newest script, in one transaction: two servers starting at once wait for each other.
 * A script that this program does not know is accepted when it says that this program may run with it, so that a release can be taken
 * back. Throws for any other one, and for one with another text.
 */
export const migrate = (db: DatabaseSyncInstance): void => {
  db.exec('begin immediate');
  try {
    db.exec(
      'create table if not exists schema_script (number integer primary key, name text not null, checksum text not null, applied_at text not null default current_timestamp, runs_with integer) strict',
    );
    const columns = db.prepare('pragma table_info(schema_script)').all() as readonly { readonly name: string }[];
    // databases of programs that looked at no version but their own
    if (!columns.some(({ name }) => name === 'runs_with')) db.exec('alter table schema_script add column runs_with integer');
    const applied = appliedTo(db);
    for (const { number, runs_with: runsWith } of applied.values())
      if (!scripts.some((script) => script.number === number) && (runsWith ?? number) > newest)
        throw new Error(
          `The database has schema script ${String(number)}, which this version cannot run with: start the version that made it, or a newer one.`,
        );
    for (const script of scripts) {
      const known = applied.get(script.number)?.checksum;
      if (known === checksum(script)) continue;
      if (known !== undefined) throw new Error(`Schema script ${String(script.number)} of the database differs from this program's.`);
      db.exec(script.sql);
      db.prepare('insert into schema_script (number, name, checksum, runs_with) values (?, ?, ?, ?)').run(
        script.number,
        script.name,
        checksum(script),
        script.runsWith,
      );
    }
    db.exec('commit');
  } catch (error) {
    db.exec('rollback');
    throw error;
  }
};
