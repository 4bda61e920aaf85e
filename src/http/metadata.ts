import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Request, ResponseObject, ResponseToolkit } from '@hapi/hapi';
import { capabilities } from '../interactions/capabilities.js';
import type { House } from '../interactions/house.js';
import type { Query } from '../interactions/query.js';
import { rendered } from './answer.js';
import { header } from './header.js';
import { fhirJson, fhirXml, type Wire } from './media.js';

/** A statement as it goes out, made once: as it is, and compressed for whoever accepts that. */
type Kept = {
  /** the text that it was made of, which is another one as soon as search parameters are added */
  readonly source: string;
  readonly etag: string;
  readonly plain: string;
  readonly packed: Map<string, Promise<Buffer>>;
};

/** more than the forms that a statement has: its modes, parts, formats and indents */
const mostKept = 40;

const packers: Readonly<Record<string, (bytes: Buffer) => Promise<Buffer>>> = {
  gzip: promisify(gzip),
  br: (bytes) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
};

const packedBy = (kept: Kept, encoding: string): Promise<Buffer> | undefined => {
  const pack = Object.hasOwn(packers, encoding) ? packers[encoding] : undefined;
  if (!pack) return undefined;
  const bytes = kept.packed.get(encoding) ?? pack(Buffer.from(kept.plain));
  kept.packed.set(encoding, bytes);
  return bytes;
};

/** RFC 9110 section 13.1.2, which compares weakly. */
const isHeld = (header: string | undefined, etag: string): boolean =>
  header !== undefined && header.split(',').some((tag) => ['*', etag, etag.slice(2)].includes(tag.trim()));

/**
 * R4 http.html#capabilities. Nobody needs a token for it and clients ask for it often, and it is 200 kB: so it has an ETag, and its bytes
 * are kept. A part that `_elements` chooses is made each time, as there are too many of them.
 */
export const createMetadata = (house: House) => {
  const known = new Map<string, Kept>();

  const keptFor = (query: Query, wire: Wire): Kept => {
    const asked = new Map(query);
    const source = house.capability(asked.get('mode'));
    const key = JSON.stringify([asked.get('mode'), asked.get('_summary'), wire]);
    const isWhole = !asked.has('_elements');
    const before = isWhole ? known.get(key) : undefined;
    if (before?.source === source) return before;
    const { body } = capabilities(house, query);
    const plain = rendered(typeof body === 'string' ? body : '', wire, house.shapes);
    const etag = `W/"${createHash('sha256').update(plain).digest('hex').slice(0, 16)}"`;
    const kept = { source, etag, plain, packed: new Map<string, Promise<Buffer>>() };
    if (known.size >= mostKept) known.clear();
    if (isWhole) known.set(key, kept);
    return kept;
  };

  return async (request: Request, h: ResponseToolkit, query: Query, wire: Wire): Promise<ResponseObject> => {
    const kept = keptFor(query, wire);
    // whoever has it asks whether it is still the same
    const head = (response: ResponseObject): ResponseObject => response.header('etag', kept.etag).header('cache-control', 'no-cache');
    if (isHeld(header(request, 'if-none-match'), kept.etag)) return head(h.response().code(304));
    const packed = await packedBy(kept, request.info.acceptEncoding);
    const response = h.response(packed ?? kept.plain).type(wire.format === 'xml' ? fhirXml : fhirJson);
    return head(packed === undefined ? response : response.header('content-encoding', request.info.acceptEncoding));
  };
};
