import { sql, type RawBuilder } from 'kysely';
import type { Prefix } from '../port.js';

/** R4 search.html#prefix, on half-open ranges: the row's [low, high) against the value's. */
export const rangeTest = (
  value: { readonly prefix: Prefix; readonly low: number; readonly high: number },
  low: RawBuilder<unknown>,
  high: RawBuilder<unknown>,
): RawBuilder<unknown> => {
  switch (value.prefix) {
    case 'eq':
      return sql`(${low} >= ${value.low} and ${high} <= ${value.high})`;
    case 'ne':
      return sql`(${low} < ${value.low} or ${high} > ${value.high})`;
    case 'gt':
      return sql`(${high} > ${value.high})`;
    case 'lt':
      return sql`(${low} < ${value.low})`;
    case 'ge':
      return sql`(${low} >= ${value.low} or ${high} > ${value.high})`;
    case 'le':
      return sql`(${high} <= ${value.high} or ${low} < ${value.low})`;
    case 'sa':
      return sql`(${low} >= ${value.high})`;
    case 'eb':
      return sql`(${high} <= ${value.low})`;
  }
};
