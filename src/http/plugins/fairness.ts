import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import type { FairShare } from '../../access/fair-share.js';
import { Failure } from '../../fhir/outcome.js';

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

/** A body that the handler reads as it comes keeps nobody waiting: its sender has the time that its route gives him. */
const isStreamed = ({ route }: Request): boolean =>
  (route.settings.payload as { readonly output?: string } | undefined)?.output === 'stream';

/**
 * Each client's share of this process, from when its body is there until its answer is made: neither a slow sender nor a slow reader holds
 * a place.
 */
export const fairness = (share: FairShare): Plugin<undefined> => {
  const done = (request: Request): void => {
    const { shareOf } = request.app;
    if (shareOf === undefined) return;
    delete request.app.shareOf;
    share.leave(shareOf);
  };
  return {
    name: 'fairness',
    register: (server) => {
      server.ext('onPreHandler', async (request: Request, h: ResponseToolkit) => {
        const client = request.app.caller?.clientId;
        if (client === undefined || isStreamed(request)) return h.continue;
        const turn = share.enter(client);
        if (turn !== true && !(await turn)) throw crowded();
        // gone while it waited: nothing tells of its end any more
        if (!request.active()) {
          share.leave(client);
          return h.abandon;
        }
        request.app.shareOf = client;
        return h.continue;
      });
      server.ext('onPreResponse', (request: Request, h: ResponseToolkit) => {
        done(request);
        return h.continue;
      });
      // of a connection that went away
      server.events.on('response', done);
    },
  };
};

declare module '@hapi/hapi' {
  interface RequestApplicationState {
    /** the client whose place the request has */
    shareOf?: string;
  }
}
