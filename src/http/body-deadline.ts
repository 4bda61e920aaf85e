import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { timeoutAnswer } from './malformed.js';

/** ms until the whole body is in */
const usualMs = 15_000;
/** What arrives at the pace of the sender's line, and only from who was let in before: ms, by method and path. */
const uploads: readonly (readonly [shape: RegExp, ms: number])[] = [
  [/^\/FHIR\/R4\/Binary\/?(\?|$)/, 120_000],
  [/^\/FHIR\/R4\/(\$|%24)import\/?(\?|$)/, 600_000],
];

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] !== undefined && headers['content-length'] !== '0');

const limitOf = ({ method, url = '' }: IncomingMessage): number =>
  (method === 'POST' ? uploads.find(([shape]) => shape.test(url))?.[1] : undefined) ?? usualMs;

/**
 * Cuts off whoever sends his body a byte at a time. hapi gives up reading it in time, but then waits for the rest before it answers, and for
 * bodies that nobody asked for as well.
 */
export const limitBodies = (listener: Server): void => {
  listener.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    if (!hasBody(request)) return;
    const timer = setTimeout(() => {
      if (request.complete) return;
      const { socket } = request;
      if (response.headersSent) socket.destroy();
      else socket.end(timeoutAnswer(), () => socket.destroy());
    }, limitOf(request));
    const done = (): void => {
      clearTimeout(timer);
    };
    request.once('end', done);
    // answered before its end, or the client went away
    response.once('close', done);
  });
};
