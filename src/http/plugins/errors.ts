import type { Boom } from '@hapi/boom';
import type { Plugin, Request, ResponseObject, ResponseToolkit } from '@hapi/hapi';
import type { Logger } from 'pino';
import { Failure, failure } from '../../fhir/outcome.js';
import type { Witness } from '../../audit/witness.js';
import { reasonUnanswered, unanswered } from '../../interactions/unanswered.js';
import { Unavailable } from '../../store/port.js';
import type { Shapes } from '../../fhir/shapes.js';
import { wireOf, writeFailure } from '../answer.js';
import { letFinish } from '../unread-body.js';
import { sendWhole } from '../whole-answer.js';
import { aboutOf, dress } from './correlation.js';

const notOffered = (method: string): Failure => failure('method', 'not-supported', `${method.toUpperCase()} is not offered here.`);

/** The verbs for which the path of a request has a route; hapi answers HEAD wherever it answers GET. */
const offeredAt = ({ server, path }: Request): readonly string[] =>
  ['GET', 'POST']
    .filter((method) => server.match(method as 'GET' | 'POST', path))
    .flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : method));

const nothingFor = (request: Request): Failure => {
  // hapi keeps this verb for preflights, and finds no route for it when it is not one
  if (request.method === 'options') return notOffered('OPTIONS').withAllow(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
  const offered = offeredAt(request);
  if (offered.length > 0) return notOffered(request.method).withAllow(offered);
  return failure('not-found', 'not-supported', `There is nothing at ${request.path}.`);
};

/** hapi's own refusals as failures; whatever else was thrown is logged and answered without its text. */
const failureOf = (error: Boom, request: Request, logger: Logger): Failure => {
  const cause: unknown = error;
  if (cause instanceof Failure) return cause;
  if (cause instanceof Unavailable) return unanswered(cause);
  switch (error.output.statusCode) {
    case 400:
      return failure('invalid', 'structure', 'The request is malformed.');
    case 404:
      return nothingFor(request);
    case 405:
      return notOffered(request.method);
    case 408:
      return failure('transient', 'timeout', 'The request did not arrive in time.');
    case 413:
      return failure('too-large', 'too-long', 'The body is larger than this server takes.');
    case 415:
      return failure('media-type', 'not-supported', 'The media type of the body is not taken here.');
    default:
      logger.error({ err: error, method: request.method, requestId: aboutOf(request).requestId }, 'unexpected error');
      return failure('exception', 'exception', 'The server failed; the fault is logged.');
  }
};

/** Every answer passes here: what failed is written in FHIR, all of them are dressed, and what is one text goes out. */
export const errors = (logger: Logger, shapes: Shapes, witness: Pick<Witness, 'refused'>, overTls: boolean): Plugin<undefined> => ({
  name: 'errors',
  register: (server) => {
    server.ext('onPreResponse', (request: Request, h: ResponseToolkit) => {
      const { response } = request;
      letFinish(request.raw.req);
      const failed = 'isBoom' in response ? failureOf(response, request, logger) : undefined;
      const reason = failed && reasonUnanswered(failed);
      if (reason !== undefined) logger.warn({ reason, requestId: aboutOf(request).requestId }, 'the store did not answer');
      // a body that cannot be read, a repeated write, a media type: what never became an interaction
      if (failed && request.app.caller && request.app.audited !== true)
        witness.refused({ about: aboutOf(request), caller: request.app.caller }, failed);
      const answer = failed === undefined ? (response as ResponseObject) : writeFailure(h, failed, wireOf(request), shapes);
      dress(request, answer.headers, overTls);
      if (sendWhole(request, answer)) return h.abandon;
      return failed === undefined ? h.continue : answer;
    });
  },
});
