import { Readable } from 'node:stream';
import { parseJson } from '../fhir/json.js';
import { Failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';
import { preferred } from '../interactions/answers.js';
import { auditedBundle } from '../interactions/batch.js';
import { dispatch } from '../interactions/dispatch.js';
import type { House } from '../interactions/house.js';
import type { HeldJob } from '../jobs/jobs.js';
import type { Claim } from '../store/port.js';
import { fileStem, readText } from './files.js';
import { keptMs } from './status.js';
import type { DeferredRequest, DeferredResult } from './work.js';

/** What its writes claim: a process that goes on with the work of one that died writes nothing a second time. */
const claimFor = ({ job: { id, attempts } }: HeldJob, clock: () => number): Claim => ({
  kind: 'idempotency',
  key: `job|${id}`,
  owner: `${id}/${String(attempts)}`,
  expires: clock() + 2 * keptMs,
});

/** Does a request that the client asked to be answered later (R4 async.html), as it would have been done at once. */
export const deferredJob = async (house: House, held: HeldJob): Promise<DeferredResult> => {
  const { call: asked, method, url, body } = held.job.request as DeferredRequest;
  const call = { ...asked, about: { requestId: '', ...asked.about, once: claimFor(held, house.clock) } };
  const parsed = body === undefined ? undefined : parseJson(await readText(house, body));
  try {
    const done =
      url === '' ? await auditedBundle(house, call, parsed as Resource) : await dispatch(house, call, { method, url, body: parsed });
    const { status, headers, body: text } = preferred(done, call.returns);
    if (typeof text !== 'string') return { status, headers };
    const blob = `${fileStem(held)}-answer`;
    await house.blobs.write(blob, Readable.from([Buffer.from(text)]), Number.MAX_SAFE_INTEGER);
    return { status, headers, blob };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { category: error.category, issues: error.issues };
  }
};
