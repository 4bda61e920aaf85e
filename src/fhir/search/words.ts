import type { Value } from '../../store/port.js';
import type { Resource } from '../resource.js';
import { wordsOf } from './text.js';

// what people write, as against codes, ids, addresses of systems and moments
const written = /[\p{L}]{2}[^|/]*\s|^\p{Lu}?\p{Ll}{2,}$/u;
const passedOver = new Set([
  'resourceType',
  'id',
  'meta',
  'reference',
  'system',
  'url',
  'contentType',
  'language',
  'data',
  'hash',
  'status',
  'use',
  'linkId',
]);

const collect = (value: unknown, out: string[]): void => {
  if (typeof value === 'string') {
    if (written.test(value)) out.push(value);
  } else if (Array.isArray(value)) for (const item of value) collect(item, out);
  else if (typeof value === 'object' && value !== null && !('isLosslessNumber' in value))
    for (const [name, inner] of Object.entries(value)) if (!passedOver.has(name)) collect(inner, out);
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
