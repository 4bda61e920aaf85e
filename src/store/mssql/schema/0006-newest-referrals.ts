import type { Step } from './scripts.js';

/** Referrals by the end of their date, which is what the newest first, and `ge`, go by: without these every row of a status was sorted. */
export const steps: readonly Step[] = [
  { text: 'create index service_request_status_end on service_request_index (status, authored_end, rid)' },
  { text: 'create index service_request_end on service_request_index (authored_end, rid)' },
];
