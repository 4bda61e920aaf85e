import { sql, type RawBuilder } from 'kysely';
import type { HistoryScope, Key, Sight, Window } from '../port.js';
import { tsql } from '../queries/dialect.js';
import { sightTest } from '../queries/sight.js';

/** The number of a term; 0 of one that no row has. */
type TermOf = (text: string) => number;

const ridsOf = (term: TermOf, keys: readonly Key[]): RawBuilder<unknown> => {
  const selects = [...new Set(keys.map(({ type }) => type))].map((type) => {
    const ids = JSON.stringify(keys.filter((key) => key.type === type).map(({ id }) => id));
    return sql`select x.rid from (${tsql.elements(sql`${ids}`)}) j ${tsql.join} resource x on x.type = ${term(type)} and x.id = j.value`;
  });
  return sql.join(selects, sql` union all `);
};

/** The time that a version states of itself: superseded ones stand apart. */
const lastUpdatedOf = (version: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`coalesce((select o.last_updated from resource_version o where o.rid = c.rid and o.version = ${version}),
    (select o.last_updated from resource o where o.rid = c.rid and o.version = ${version}))`;

/**
 * The statement of a page of history, newest first or as the window asks: commits, and what was written by each. `before`: the sequence that
 * the page before ended with.
 */
export const historyPage = (
  term: TermOf,
  scope: HistoryScope,
  window: Window,
  before: string | number | null,
  sight: Sight,
): RawBuilder<unknown> => {
  const types = scope.types ?? (scope.type === undefined ? [] : [scope.type]);
  const type = scope.type === undefined ? undefined : term(scope.type);
  const limit = tsql.limit(window.count + 1);
  const direction = sql.raw(window.ascending === true ? 'asc' : 'desc');
  const tests = [
    sql`${sightTest(tsql, sight, sql.raw('c.rid'))}`,
    ...(scope.id === undefined
      ? types.length === 0
        ? []
        : [sql`c.type in (${sql.join(types.map((name) => term(name)))})`]
      : [sql`c.rid = (select x.rid from resource x where x.type = ${type ?? 0} and x.id = ${scope.id})`]),
    ...(scope.keys === undefined ? [] : [sql`c.rid in (${ridsOf(term, scope.keys)})`]),
    // times grow with the sequence, so a time is a place in it
    ...(window.since === undefined
      ? []
      : [
          sql`c.sequence >= coalesce((select min(s.sequence) from commit_log s where s.committed_at >= ${window.since}), 9223372036854775807)`,
        ]),
    ...(window.at === undefined
      ? []
      : [
          sql`${lastUpdatedOf(sql`c.version`)} <= ${window.at.to}`,
          // the version after it is of a later time than the beginning, or has not come yet
          sql`coalesce(${lastUpdatedOf(sql`c.version + 1`)}, 9223372036854775807) > ${window.at.from}`,
        ]),
    ...(before === null ? [] : [window.ascending === true ? sql`c.sequence > ${before}` : sql`c.sequence < ${before}`]),
  ];
  return sql`select c.sequence, r.id, c.type, c.version, case when r.version = c.version then r.last_updated else v.last_updated end as last_updated,
        case when r.version = c.version then r.body else v.body end as body
      from (select c.sequence, c.rid, c.type, c.version from commit_log c where ${sql.join(tests, sql` and `)} order by c.sequence ${direction} ${limit}) c
      inner join resource r on r.rid = c.rid left join resource_version v on v.rid = c.rid and v.version = c.version
      order by c.sequence ${direction} ${limit}`;
};
