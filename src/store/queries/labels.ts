import { sql } from 'kysely';
import type { Dialect, Fragment } from './dialect.js';

/**
 * One row of the type for each of its labels (profiles, tags and security labels), of each kind at most `limit`: all that are in use are
 * on these rows.
 */
export const labelledQuery = (dialect: Dialect, term: (text: string) => number, type: string, limit: number): Fragment => {
  const param = (code: string): number => term(`${type}.${code}`);
  const some = dialect.anyOf(limit);
  const tokens = (code: string): Fragment =>
    sql`select min(t.rid) as rid from search_token t where t.param = ${param(code)} group by t.code, t.system ${some}`;
  const texts = (code: string): Fragment =>
    sql`select min(t.rid) as rid from search_text t where t.param = ${param(code)} group by t.value ${some}`;
  const selects = [tokens('_tag'), tokens('_security'), texts('_profile')];
  const found = sql.join(
    selects.map((select, index) => sql`select * from (${select}) ${sql.ref(`s${String(index)}`)}`),
    sql` union `,
  );
  return sql`select r.rid, r.id, r.type, r.version, r.last_updated, r.body from (${found}) e ${dialect.join} resource r on r.rid = e.rid
    where r.body is not null`;
};
