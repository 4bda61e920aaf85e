import { Readable } from 'node:stream';
import type { Request, ResponseToolkit } from '@hapi/hapi';
import { etagOf } from '../fhir/etag.js';
import { fileNameOf } from '../domain/documents/availability.js';
import { uploadHeaders } from '../domain/documents/upload-rules.js';
import { parseJson, parseSentJson } from '../fhir/json.js';
import { failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';
import { readXml } from '../fhir/xml/read.js';
import { written } from '../interactions/answers.js';
import { keepBytes } from '../interactions/binary.js';
import { create } from '../interactions/create.js';
import { refuseUnavailable } from '../interactions/document-scan.js';
import { receive } from '../interactions/receive-upload.js';
import type { Call, House, Success } from '../interactions/house.js';
import { perform } from '../interactions/perform.js';
import { currentOf, isFresh, read } from '../interactions/read.js';
import { versionOf } from '../interactions/vread.js';
import { writeSuccess } from './answer.js';
import { textOf } from './body.js';
import { header } from './header.js';
import { negotiate } from './media.js';
import { beyondEnd, onlyPart, partOf } from './range.js';

const fhirType = /^application\/(fhir\+(json|xml)|(json|xml)\+fhir)\b/i;

/** All bytes of a stream; throws `too-large` beyond the limit. */
export const collect = async (stream: Readable, limit: number): Promise<Buffer> => {
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
 * R4 binary.html: raw bytes in their own media type, streamed to the document store, or a Binary as FHIR.
 * The bytes are durable before the record that names them is written.
 */
export const uploadBinary = async (house: House, call: Call, request: Request, limits: { readonly maxBody: number }): Promise<Success> => {
  const type = header(request, 'content-type') ?? '';
  // a request whose stream is destroyed could not be answered: hapi waits for its end
  const stream = Readable.from((request.payload as Readable).iterator({ destroyOnReturn: false }));
  if (type === '') throw failure('media-type', 'not-supported', 'Content-Type must name the media type of the bytes.');
  if (fhirType.test(type)) {
    const text = textOf(await collect(stream, limits.maxBody));
    return create(house, call, 'Binary', (/xml/i.test(type) ? readXml(text, house.shapes) : parseSentJson(text)) as Resource);
  }
  const { resource, arrived } = await receive(house, call, {
    contentType: type,
    fileName: header(request, uploadHeaders.fileName.toLowerCase()),
    ubrn: header(request, uploadHeaders.referral.toLowerCase()),
  });
  const id = house.newId();
  const size = await keepBytes(house, id, stream);
  try {
    arrived(size);
    const { put } = await perform(house, call, () =>
      Promise.resolve({ drafts: [{ type: 'Binary', id, version: 0, resource, plain: true }], result: { type: 'Binary', id } }),
    );
    return written(house, put);
  } catch (error) {
    await house.blobs.remove(id);
    throw error;
  }
};

/** RFC 6266: the name in plain characters, and whole for who reads the second form. */
const dispositionOf = (name: string | undefined): string => {
  if (name === undefined) return 'attachment';
  const plain = name.replace(/[^ -~]|["\\%]/g, '_');
  const whole = encodeURIComponent(name).replace(/['()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${whole}`;
};

/** Whether a version is asked for in another form than FHIR. Without a word it is the resource, as that of any other type is. */
export const asksForBytes = (request: Request): boolean => {
  const accept = header(request, 'accept');
  return accept !== undefined && !/json|xml|\*/i.test(accept) && !request.url.searchParams.has('_format');
};

/** The part that is asked for, unless it is of another version (RFC 9110 13.1.5). Of a HEAD there is none. */
const askedPart = (request: Request, etag: string, size: number): ReturnType<typeof partOf> => {
  const range = request.method === 'get' ? header(request, 'range') : undefined;
  const ofVersion = header(request, 'if-range') ?? etag;
  return range === undefined || ofVersion !== etag ? undefined : partOf(range, size);
};

/** The bytes as they came, or a Binary resource when the client asks for FHIR (R4 binary.html#rest). All versions have the same bytes. */
export const readBinary = async (house: House, call: Call, request: Request, h: ResponseToolkit) => {
  const { id, version } = request.params as { readonly id: string; readonly version?: string };
  const key = { type: 'Binary', id };
  const accept = header(request, 'accept') ?? '';
  const { searchParams } = request.url;
  if (fhirType.test(accept) || searchParams.has('_format')) {
    const wire = (request.app.wire = negotiate(fhirType.test(accept) ? accept : undefined, searchParams));
    return writeSuccess(h, await read(house, call, key, [...searchParams.entries()]), call, wire, house.shapes);
  }
  const stored = await (version === undefined ? currentOf(house, call, key) : versionOf(house, call, key, version));
  refuseUnavailable(stored);
  const etag = etagOf(stored.version);
  if (isFresh(call, stored)) return h.response().code(304).header('etag', etag);
  const blob = await house.blobs.open(key.id);
  if (!blob) throw failure('exception', 'exception', 'The bytes of this document are missing from the document store.');
  const part = askedPart(request, etag, blob.size);
  if (part === 'beyond') {
    blob.bytes.destroy();
    throw beyondEnd(blob.size);
  }
  const record = parseJson(stored.body ?? '') as Resource & { readonly contentType: string };
  const response =
    part === undefined
      ? h.response(blob.bytes).header('content-length', String(blob.size))
      : h
          .response(Readable.from(onlyPart(blob.bytes, part), { objectMode: false }))
          .code(206)
          .header('content-length', String(part.last - part.first + 1))
          .header('content-range', `bytes ${String(part.first)}-${String(part.last)}/${String(blob.size)}`);
  return response
    .type(record.contentType)
    .header('accept-ranges', 'bytes')
    .header('etag', etag)
    .header('last-modified', new Date(stored.lastUpdated).toUTCString())
    .header('content-security-policy', 'sandbox')
    .header('content-disposition', dispositionOf(fileNameOf(record)));
};
