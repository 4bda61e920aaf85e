import { sql } from 'kysely';
import type { Sight } from '../port.js';
import { bind, type At } from './bindings.js';
import { always, never, type Dialect, type Fragment } from './dialect.js';

const withKeys = (dialect: Dialect, keys: readonly (Fragment | string)[], rid: Fragment): Fragment => {
  if (keys.length === 0) return never;
  const list = sql.join(keys);
  return sql`(exists (select 1 as one from access_key a where a.rid = ${rid} and ${sql.ref('a.key')} in (${list}))
    or exists (select 1 as one from access_link l ${dialect.join} access_key a on a.rid = l.root where l.child = ${rid} and ${sql.ref('a.key')} in (${list})))`;
};

/** Whether the caller may see the row: through its own keys, or through those of a row it is linked to. */
export const sightTest = (dialect: Dialect, sight: Sight, rid: Fragment): Fragment =>
  sight === 'all' ? always : withKeys(dialect, sight.keys, rid);

/** The key of a sight that a run brings. */
export const keyAt = (at: At<Sight>, index: number): Fragment =>
  bind((run) => {
    const sight = at(run);
    return sight === 'all' ? '' : (sight.keys[index] ?? '');
  });

/** The same with the keys bound by each run; `shape` tells how many they are. */
export const boundSightTest = (dialect: Dialect, shape: Sight, at: At<Sight>, rid: Fragment): Fragment =>
  shape === 'all'
    ? always
    : withKeys(
        dialect,
        shape.keys.map((_, index) => keyAt(at, index)),
        rid,
      );
