import { setTimeout } from 'node:timers/promises';
import type { House } from '../interactions/house.js';
import { indexedOf } from '../interactions/contained.js';
import { logicalReferences } from '../interactions/logical-references.js';
import type { HeldJob } from '../jobs/jobs.js';
import { Stale, type Reindex, type Stored } from '../store/port.js';
import { keptPut, readKept, type KeptEntry } from './kept.js';

/** Resources indexed by one unit: other writes wait for no more than that. */
const together = 100;

/** How far a job is: what it does, and the place in the walk over the types of it. */
type Checkpoint = {
  readonly doing: readonly { readonly id: string; readonly version: number }[];
  readonly codes: Readonly<Record<string, readonly string[]>>;
  readonly type?: string;
  readonly after?: string;
  readonly done: number;
};

/**
 * Indexes the stored resources for the search parameters that were added, changed or removed, while the server serves. All that is due is
 * done in one walk over the types concerned. Before it starts, every process has had the time to hear of them, so that what is written
 * meanwhile is indexed by its writer.
 *
 * @returns how many resources were indexed
 */
export const reindexJob = async (house: House, held: HeldJob, signal: AbortSignal): Promise<{ readonly resources: number }> => {
  let at = (held.job.checkpoint as Checkpoint | undefined) ?? (await plan(house));
  if (at.doing.length === 0) return { resources: 0 };
  await setTimeout(house.customParameters.graceMs, undefined, { signal });
  await house.customParameters.refresh();
  const types = Object.keys(at.codes).sort();
  for (const type of types.slice(at.type === undefined ? 0 : types.indexOf(at.type))) {
    for (let after = at.type === type ? at.after : undefined; ;) {
      signal.throwIfAborted();
      const walk = { type, where: [], sort: [], count: together, contained: 'both' } as const;
      const page = await house.store.search({ ...walk, ...(after === undefined ? {} : { after }) }, 'all');
      await house.store.commit({ reindexes: await Promise.all(page.rows.map((row) => reindexOf(house, row, at.codes[type] ?? []))) });
      after = page.next;
      at = { ...at, type, ...(after === undefined ? {} : { after }), done: at.done + page.rows.length };
      if (!(await held.heartbeat({ progress: `${String(at.done)} resources indexed, at ${type}`, checkpoint: at })))
        return { resources: at.done };
      if (after === undefined) break;
    }
  }
  for (const { id, version } of at.doing) await finish(house, id, version);
  await house.customParameters.refresh();
  return { resources: at.done };
};

const plan = async (house: House): Promise<Checkpoint> => {
  const due = (await house.store.listEntries('search-parameter')).map(readKept).filter(({ kept }) => kept.due.length > 0);
  const codes: Record<string, string[]> = {};
  for (const { type, code } of due.flatMap(({ kept }) => kept.due)) (codes[type] ??= []).push(code);
  return { doing: due.map(({ id, version }) => ({ id, version })), codes, done: 0 };
};

const reindexOf = async (house: House, row: Stored, params: readonly string[]): Promise<Reindex> => {
  const { resource, fragment } = await indexedOf(house, row);
  const context = {
    fragment,
    resolve: await logicalReferences(house, resource),
    baseUrl: house.baseUrl,
    timeZone: house.timeZone,
  };
  const values = [...new Set(params)].flatMap((param) => house.extract(resource, context, param));
  return { type: row.type, id: row.id, version: row.version, params: [...new Set(params)], values };
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
