import type { HeldJob, Jobs } from './jobs.js';

/** Does one job to its end and gives the result. Throws when it fails, and when `signal` stops it before its end. */
export type JobHandler = (held: HeldJob, signal: AbortSignal) => Promise<unknown>;

export type JobRunner = {
  /** looks for work now: call it after a submission, so that nothing waits for the next look */
  readonly nudge: () => void;
  /** takes no more jobs, tells the running one to stop, and waits for it; stopped work is given back for another process */
  readonly stop: () => Promise<void>;
};

export type RunnerOptions = {
  readonly jobs: Jobs;
  readonly handlers: Readonly<Record<string, JobHandler>>;
  readonly pollMs?: number;
  readonly heartbeatMs?: number;
  /** what of an error may be told to the owner of the job */
  readonly reasonOf: (error: unknown) => string;
  readonly onError: (error: unknown) => void;
};

/** One job at a time in each process; several processes over one store share the jobs out by lease. */
export const runJobs = ({ jobs, handlers, pollMs = 1000, heartbeatMs = 10_000, reasonOf, onError }: RunnerOptions): JobRunner => {
  const kinds = Object.keys(handlers);
  const stopping = new AbortController();
  let wake = (): void => undefined;
  let nudged = false;

  const perform = async (held: HeldJob): Promise<void> => {
    const halt = new AbortController();
    const lease = { lost: false };
    const stop = (): void => {
      halt.abort();
    };
    stopping.signal.addEventListener('abort', stop);
    if (stopping.signal.aborted) stop();
    const beat = setInterval(() => {
      held.heartbeat().then(
        (kept) => {
          if (kept) return;
          lease.lost = true;
          stop();
        },
        (error: unknown) => {
          onError(error);
        },
      );
    }, heartbeatMs);
    const outcome = await (handlers[held.job.kind]?.(held, halt.signal) ?? Promise.reject(new Error('no such kind of job'))).then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    );
    clearInterval(beat);
    stopping.signal.removeEventListener('abort', stop);
    if (lease.lost) return;
    if ('result' in outcome) await held.finish({ result: outcome.result });
    else if (stopping.signal.aborted) await held.release();
    else {
      onError(outcome.error);
      await held.finish({ reason: reasonOf(outcome.error) });
    }
  };

  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, pollMs);
      timer.unref();
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (nudged) wake();
    });

  const work = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      nudged = false;
      try {
        const held = await jobs.claim(kinds);
        if (held) {
          await perform(held);
          continue;
        }
      } catch (error) {
        onError(error);
      }
      await pause();
    }
  };

  const running = work();
  return {
    nudge: () => {
      nudged = true;
      wake();
    },
    stop: async () => {
      stopping.abort();
      wake();
      await running;
    },
  };
};
