import { sql } from 'kysely';
import type { Prefix } from '../port.js';
import type { Fragment } from './dialect.js';

type Ends = { readonly low: Fragment; readonly high: Fragment };

/**
 * R4 search.html#prefix, on half-open ranges: the row's [low, high) against the value's. Each test has a bound that an index on
 * `low` or on `high` can seek.
 */
export const rangeTest = (prefix: Prefix, row: Ends, value: Ends): Fragment => {
  switch (prefix) {
    case 'eq':
      return sql`(${row.low} >= ${value.low} and ${row.low} <= ${value.high} and ${row.high} <= ${value.high})`;
    case 'ne':
      return sql`(${row.low} < ${value.low} or ${row.high} > ${value.high})`;
    case 'gt':
      return sql`(${row.high} > ${value.high})`;
    case 'lt':
      return sql`(${row.low} < ${value.low})`;
    case 'ge':
      // a row that is contained or reaches beyond ends at or after the start
      return sql`(${row.high} >= ${value.low} and (${row.low} >= ${value.low} or ${row.high} > ${value.high}))`;
    case 'le':
      return sql`(${row.low} <= ${value.high} and (${row.high} <= ${value.high} or ${row.low} < ${value.low}))`;
    case 'sa':
      return sql`(${row.low} >= ${value.high})`;
    case 'eb':
      return sql`(${row.high} <= ${value.low})`;
    case 'po':
      return sql`(${row.low} < ${value.high} and ${row.high} > ${value.low})`;
    case 'co':
      return sql`(${row.low} <= ${value.low} and ${row.high} >= ${value.high})`;
  }
};

/** The same for a row that is one moment: every prefix is a seek. */
export const momentTest = (prefix: Prefix, moment: Fragment, value: Ends): Fragment => {
  switch (prefix) {
    case 'eq':
    case 'po':
      return sql`(${moment} >= ${value.low} and ${moment} < ${value.high})`;
    case 'co':
      return sql`(${moment} <= ${value.low} and ${moment} + 1 >= ${value.high})`;
    case 'ne':
      return sql`(${moment} < ${value.low} or ${moment} >= ${value.high})`;
    case 'gt':
    case 'sa':
      return sql`(${moment} >= ${value.high})`;
    case 'lt':
    case 'eb':
      return sql`(${moment} < ${value.low})`;
    case 'ge':
      return sql`(${moment} >= ${value.low})`;
    case 'le':
      return sql`(${moment} < ${value.high})`;
  }
};
