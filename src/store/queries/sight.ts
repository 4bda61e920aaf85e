import { sql, type RawBuilder } from 'kysely';
import type { Sight } from '../port.js';
import { always, never, type Dialect } from './dialect.js';

/** Whether the caller may see the row: through its own keys, or through those of a row it is linked to. */
export const sightTest = (dialect: Dialect, sight: Sight, rid: RawBuilder<unknown>): RawBuilder<unknown> => {
  if (sight === 'all') return always;
  if (sight.keys.length === 0) return never;
  const keys = sql.join(sight.keys);
  return sql`(exists (select 1 as one from access_key a where a.rid = ${rid} and ${sql.ref('a.key')} in (${keys}))
    or exists (select 1 as one from access_link l ${dialect.join} access_key a on a.rid = l.root where l.child = ${rid} and ${sql.ref('a.key')} in (${keys})))`;
};
