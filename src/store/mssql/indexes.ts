import type { Database } from './database.js';
import { scripts } from './schema/scripts.js';

type Index = { readonly name: string; readonly table: string; readonly text: string };

/**
 * The indexes that only answer reads, as the schema scripts make them. The unique ones are rules, and some are what a load itself looks
 * targets up by: they stay.
 */
const readIndexes = (): readonly Index[] =>
  scripts.flatMap(({ steps }) =>
    steps.flatMap(({ text }) => {
      const [, name = '', table = ''] = /^create index (\w+) on (\w+)/.exec(text) ?? [];
      return name === '' ? [] : [{ name, table, text }];
    }),
  );

/** Rows then go to the end of their tables alone. */
export const dropReadIndexes = async (database: Database): Promise<void> => {
  for (const { name, table } of readIndexes()) await database.execute(`drop index if exists ${name} on ${table}`);
};

/** Each is one sort of its table. `say` is told which one is at work. */
export const buildReadIndexes = async (database: Database, say: (phase: string) => void): Promise<void> => {
  for (const { name, table, text } of readIndexes()) {
    say(`builds ${name}`);
    await database.execute(`drop index if exists ${name} on ${table}`);
    await database.execute(text);
  }
};

/**
 * Has the server count again what its tables hold, once they were filled: a plan made for empty tables walks them. A login that may not
 * leaves it to the server, which does so by and by.
 */
export const countAnew = async (database: Pick<Database, 'execute'>): Promise<void> => {
  await database.execute('exec sp_updatestats').catch(() => undefined);
};

/** Counts the free slots of each diary and day from the slots themselves, once all of them were filled in. */
export const countFreeSlots = (database: Pick<Database, 'execute'>): Promise<void> =>
  database.execute(`delete from slot_day;
insert into slot_day (schedule, day, free) select d.schedule, d.day, count(*)
  from (select h.schedule, h.start_at / 86400000 as day from slot_index h inner join term t on t.id = h.status
    where t.text = 'free' and h.schedule is not null and h.start_at is not null) d group by d.schedule, d.day`);
