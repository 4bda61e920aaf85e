import type { Request } from '@hapi/hapi';
import { parseSentJson } from '../fhir/json.js';
import { failure } from '../fhir/outcome.js';
import type { Shapes } from '../fhir/shapes.js';
import { readXml } from '../fhir/xml/read.js';
import { header } from './header.js';
import { formatOfBody } from './media.js';

const maxDepth = 200;

/** The text of bytes; throws where they are not UTF-8, which the usual decoding would quietly replace. */
export const textOf = (bytes: Buffer): string => {
  const text = bytes.toString('utf8');
  if (text.includes('\uFFFD'))
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      throw failure('invalid', 'structure', 'The body is not UTF-8.');
    }
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
};

const isDeeper = (value: unknown, depth: number): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  if (depth === 0) return true;
  for (const inner of Object.values(value)) if (isDeeper(inner, depth - 1)) return true;
  return false;
};

/** The body as a tree of FHIR JSON, from JSON or XML; undefined when there is none. Throws 415, or `invalid` for what cannot be read. */
export const readBody = (request: Request, shapes: Shapes): unknown => readBytes(request.payload as Buffer | undefined, request, shapes);

/** As `readBody`, of bytes that were collected elsewhere. */
export const readBytes = (bytes: Buffer | undefined, request: Request, shapes: Shapes): unknown => {
  if (!bytes || bytes.length === 0) return undefined;
  if (!['identity', ''].includes(header(request, 'content-encoding') ?? ''))
    throw failure('media-type', 'not-supported', 'A body is taken without Content-Encoding.');
  const format = formatOfBody(header(request, 'content-type'), request.method);
  const parsed = format === 'xml' ? readXml(textOf(bytes), shapes) : parseSentJson(textOf(bytes));
  if (isDeeper(parsed, maxDepth))
    throw failure('too-costly', 'too-costly', `The body is nested more than ${String(maxDepth)} levels deep.`);
  if (typeof parsed !== 'object' || parsed === null || (Array.isArray(parsed) && request.method !== 'patch'))
    throw failure('invalid', 'structure', 'The body must be one FHIR resource: an object with resourceType.');
  return parsed;
};

/** The parameters of a search by POST (R4 search.html#searching). */
export const readForm = (request: Request): string => {
  const bytes = request.payload as Buffer | undefined;
  if (!bytes || bytes.length === 0) return '';
  if (!/^application\/x-www-form-urlencoded\b/i.test(header(request, 'content-type') ?? ''))
    throw failure('media-type', 'not-supported', '_search takes application/x-www-form-urlencoded.');
  return textOf(bytes);
};
