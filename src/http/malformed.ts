import type { Server as Listener } from 'node:http';
import type { Duplex } from 'node:stream';
import { outcomeOf } from '../fhir/outcome-text.js';
import type { Category } from '../fhir/outcome.js';
import { fhirJson } from './media.js';

type ParserError = Error & { readonly code?: string };
type Handler = (error: Error, socket: Duplex) => void;
/** what node keeps of the answer that is under way */
type Answering = { readonly _httpMessage?: unknown };

type Refusal = { readonly line: string; readonly category: Category; readonly code: string; readonly text: string };

/** What Node's parser says, by its code; everything else is a bad request. */
const refusals: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: {
    line: '431 Request Header Fields Too Large',
    category: 'too-large',
    code: 'too-long',
    text: 'The headers are larger than this server takes.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    line: '408 Request Timeout',
    category: 'transient',
    code: 'timeout',
    text: 'The request did not arrive in time.',
  },
};
const bad: Refusal = {
  line: '400 Bad Request',
  category: 'invalid',
  code: 'structure',
  text: 'The request is not HTTP as this server reads it.',
};

const answerOf = ({ code: reason }: Pick<ParserError, 'code'>): string => {
  const { line, category, code, text } = (reason === undefined ? undefined : refusals[reason]) ?? bad;
  const body = JSON.stringify(outcomeOf(category, [{ severity: 'error', code, text }]));
  return [
    `HTTP/1.1 ${line}`,
    `Content-Type: ${fhirJson}`,
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
};

/** To be written to the connection of a request that did not arrive in time; it is closed then. */
export const timeoutAnswer = (): string => answerOf({ code: 'ERR_HTTP_REQUEST_TIMEOUT' });

/** What is no HTTP never becomes a request: it is answered here, in FHIR, where hapi would send a bare 400. */
export const answerMalformed = (listener: Listener): void => {
  const usual = listener.listeners('clientError') as Handler[];
  listener.removeAllListeners('clientError');
  listener.on('clientError', (error: ParserError, socket) => {
    // while an answer is on its way on the connection, hapi knows what is to be done with that
    const isAnswering = Boolean((socket as Answering)._httpMessage);
    if (socket.writable && !isAnswering && error.code !== 'ECONNRESET') socket.end(answerOf(error));
    else for (const handle of usual) handle(error, socket);
  });
};
