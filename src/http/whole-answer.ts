import type { ServerResponse } from 'node:http';
import type { Request, ResponseObject } from '@hapi/hapi';
import type { Around } from '../fhir/kept-text.js';

/** What hapi's types leave out. */
type Sent = ResponseObject & { readonly contentType: string | null };
type Received = Request & { readonly isInjected: boolean };

/** hapi compresses from this length on, for whoever accepts it */
export const compressedFrom = 1024;

/** What hapi is left to do: compress, answer a page of another origin, answer without a body, compare entity tags. */
const needsMore = ({ method, headers, info, raw, isInjected }: Received, length: number): boolean =>
  length === 0 ||
  method === 'head' ||
  method === 'options' ||
  headers['origin'] !== undefined ||
  headers['if-none-match'] !== undefined ||
  headers['if-modified-since'] !== undefined ||
  (length >= compressedFrom && info.acceptEncoding !== 'identity') ||
  // hapi closes a connection on which a body was left unread
  !raw.req.complete ||
  isInjected;

/** What the answer depends on beside the URL, as hapi tells it. */
const variesBy = ({ route }: Request, length: number): string =>
  [...(route.settings.cors === false ? [] : ['origin']), ...(length < compressedFrom ? [] : ['accept-encoding'])].join();

/** `encoding`: of a text that is ASCII alone, latin1 are the same bytes, and is copied as it is */
type Whole = { readonly text: string; readonly encoding: 'latin1' | 'utf8' };
/** A text whose greater part is there as bytes. */
type Parts = { readonly head: string; readonly bytes: Buffer; readonly end: string };
type Content = Whole | Parts;
type Waiting = { readonly res: ServerResponse; readonly content: Content };

let waiting: Waiting[] = [];
/** when the first of them was made: performance.now() */
let since = 0;
/** ms that an answer waits for others */
const longest = 2;

/** letters from which on a text is not copied once more to stand behind its header */
const large = 4096;

const write = (res: ServerResponse, content: Content): void => {
  if ('text' in content) {
    res.end(content.text, content.encoding);
    return;
  }
  res.write(content.head);
  res.write(content.bytes);
  res.end(content.end);
};

const send = ({ res, content }: Waiting): void => {
  const { socket } = res;
  if (socket === null || ('text' in content && content.text.length < large)) {
    write(res, content);
    return;
  }
  socket.cork();
  res.flushHeaders();
  write(res, content);
  socket.uncork();
};

const sendWaiting = (): void => {
  const answers = waiting;
  waiting = [];
  for (const answer of answers) send(answer);
};

/**
 * Ends an answer at the end of the event loop's turn, together with all that were made in it. The first write wakes whoever reads at the
 * other end, the others find him awake: that saves a third of a point read's time. In a turn of long work none of them waits for the end of it.
 */
const endWithTurn = (answer: Waiting): void => {
  if (waiting.push(answer) === 1) {
    since = performance.now();
    setImmediate(sendWaiting);
  } else if (performance.now() - since > longest) sendWaiting();
};

const contentOf = ({ source, app: { around } }: Sent): { readonly content: Content; readonly length: number } => {
  const bytes = around?.kept.bytes();
  if (around !== undefined && bytes !== undefined) {
    const { head, end } = around;
    return { content: { head, bytes, end }, length: Buffer.byteLength(head) + bytes.length + Buffer.byteLength(end) };
  }
  const text = source as string;
  const length = Buffer.byteLength(text);
  return { content: { text, encoding: length === text.length ? 'latin1' : 'utf8' }, length };
};

/**
 * Sends an answer that is one text with a single write, and tells whether it did. It is the answer that hapi would give, which sets each
 * header by itself and makes a stream of the text: that takes as long as a point read.
 */
export const sendWhole = (request: Request, response: ResponseObject): boolean => {
  const { source, statusCode, headers, contentType } = response as Sent;
  const { res } = request.raw;
  if (typeof source !== 'string' || !request.active()) return false;
  // what hapi compresses needs no bytes
  if (response.app.around !== undefined && needsMore(request as Received, source.length)) return false;
  const { content, length } = contentOf(response as Sent);
  if (needsMore(request as Received, length)) return false;
  const varies = variesBy(request, length);
  const lines = ['content-type', contentType ?? 'text/plain', 'content-length', String(length)];
  if (varies !== '') lines.push('vary', varies);
  for (const name in headers) {
    if (name === 'content-type') continue;
    const value = headers[name];
    if (typeof value === 'string') lines.push(name, value);
    else if (value !== undefined) for (const one of value) lines.push(name, one);
  }
  res.writeHead(statusCode, lines);
  endWithTurn({ res, content });
  request.app.sent = statusCode;
  return true;
};

declare module '@hapi/hapi' {
  interface RequestApplicationState {
    /** the status of an answer that was sent whole: hapi keeps no response then */
    sent?: number;
  }
  interface ResponseApplicationState {
    /** the text of the answer around one that is kept as bytes */
    around?: Around;
  }
}
