import { Unavailable, type Store } from '../store/port.js';

/** Where what happened is written down. */
export type Trail = {
  /** queues the line of a read or a refusal; it is durable within 100 ms, so a crash loses no more than that */
  readonly note: (line: string) => void;
  /** resolves when everything noted before is durable */
  readonly flush: () => Promise<void>;
  /** an access whose line goes with its own write */
  readonly count: () => void;
  /** how many accesses there were since the last question; tells a busy server from a quiet one */
  readonly pace: () => number;
  readonly close: () => Promise<void>;
};

/** the first half of those 100 ms; the commit has the other */
const flushMs = 50;
/** lines of one link of the chain, and letters of them: a page of search names hundreds of records */
const perLink = { lines: 1000, letters: 256 * 1024 };
/** lines waiting; beyond this the store cannot keep up, and readers wait for it */
const most = 50_000;

/** How many of the lines go into the next link: at least one. */
const fitting = (lines: readonly string[]): number => {
  let letters = 0;
  const end = lines.findIndex((line, index) => (letters += line.length) > perLink.letters && index > 0);
  return Math.min(end < 0 ? lines.length : end, perLink.lines);
};

/**
 * The queue of the audit trail: one commit for all the reads of a twentieth of a second.
 *
 * @param fault is told when lines could not be written; they are tried again
 */
export const createTrail = (store: Pick<Store, 'commit'>, fault: (error: unknown) => void): Trail => {
  let waiting: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let accesses = 0;

  /** Writes what waits now. What is noted meanwhile has its own time: else each commit of a busy server would be followed by another. */
  const write = async (): Promise<void> => {
    for (let left = waiting.length; left > 0;) {
      const lines = waiting.slice(0, Math.min(fitting(waiting), left));
      // as one text: that passes to another thread in a fraction of the time that many take
      await store.commit({ audit: [lines.join('\n')] });
      waiting = waiting.slice(lines.length);
      left -= lines.length;
    }
  };
  const run = (): Promise<void> =>
    (running = write()
      .catch((error: unknown) => {
        fault(error);
        schedule();
      })
      .finally(() => {
        running = undefined;
      }));
  /** One commit at a time keeps the lines in their order. */
  const flush = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    while (running) await running;
    await run();
  };
  const schedule = (): void => {
    timer ??= setTimeout(() => void flush(), flushMs).unref();
  };
  return {
    note: (line) => {
      // an access that cannot be written down is not given
      if (waiting.length >= most) throw new Unavailable('the audit trail cannot be written');
      waiting.push(line);
      accesses++;
      schedule();
    },
    flush,
    count: () => {
      accesses++;
    },
    pace: () => {
      const since = accesses;
      accesses = 0;
      return since;
    },
    close: flush,
  };
};
