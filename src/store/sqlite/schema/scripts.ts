import { script as first } from './0001-first.js';
import { script as entriesAndAudit } from './0002-entries-and-audit.js';
import { script as worklists } from './0003-worklists.js';
import { script as linksByRoot } from './0004-links-by-root.js';
import { script as freeSlots } from './0005-free-slots-in-memory.js';
import { script as onlyWhatExpires } from './0006-only-what-expires.js';
import { script as newestReferrals } from './0007-newest-referrals.js';
import { script as worklistRevisions } from './0008-worklist-revisions.js';

export type Script = {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  /** the oldest program that may still run on a database with this script: the number of its newest own script */
  readonly runsWith: number;
};

/** In order; a released script is never changed (its checksum is kept in the database). */
export const scripts: readonly Script[] = [
  { number: 1, name: 'first', sql: first, runsWith: 1 },
  { number: 2, name: 'entries and audit', sql: entriesAndAudit, runsWith: 2 },
  { number: 3, name: 'worklists', sql: worklists, runsWith: 3 },
  { number: 4, name: 'links by root', sql: linksByRoot, runsWith: 3 },
  { number: 5, name: 'free slots in memory', sql: freeSlots, runsWith: 5 },
  { number: 6, name: 'only what expires', sql: onlyWhatExpires, runsWith: 5 },
  { number: 7, name: 'newest referrals', sql: newestReferrals, runsWith: 5 },
  { number: 8, name: 'worklist revisions', sql: worklistRevisions, runsWith: 5 },
];
