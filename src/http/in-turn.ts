import type { Lifecycle, Request, ResponseToolkit } from '@hapi/hapi';
import type { FairShare } from '../access/fair-share.js';
import { Failure } from '../fhir/outcome.js';

type Handler = (request: Request, h: ResponseToolkit) => Promise<Lifecycle.ReturnValue>;

const crowded = (): Failure =>
  new Failure(
    'throttled',
    [
      {
        severity: 'error',
        code: 'throttled',
        text: 'More requests of the client wait here than this server keeps.',
        coding: { system: 'https://fhir.nhs.uk/CodeSystem/NHSD-API-ErrorOrWarningCode', code: 'TOO_MANY_REQUESTS' },
      },
    ],
    { 'retry-after': '1' },
  );

/**
 * Each client's share of this process, from when its body is there until its answer is made: neither a slow sender nor a slow reader holds
 * a place. A handler that reads the body as it comes takes no place.
 */
export const inTurn =
  (share: FairShare, handle: Handler): Handler =>
  async (request, h) => {
    const client = request.app.caller?.clientId;
    if (client === undefined) return handle(request, h);
    const turn = share.enter(client);
    if (turn !== true && !(await turn)) throw crowded();
    try {
      // nobody waits any more for what went away while it waited
      return request.active() ? await handle(request, h) : h.abandon;
    } finally {
      share.leave(client);
    }
  };
