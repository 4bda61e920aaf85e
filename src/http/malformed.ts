import type { Server as Listener } from 'node:http';
import type { Duplex } from 'node:stream';
import { outcomeOf } from '../fhir/outcome-text.js';
import { fhirJson } from './media.js';

type ParserError = Error & { readonly code?: string };
type Handler = (error: Error, socket: Duplex) => void;
/** what node keeps of the answer that is under way */
type Answering = { readonly _httpMessage?: unknown };

const answerOf = ({ code }: ParserError): string => {
  const isLarge = code === 'HPE_HEADER_OVERFLOW';
  const text = isLarge ? 'The headers are larger than this server takes.' : 'The request is not HTTP as this server reads it.';
  const body = JSON.stringify(
    outcomeOf(isLarge ? 'too-large' : 'invalid', [{ severity: 'error', code: isLarge ? 'too-long' : 'structure', text }]),
  );
  return [
    `HTTP/1.1 ${isLarge ? '431 Request Header Fields Too Large' : '400 Bad Request'}`,
    `Content-Type: ${fhirJson}`,
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
};

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
