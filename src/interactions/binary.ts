import { Readable } from 'node:stream';
import { TooLarge } from '../blobs/port.js';
import { failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';
import type { Stored } from '../store/port.js';
import type { House } from './house.js';

/**
 * Writes the bytes of a new Binary to the document store, where they are durable before the record that names them is written. Resolves
 * with their number.
 */
export const keepBytes = async (house: House, id: string, bytes: Readable): Promise<number> => {
  try {
    return await house.blobs.write(id, bytes, house.maxBinary);
  } catch (error) {
    if (error instanceof TooLarge)
      throw failure('too-large', 'too-long', `At most ${String(house.maxBinary)} bytes are taken.`, { expression: ['Binary.data'] });
    throw error;
  }
};

/** A Binary as FHIR (R4 binary.html): its bytes go to the document store, the record keeps the rest. */
export const keepData = async (house: House, id: string, binary: Resource): Promise<Resource> => {
  const { data, ...record } = binary as Resource & { readonly data?: unknown };
  if (data !== undefined && (typeof data !== 'string' || !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(data)))
    throw failure('invalid', 'value', 'data is base64.', { expression: ['Binary.data'] });
  await keepBytes(house, id, Readable.from([Buffer.from(data ?? '', 'base64')]));
  return record;
};

/** The Binary as FHIR JSON, with its bytes. */
export const withData = async (house: House, stored: Stored): Promise<string> => {
  const blob = await house.blobs.open(stored.id);
  if (!blob) throw failure('exception', 'exception', 'The bytes of this document are missing from the document store.');
  const chunks: Buffer[] = [];
  for await (const chunk of blob.bytes as AsyncIterable<Buffer>) chunks.push(chunk);
  const data = Buffer.concat(chunks).toString('base64');
  return data === '' ? (stored.body ?? '') : `${(stored.body ?? '').slice(0, -1)},"data":"${data}"}`;
};
