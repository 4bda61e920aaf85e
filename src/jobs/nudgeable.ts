import type { Jobs } from './jobs.js';

/** Jobs whose runner, when this process has one, can be told that there is work. */
export type NudgeableJobs = Jobs & { readonly nudge: () => void; readonly onNudge: (wake: () => void) => void };

export const nudgeable = (jobs: Jobs): NudgeableJobs => {
  let wake = (): void => undefined;
  return {
    ...jobs,
    nudge: () => {
      wake();
    },
    onNudge: (next) => {
      wake = next;
    },
  };
};
