import { randomUUID } from 'node:crypto';
import { Taken, type Store } from './port.js';

const leaseMs = 60_000;
const waitMs = 200;

/**
 * Runs a task in one process at a time, of all that share the store: each later one finds what the earlier made. The lease of a process
 * that dies ends by itself.
 */
export const alone = async <T>(store: Store, name: string, task: () => Promise<T>): Promise<T> => {
  const owner = randomUUID();
  const claim = () => ({ kind: 'lease', key: name, owner, expires: Date.now() + leaseMs }) as const;
  for (;;) {
    try {
      await store.commit({ claims: [claim()] });
      break;
    } catch (error) {
      if (!(error instanceof Taken)) throw error;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
  const renewing = setInterval(() => {
    store.commit({ claims: [claim()] }).catch(() => undefined);
  }, leaseMs / 3);
  try {
    return await task();
  } finally {
    clearInterval(renewing);
    await store.commit({ releases: [claim()] });
  }
};
