import type { Step } from './scripts.js';

/** Reads that must agree see one committed state. */
export const steps: readonly Step[] = [
  // refused to logins without the right: such reads then see the state of their own moment each
  { text: 'alter database current set allow_snapshot_isolation on', optional: true },
];
