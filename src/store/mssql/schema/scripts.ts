import { steps as first } from './0001-first.js';
import { steps as narrowTables } from './0002-narrow-tables.js';
import { steps as worklists } from './0003-worklists.js';
import { steps as linksByRoot } from './0004-links-by-root.js';
import { steps as snapshots } from './0005-snapshots.js';
import { steps as newestReferrals } from './0006-newest-referrals.js';

/** One statement. `optional`: a server that does not take it works without it. */
export type Step = { readonly text: string; readonly optional?: boolean };

export type Script = {
  readonly number: number;
  readonly name: string;
  readonly steps: readonly Step[];
  /** the oldest program that may still run on a database with this script: the number of its newest own script */
  readonly runsWith: number;
};

/** In order; a released script is never changed (its checksum is kept in the database). */
export const scripts: readonly Script[] = [
  { number: 1, name: 'first', steps: first, runsWith: 1 },
  { number: 2, name: 'narrow tables', steps: narrowTables, runsWith: 2 },
  // a program that does not know these tables would leave them behind what it writes
  { number: 3, name: 'worklists', steps: worklists, runsWith: 3 },
  { number: 4, name: 'links by root', steps: linksByRoot, runsWith: 3 },
  { number: 5, name: 'snapshots', steps: snapshots, runsWith: 3 },
  { number: 6, name: 'newest referrals', steps: newestReferrals, runsWith: 3 },
];
