import { sql } from 'kysely';
import type { Dialect, Fragment } from './dialect.js';
import type { TermNumber } from './homes.js';

const dayMs = 86_400_000;

/**
 * The free slots of diaries that begin in [from, until): whole days from their counters, the days at both ends from the slots
 * themselves, so that the cost grows with neither. One statement, so that count and first slot are of one committed state.
 */
export const availabilityQuery = (
  dialect: Dialect,
  term: TermNumber,
  schedules: readonly string[],
  from: number,
  until: number,
): Fragment => {
  const [firstDay, lastDay] = [Math.floor(from / dayMs), Math.floor(until / dayMs)];
  const free = term('free');
  const slots = (low: number, high: number): Fragment =>
    sql`(select count(*) from slot_index h where h.schedule = s.rid and h.status = ${free} and h.start_at >= ${low} and h.start_at < ${high})`;
  const whole = sql`coalesce((select sum(d.free) from slot_day d where d.schedule = s.rid and d.day > ${firstDay} and d.day < ${lastDay}), 0)`;
  const counts = firstDay === lastDay ? [slots(from, until)] : [slots(from, (firstDay + 1) * dayMs), whole, slots(lastDay * dayMs, until)];
  const first = sql`(select h.rid from slot_index h where h.schedule = s.rid and h.status = ${free} and h.start_at >= ${from}
    order by h.start_at, h.rid ${dialect.limit(1)})`;
  return sql`select a.schedule, a.n, r.id, r.version, r.last_updated, r.body from (
      select s.id as schedule, ${sql.join(counts, sql` + `)} as n, ${first} as first_rid from resource s
      where s.type = ${term('Schedule')} and s.id in (${dialect.elements(sql`${JSON.stringify(schedules)}`)})) a
    left join resource r on r.rid = a.first_rid`;
};
