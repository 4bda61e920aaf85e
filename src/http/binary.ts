import { Readable } from 'node:stream';
import type { Request, ResponseToolkit } from '@hapi/hapi';
import { sightOf } from '../access/policy.js';
import { TooLarge } from '../blobs/port.js';
import { etagOf } from '../fhir/etag.js';
import { parseJson } from '../fhir/json.js';
import { failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';
import { gone, notFound, written } from '../interactions/answers.js';
import type { Call, House, Success } from '../interactions/house.js';
import { perform } from '../interactions/perform.js';
import { fhirJson } from './media.js';

const isFhir = (type: string): boolean => /^application\/(fhir\+json|json\+fhir)\b/i.test(type);

const collect = async (stream: Readable, limit: number): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw failure('too-large', 'too-long', `At most ${String(limit)} bytes are taken.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/**
 * R4 binary.html: raw bytes in their own media type, streamed to the document store, or a Binary as FHIR JSON.
 * The bytes are durable before the record that names them is written.
 */
export const uploadBinary = async (
  house: House,
  call: Call,
  request: Request,
  limits: { readonly maxBody: number; readonly maxBinary: number },
): Promise<Success> => {
  const type = String(request.headers['content-type'] ?? '');
  const stream = request.payload as Readable;
  const id = house.newId();
  let record: Resource = { resourceType: 'Binary', contentType: type };
  let bytes: Readable = stream;
  if (type === '') throw failure('media-type', 'not-supported', 'Content-Type must name the media type of the bytes.');
  if (isFhir(type)) {
    const parsed = parseJson((await collect(stream, limits.maxBody)).toString('utf8')) as Resource;
    if (parsed.resourceType !== 'Binary') throw failure('invalid', 'invalid', 'The body must be a Binary.');
    const { data, ...rest } = parsed;
    record = rest as Resource;
    bytes = Readable.from([Buffer.from(typeof data === 'string' ? data : '', 'base64')]);
  }
  try {
    await house.blobs.write(id, bytes, limits.maxBinary);
  } catch (error) {
    if (error instanceof TooLarge) throw failure('too-large', 'too-long', `At most ${String(limits.maxBinary)} bytes are taken.`);
    throw error;
  }
  try {
    const { put } = await perform(house, call, () =>
      Promise.resolve({ drafts: [{ type: 'Binary', id, version: 0, resource: record }], result: { type: 'Binary', id } }),
    );
    return written(house, put);
  } catch (error) {
    await house.blobs.remove(id);
    throw error;
  }
};

/** The bytes as they came, or a Binary resource when the client asks for FHIR JSON (R4 binary.html#rest). */
export const readBinary = async (house: House, call: Call, request: Request, h: ResponseToolkit) => {
  const key = { type: 'Binary', id: String(request.params['id']) };
  const stored = await house.store.find(key, sightOf(call.caller, 'Binary'));
  if (!stored) throw notFound(key);
  if (stored.body === undefined) throw gone(key);
  const blob = await house.blobs.open(key.id);
  if (!blob) throw failure('exception', 'exception', 'The bytes of this document are missing from the document store.');
  const record = JSON.parse(stored.body) as { contentType: string };
  const etag = etagOf(stored.version);
  if (isFhir(String(request.headers['accept'] ?? ''))) {
    const data = (await collect(blob.bytes, Number.MAX_SAFE_INTEGER)).toString('base64');
    return h
      .response(`${stored.body.slice(0, -1)},"data":"${data}"}`)
      .type(fhirJson)
      .header('etag', etag);
  }
  return h
    .response(blob.bytes)
    .type(record.contentType)
    .header('content-length', String(blob.size))
    .header('etag', etag)
    .header('content-security-policy', 'sandbox')
    .header('content-disposition', 'attachment');
};
