import { Unavailable, type Reader } from '../port.js';
import { readBy, readerOf } from '../reads.js';

/** how long a copy that did not answer is left alone: until then each of its reads would wait for a connection first */
const restMs = 5000;

/**
 * Reads of a copy. Those that it does not answer are the primary's, and for some seconds all others too; what it refuses is refused.
 *
 * @param now ms of a clock that never goes back
 */
export const readsOfCopy = (copy: Reader, primary: Reader, now: () => number = () => performance.now()): Reader => {
  let restsUntil = -Infinity;
  return readerOf(async (name, words) => {
    if (now() < restsUntil) return readBy(primary, name, words);
    try {
      return await readBy(copy, name, words);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      restsUntil = now() + restMs;
      return readBy(primary, name, words);
    }
  });
};
