import { sql } from 'kysely';
import type { WorklistPage, WorklistQuery } from '../port.js';
import type { Dialect, Fragment } from './dialect.js';
import { decodePosition, encodePosition } from './position.js';

type Row = Readonly<Record<string, unknown>>;

/** One page of a worklist and a row more, by one seek: of one service, of an organisation, or of all. */
export const worklistQuery = (dialect: Dialect, query: WorklistQuery): Fragment => {
  const { list, owner, services, specialty, now, count, after } = query;
  const [only] = services?.length === 1 ? services : [];
  // the service is the narrower of the two, and several of them are tested on the rows of the organisation
  const ownerColumn = only === undefined ? sql`w.owner` : dialect.unindexed(sql`w.owner`);
  const tests = [
    sql`w.list = ${list}`,
    ...(owner === undefined ? [] : [sql`${ownerColumn} = ${owner}`]),
    ...(only === undefined ? [] : [sql`w.service = ${only}`]),
    ...(services === undefined || only !== undefined
      ? []
      : [sql`${dialect.unindexed(sql`w.service`)} in (${dialect.elements(sql`${JSON.stringify(services)}`)})`]),
    ...(specialty === undefined ? [] : [sql`w.specialty = ${specialty}`]),
    sql`(w.until is null or w.until > ${now})`,
  ];
  if (after !== undefined) {
    const [authored = 0, referral = ''] = decodePosition(after);
    tests.push(sql`w.authored >= ${authored} and (w.authored > ${authored} or w.referral > ${referral})`);
  }
  return sql`select w.referral, w.list, w.owner, w.authored, w.service, w.specialty, w.until, w.due, w.item from worklist w
    where ${sql.join(tests, sql` and `)} order by w.authored, w.referral ${dialect.limit(count + 1)}`;
};

const optional = <K extends string, V>(name: K, value: unknown, as: (value: unknown) => V): { readonly [P in K]?: V } =>
  (value === null ? {} : { [name]: as(value) }) as { readonly [P in K]?: V };

/** `textOf` reads an item as the engine gives it. */
export const worklistPage = (rows: readonly Row[], { count }: WorklistQuery, textOf: (item: unknown) => string): WorklistPage => {
  const shown = rows.slice(0, count).map((row) => ({
    referral: String(row['referral']),
    list: String(row['list']),
    owner: String(row['owner']),
    authored: Number(row['authored']),
    ...optional('service', row['service'], String),
    ...optional('specialty', row['specialty'], String),
    ...optional('until', row['until'], Number),
    ...optional('due', row['due'], Number),
    item: textOf(row['item']),
  }));
  const last = shown.at(-1);
  return { rows: shown, next: rows.length > count && last ? encodePosition([last.authored, last.referral]) : undefined };
};
