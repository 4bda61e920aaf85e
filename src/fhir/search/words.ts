import type { Value } from '../../store/port.js';
import type { Resource } from '../resource.js';
import { wordsOf } from './text.js';

// what people write, as against codes, ids, addresses of systems and moments: words between spaces, or one word or name
const written = /[\p{L}]{2}[^|/]*\s|^(?=.*\p{L}{2})\p{L}[\p{L}\p{M}\p{N}'’.-]*$/u;
const uuid = /^[0-9a-f]{8}-[0-9a-f-]{27}$/i;
// texts of these names; a CodeableConcept of one of them is looked into
const passedOver = new Set([
  'resourceType',
  'id',
  'reference',
  'system',
  'url',
  'contentType',
  'language',
  'code',
  'data',
  'hash',
  'status',
  'use',
  'linkId',
  'valueCode',
  'valueUri',
  'valueUrl',
  'valueId',
]);

const collect = (value: unknown, out: string[]): void => {
  if (typeof value === 'string') {
    if (written.test(value) && !uuid.test(value)) out.push(value);
  } else if (Array.isArray(value)) for (const item of value) collect(item, out);
  else if (typeof value === 'object' && value !== null && !('isLosslessNumber' in value))
    for (const [name, inner] of Object.entries(value))
      if (name !== 'meta' && name !== 'identifier' && !(typeof inner === 'string' && passedOver.has(name))) collect(inner, out);
};

/** R4 search.html#content: the words of the narrative for `_text`, those of all other text beside them for `_content`. */
export const wordValues = (resource: Resource, out: Value[]): void => {
  const { text, ...rest } = resource;
  const div = (text as { readonly div?: unknown } | undefined)?.div;
  const narrative = wordsOf(typeof div === 'string' ? div.replace(/<[^>]*>|&[#\w]+;/g, ' ') : '');
  for (const word of narrative) out.push({ kind: 'word', param: '_text', word });
  const texts: string[] = [];
  collect(rest, texts);
  for (const word of wordsOf(texts.join(' '))) if (!narrative.has(word)) out.push({ kind: 'word', param: '_content', word });
};
