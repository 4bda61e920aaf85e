import { Failure } from '../fhir/outcome.js';
import type { Call, House, Success } from '../interactions/house.js';
import { onceClaims } from '../interactions/once-claims.js';
import { translated } from '../interactions/perform.js';
import type { Job } from '../jobs/jobs.js';
import { accepted } from './status.js';
import { ownerOf } from './work.js';

/** jobs of one client that wait or run; each may hold a body or an upload */
const most = 50;

/**
 * Asked before anything is kept for a job.
 *
 * @throws Failure `throttled` when the client has as many as this server keeps for one
 */
export const checkRoom = async ({ jobs }: House, { caller }: Call): Promise<void> => {
  if ((await jobs.pendingOf(caller.clientId)) < most) return;
  throw new Failure(
    'throttled',
    [{ severity: 'error', code: 'throttled', text: `At most ${String(most)} pieces of work are kept for one client: wait for them.` }],
    { 'retry-after': '60' },
  );
};

/** Takes the work on, once for a request that is sent again, and answers where to ask after it. */
export const submitted = async (house: House, call: Call, { kind, request }: Pick<Job, 'kind' | 'request'>): Promise<Success> => {
  const { caller } = call;
  try {
    return accepted(house, await house.jobs.submit({ kind, owner: ownerOf(caller), client: caller.clientId, request }, onceClaims(call)));
  } catch (error) {
    throw translated(call, error);
  }
};
