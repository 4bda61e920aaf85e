import { sql } from 'kysely';
import type { HistoryScope, Sight, Window } from '../port.js';
import type { Dialect, Fragment } from './dialect.js';
import { sightTest } from './sight.js';

type Table = 'resource' | 'resource_version';

/**
 * One page of history, a row more than asked for telling that there is a next one. Each type is a branch of its own over current and
 * superseded versions, a seek into (type, sequence) that stops after a page: types that are not asked for cost nothing, however many
 * rows they have.
 */
export const historyQuery = (
  dialect: Dialect,
  term: (text: string) => number,
  scope: HistoryScope,
  window: Window,
  sight: Sight,
  after: number | undefined,
): Fragment => {
  const direction = sql.raw(window.ascending === true ? 'asc' : 'desc');
  const branch = (table: Table, name: string | undefined): Fragment => {
    const current = table === 'resource';
    const type = name === undefined ? undefined : term(name);
    const ids = scope.keys?.filter((key) => key.type === name).map(({ id }) => id);
    const tests = [
      sql`v.version > 0`,
      ...(scope.id === undefined ? [] : [sql`v.rid = (select i.rid from resource i where i.type = ${type ?? 0} and i.id = ${scope.id})`]),
      ...(scope.id !== undefined || type === undefined ? [] : [sql`v.type = ${type}`]),
      ...(window.since === undefined ? [] : [sql`v.committed_at >= ${window.since}`]),
      ...(window.at === undefined ? [] : [sql`v.last_updated <= ${window.at.to}`]),
      ...(window.at === undefined || current ? [] : [sql`${superseded} > ${window.at.from}`]),
      ...(after === undefined ? [] : [window.ascending === true ? sql`v.sequence > ${after}` : sql`v.sequence < ${after}`]),
      ...(ids === undefined
        ? []
        : [
            sql`v.rid in (select i.rid from (${dialect.elements(sql`${JSON.stringify(ids)}`)}) j ${dialect.join} resource i on i.type = ${type ?? 0} and i.id = j.value)`,
          ]),
      sightTest(dialect, sight, sql.raw('v.rid')),
    ];
    const source = current ? sql`resource v` : sql`resource_version v join resource r on r.rid = v.rid`;
    const id = current ? sql`v.id` : sql`r.id`;
    return sql`select * from (
      select v.rid, ${id} as id, v.type, v.version, v.last_updated, v.sequence, v.body
      from ${source} where ${sql.join(tests, sql` and `)} order by v.sequence ${direction} ${dialect.limit(window.count + 1)}) b`;
  };
  const types: readonly (string | undefined)[] = scope.types ?? [scope.type];
  const branches = types.flatMap((type) => [branch('resource', type), branch('resource_version', type)]);
  return sql`select * from (${sql.join(branches, sql` union all `)}) h order by h.sequence ${direction} ${dialect.limit(window.count + 1)}`;
};

/** From when on the version after `v` was the current one; the newest version has none and is in `resource`. */
const superseded = sql`coalesce((select n.last_updated from resource_version n where n.rid = v.rid and n.version = v.version + 1), r.last_updated)`;
