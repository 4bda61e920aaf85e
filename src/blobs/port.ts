import type { Readable } from 'node:stream';

/** The bytes of documents. Names are made by the server, never by a client. */
export interface Blobs {
  /** Streams to durable storage; resolves with the size in bytes. Throws TooLarge (nothing kept) beyond `limit` bytes. */
  write(name: string, bytes: Readable, limit: number): Promise<number>;
  /** undefined when there is no such blob */
  open(name: string): Promise<{ readonly bytes: Readable; readonly size: number } | undefined>;
  remove(name: string): Promise<void>;
}

export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}
