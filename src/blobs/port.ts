import type { Readable } from 'node:stream';

/** The bytes of documents. Names are made by the server, never by a client. */
export interface Blobs {
  /** Streams to durable storage; resolves with the size in bytes. Throws TooLarge (nothing kept) beyond `limit` bytes. */
  write(name: string, bytes: Readable, limit: number): Promise<number>;
  /** undefined when there is no such blob */
  open(name: string): Promise<{ readonly bytes: Readable; readonly size: number } | undefined>;
  remove(name: string): Promise<void>;
  /** every blob, and what a broken write left of one; `written` in epoch ms */
  list(): AsyncIterable<{ readonly name: string; readonly written: number }>;
}

export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}
