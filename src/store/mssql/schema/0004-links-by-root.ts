import type { Step } from './scripts.js';

/** What a caller may read through what he sees, found from there. */
export const steps: readonly Step[] = [
  // letters, tasks and appointments by the referral whose readers read them
  { text: 'create index access_link_root on access_link (root, child)' },
];
