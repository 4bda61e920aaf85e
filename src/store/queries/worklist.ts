import { sql } from 'kysely';
import type { WorklistPage, WorklistQuery, WorklistRow } from '../port.js';
import type { Dialect, Fragment, Parameter } from './dialect.js';
import { decodePosition, encodePosition } from './position.js';

type Row = Readonly<Record<string, unknown>>;

/** A query with the position that it goes on after. */
export type WorklistRun = WorklistQuery & { readonly position: readonly Parameter[] };
type Value = (read: (run: WorklistRun) => Parameter) => Fragment;

export const worklistRun = (query: WorklistQuery): WorklistRun => ({
  ...query,
  position: query.after === undefined ? [] : decodePosition(query.after),
});

/** Queries of one shape have the same statement. */
export const worklistShape = ({ owner, services, specialty, after }: WorklistQuery): string =>
  `${String(owner !== undefined)} ${services === undefined ? '' : services.length === 1 ? 'one' : 'several'} ${String(specialty !== undefined)} ${String(after !== undefined)}`;

/** One page of a worklist and a row more, by one seek: of one service, of an organisation, or of all. `value` writes what differs within a shape. */
export const worklistQuery = (dialect: Dialect, query: WorklistRun, value: Value = (read) => sql`${read(query)}`): Fragment => {
  const { owner, services, specialty, after } = query;
  const isOne = services?.length === 1;
  // the service is the narrower of the two, and several of them are tested on the rows of the organisation
  const ownerColumn = isOne ? dialect.unindexed(sql`w.owner`) : sql`w.owner`;
  const service = isOne
    ? sql`w.service = ${value((run) => run.services?.[0] ?? '')}`
    : sql`${dialect.unindexed(sql`w.service`)} in (${dialect.elements(value((run) => JSON.stringify(run.services)))})`;
  const tests = [
    sql`w.list = ${value(({ list }) => list)}`,
    ...(owner === undefined ? [] : [sql`${ownerColumn} = ${value((run) => run.owner ?? '')}`]),
    ...(services === undefined ? [] : [service]),
    ...(specialty === undefined ? [] : [sql`w.specialty = ${value((run) => run.specialty ?? '')}`]),
    sql`(w.until is null or w.until > ${value(({ now }) => now)})`,
  ];
  if (after !== undefined) {
    const authored = value(({ position }) => position[0] ?? 0);
    tests.push(sql`w.authored >= ${authored} and (w.authored > ${authored} or w.referral > ${value(({ position }) => position[1] ?? '')})`);
  }
  return sql`select w.referral, w.authored, w.due, w.until, w.item from worklist w
    where ${sql.join(tests, sql` and `)} order by w.authored, w.referral ${dialect.limit(value(({ count }) => count + 1))}`;
};

/** `rows` are those of the page and, where the list goes on, one more. */
export const worklistPage = (rows: readonly WorklistRow[], { count }: WorklistQuery): WorklistPage => {
  const shown = rows.slice(0, count);
  const last = shown.at(-1);
  return { rows: shown, next: rows.length > count && last ? encodePosition([last.authored, last.referral]) : undefined };
};

/** `textOf` reads an item as the engine gives it. */
export const worklistRow = (row: Row, textOf: (item: unknown) => string): WorklistRow => ({
  referral: String(row['referral']),
  authored: Number(row['authored']),
  ...(row['due'] === null ? {} : { due: Number(row['due']) }),
  ...(row['until'] === null ? {} : { until: Number(row['until']) }),
  item: textOf(row['item']),
});

/** A character that no JSON text holds as it stands. */
const between = '\u001e';

/**
 * The same page as two texts, of which the engine makes what were four values a row otherwise: what leads to the items, and the items.
 * What is selected in an order is gathered in it.
 */
export const gatheredWorklist = (query: Fragment): Fragment => sql`select
  group_concat(w.referral || ' ' || w.authored || ' ' || coalesce(w.due, '') || ' ' || coalesce(w.until, ''), char(30)), group_concat(w.item, char(30)) from (${query}) w`;

export const gatheredRows = ([heads, items]: readonly unknown[]): readonly WorklistRow[] => {
  if (typeof heads !== 'string' || typeof items !== 'string') return [];
  const texts = items.split(between);
  return heads.split(between).map((head, index) => {
    const [referral = '', authored, due = '', until = ''] = head.split(' ');
    return {
      referral,
      authored: Number(authored),
      ...(due === '' ? {} : { due: Number(due) }),
      ...(until === '' ? {} : { until: Number(until) }),
      item: texts[index] ?? '',
    };
  });
};
