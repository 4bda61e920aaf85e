import { sql, type RawBuilder } from 'kysely';
import type { Sight } from '../port.js';

/** Whether the caller may see the row: through its own keys, or through those of a row it is linked to. */
export const sightTest = (sight: Sight, rid: RawBuilder<unknown>): RawBuilder<unknown> => {
  if (sight === 'all') return sql`1`;
  if (sight.keys.length === 0) return sql`0`;
  const keys = sql.join(sight.keys);
  return sql`(exists (select 1 from access_key a where a.rid = ${rid} and a.key in (${keys}))
    or exists (select 1 from access_link l cross join access_key a on a.rid = l.root where l.child = ${rid} and a.key in (${keys})))`;
};
