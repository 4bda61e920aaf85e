import type { Readable } from 'node:stream';
import { Failure } from '../fhir/outcome.js';

/** Positions of bytes, both of them in it. */
export type Part = { readonly first: number; readonly last: number };

const single = /^bytes=[ \t]*(?:([0-9]+)-([0-9]*)|-([0-9]+))[ \t]*$/i;

/**
 * The part of `size` bytes that a Range asks for (RFC 9110 14.2). Undefined is all of them: a Range that is malformed or of another unit is
 * passed over, and one of several parts may be.
 */
export const partOf = (range: string, size: number): Part | 'beyond' | undefined => {
  const found = single.exec(range);
  if (!found) return undefined;
  const [, from, to, suffix] = found;
  const first = from === undefined ? Math.max(0, size - Number(suffix)) : Number(from);
  const last = to ? Number(to) : size - 1;
  if (to && last < first) return undefined;
  return first < size ? { first, last: Math.min(last, size - 1) } : 'beyond';
};

/** RFC 9110 15.5.17: the part begins where the bytes have ended. */
export const beyondEnd = (size: number): Failure =>
  new Failure('range', [{ severity: 'error', code: 'value', text: `There are ${String(size)} bytes.`, expression: ['Range'] }], {
    'content-range': `bytes */${String(size)}`,
  });

/** The part of a stream; what comes after it is not read. */
export async function* onlyPart(stream: Readable, { first, last }: Part): AsyncGenerator<Buffer> {
  let at = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (at + chunk.length > first) yield chunk.subarray(Math.max(0, first - at), last + 1 - at);
    at += chunk.length;
    if (at > last) return;
  }
}
