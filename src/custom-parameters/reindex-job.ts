import { setTimeout } from 'node:timers/promises';
import type { House } from '../interactions/house.js';
import type { HeldJob } from '../jobs/jobs.js';
import { someAnew } from '../search-index/index-anew.js';
import { walk, type Place } from '../search-index/walk.js';
import { Stale } from '../store/port.js';
import { keptPut, readKept, type KeptEntry } from './kept.js';

/** How far a job is: what it does, and the place in the walk over the types of it. */
type Checkpoint = Place & {
  readonly doing: readonly { readonly id: string; readonly version: number }[];
  readonly codes: Readonly<Record<string, readonly string[]>>;
};

/**
 * Indexes the stored resources for the search parameters that were added, changed or removed, while the server serves. All that is due is
 * done in one walk over the types concerned. Before it starts, every process has had the time to hear of them, so that what is written
 * meanwhile is indexed by its writer.
 *
 * @returns how many resources were indexed
 */
export const reindexJob = async (house: House, held: HeldJob, signal: AbortSignal): Promise<{ readonly resources: number }> => {
  const from = (held.job.checkpoint as Checkpoint | undefined) ?? (await plan(house));
  if (from.doing.length === 0) return { resources: 0 };
  await setTimeout(house.customParameters.graceMs, undefined, { signal });
  await house.customParameters.refresh();
  const { done, whole } = await walk(house, { held, signal }, Object.keys(from.codes), from, {
    index: async (type, rows) => {
      const params = from.codes[type] ?? [];
      await house.store.commit({ reindexes: await Promise.all(rows.map((row) => someAnew(house, row, params))) });
    },
  });
  if (!whole) return { resources: done };
  for (const { id, version } of from.doing) await finish(house, id, version);
  await house.customParameters.refresh();
  return { resources: done };
};

const plan = async (house: House): Promise<Checkpoint> => {
  const due = (await house.store.listEntries('search-parameter')).map(readKept).filter(({ kept }) => kept.due.length > 0);
  const codes: Record<string, string[]> = {};
  for (const { type, code } of due.flatMap(({ kept }) => kept.due)) (codes[type] ??= []).push(code);
  return { doing: due.map(({ id, version }) => ({ id, version })), codes, done: 0 };
};

/** Searches may use it from now on. One that was changed meanwhile is for the job that came with the change. */
const finish = async (house: House, id: string, version: number): Promise<void> => {
  const entry = await house.store.findEntry('search-parameter', id);
  if (entry?.version !== version) return;
  const { kept }: KeptEntry = readKept(entry);
  try {
    await house.store.commit({ entries: [keptPut(id, version, kept.usable && { ...kept, due: [] })] });
  } catch (error) {
    if (!(error instanceof Stale)) throw error;
  }
};
