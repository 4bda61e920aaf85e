import { setTimeout } from 'node:timers/promises';

const patienceMs = (process.env['WORKERS'] ?? '1') === '1' ? 0 : 20_000;

/**
 * What one process noted for the audit is readable by another once it is committed, which is a moment later: asks until it is there. Where
 * one process answers, it is there at once.
 */
export const whenTold = async <T>(ask: () => Promise<T>, isThere: (told: T) => boolean): Promise<T> => {
  for (const until = Date.now() + patienceMs; ;) {
    const told = await ask();
    if (isThere(told) || Date.now() >= until) return told;
    await setTimeout(100);
  }
};
