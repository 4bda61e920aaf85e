import { setTimeout } from 'node:timers/promises';
import type { House } from '../interactions/house.js';
import type { HeldJob } from '../jobs/jobs.js';
import type { Stored } from '../store/port.js';
import { allAnew, writeLostRows } from './index-anew.js';
import { outdated } from './outdated.js';
import { walk, type Place } from './walk.js';

const prefix = 'search-index:';

const indexAnew = async (house: House, rows: readonly Stored[]): Promise<void> => {
  // first the rows that the others may refer to
  await writeLostRows(house, rows);
  await house.store.commit({ reindexes: await allAnew(house, rows) });
};

/**
 * At a start: all is indexed as this process does it from now on. Where stored resources were indexed otherwise, the work is given to
 * whichever process takes it; what an earlier start gave and wanted otherwise is called off.
 *
 * @returns the types whose resources are indexed anew
 */
export const startUpkeep = async ({ jobs, searchIndex }: House): Promise<readonly string[]> => {
  await searchIndex.adopt();
  const due = searchIndex.due();
  if (due.length === 0) return due;
  const given = (await jobs.unended()).filter(({ kind }) => kind.startsWith(prefix));
  for (const { id, kind } of given) if (kind !== searchIndex.jobKind) await jobs.cancel(id);
  if (!given.some(({ kind }) => kind === searchIndex.jobKind))
    await jobs.submit({ kind: searchIndex.jobKind, owner: 'server', request: {} });
  return due;
};

/**
 * Indexes anew what is due, while the server serves. Before it begins every process has had the time to hear what is wanted: one that indexes
 * otherwise marks what it writes from then on.
 */
export const upkeepJob = async (
  house: House,
  held: HeldJob,
  signal: AbortSignal,
  finished: (type: string) => void,
): Promise<{ readonly resources: number }> => {
  const { searchIndex } = house;
  await searchIndex.refresh();
  if (searchIndex.due().length === 0) return { resources: 0 };
  await setTimeout(house.customParameters.graceMs, undefined, { signal });
  await house.customParameters.refresh();
  const from = (held.job.checkpoint as Place | undefined) ?? { done: 0 };
  const { done } = await walk(house, { held, signal }, searchIndex.due(), from, {
    index: (_type, rows) => indexAnew(house, rows),
    finished: async (type) => {
      await searchIndex.finish(type);
      finished(type);
    },
  });
  return { resources: done };
};

const most = 50;

/** Indexes anew what servers that index otherwise wrote since; they may be there for a while after a new one started. */
export const tendOutdated = async (house: House): Promise<void> => {
  for (const type of house.searchIndex.watched())
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const plan = { type, where: [outdated], sort: [], count: most, contained: 'both' } as const;
      const page = await house.store.search({ ...plan, ...(after === undefined ? {} : { after }) }, 'all');
      if (page.rows.length > 0) await indexAnew(house, page.rows);
      after = page.next;
    }
};
