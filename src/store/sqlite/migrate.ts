import { createHash } from 'node:crypto';
import type { DatabaseSyncInstance } from '@photostructure/sqlite';
import { scripts, type Script } from './schema/scripts.js';

const checksum = (script: Script): string => createHash('sha256').update(script.sql).digest('hex');

/**
 * Brings the schema to the newest script, in one transaction: two servers starting at once wait for each other.
 * Throws when the database has a script that this program does not know, or one with another text.
 */
export const migrate = (db: DatabaseSyncInstance): void => {
  db.exec('begin immediate');
  try {
    db.exec(
      'create table if not exists schema_script (number integer primary key, name text not null, checksum text not null, applied_at text not null default current_timestamp) strict',
    );
    const applied = new Map(
      db
        .prepare('select number, checksum from schema_script')
        .all()
        .map((row: unknown) => {
          const { number, checksum: sum } = row as { number: number; checksum: string };
          return [number, sum] as const;
        }),
    );
    for (const number of applied.keys())
      if (!scripts.some((script) => script.number === number))
        throw new Error(
          `The database has schema script ${String(number)}, which this version does not know: start the version that made it, or a newer one.`,
        );
    for (const script of scripts) {
      const known = applied.get(script.number);
      if (known === checksum(script)) continue;
      if (known !== undefined) throw new Error(`Schema script ${String(script.number)} of the database differs from this program's.`);
      db.exec(script.sql);
      db.prepare('insert into schema_script (number, name, checksum) values (?, ?, ?)').run(script.number, script.name, checksum(script));
    }
    db.exec('commit');
  } catch (error) {
    db.exec('rollback');
    throw error;
  }
};
