import { setImmediate } from 'node:timers/promises';
import type { House } from '../interactions/house.js';
import type { HeldJob } from '../jobs/jobs.js';
import type { Stored } from '../store/port.js';

/** Resources indexed by one unit: other writes wait for no more than that. */
const together = 50;

/** The place in a walk over types, in the order of their names. What else a job keeps with it stays there. */
export type Place = { readonly type?: string; readonly after?: string; readonly done: number };

/**
 * Goes through the stored resources of types, those that others contain too, from a place on. `index` is given some at a time; the job
 * remembers the place behind them. False: it is somebody else's by now.
 */
export const walk = async (
  house: House,
  { held, signal }: { readonly held: HeldJob; readonly signal: AbortSignal },
  types: readonly string[],
  from: Place,
  {
    index,
    finished,
  }: { readonly index: (type: string, rows: readonly Stored[]) => Promise<void>; readonly finished?: (type: string) => Promise<void> },
): Promise<{ readonly done: number; readonly whole: boolean }> => {
  let at: Place = from;
  for (const type of [...types].sort()) {
    if (from.type !== undefined && type < from.type) continue;
    for (let after = at.type === type ? at.after : undefined; ;) {
      signal.throwIfAborted();
      // a page is parsed and indexed in one go: requests have their turn between two
      await setImmediate();
      const plan = { type, where: [], sort: [], count: together, contained: 'both' } as const;
      const page = await house.store.search({ ...plan, ...(after === undefined ? {} : { after }) }, 'all');
      await index(type, page.rows);
      after = page.next;
      const { after: _before, ...rest } = at;
      at = { ...rest, type, ...(after === undefined ? {} : { after }), done: at.done + page.rows.length };
      if (after === undefined) await finished?.(type);
      if (!(await held.heartbeat({ progress: `${String(at.done)} resources indexed, at ${type}`, checkpoint: at })))
        return { done: at.done, whole: false };
      if (after === undefined) break;
    }
  }
  return { done: at.done, whole: true };
};
