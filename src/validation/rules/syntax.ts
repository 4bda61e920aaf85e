import { numberOf } from '../invariants/native.js';
import type { Check, ElementRule } from '../shapes.js';
import { isNode } from '../walk.js';

const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:/;

const absoluteCheck =
  (name: string): Check =>
  (walk, value) => {
    if (typeof value === 'string' && !absolute.test(value)) walk.error('value', `'${value}' must be an absolute URI`, name);
  };

/** R4 resource.html#canonical and datatypes: the URIs that name a definition or a system are absolute. */
export const uriCheck = ({ name, path }: ElementRule, type: string): Check | undefined => {
  if (type !== 'uri') return undefined;
  return name === 'system' || (path !== 'Extension.url' && /^[A-Z][A-Za-z]+\.url$/.test(path)) ? absoluteCheck(path) : undefined;
};

/** R4 datatypes.html#attachment: size is the number of bytes before base64. */
export const attachmentCheck: Check = (walk, attachment) => {
  if (!isNode(attachment)) return;
  const { data, size } = attachment;
  const stated = numberOf(size);
  if (typeof data !== 'string' || stated === undefined) return;
  const text = data.replaceAll(/\s+/g, '');
  const actual = (text.length / 4) * 3 - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0);
  if (actual !== stated) walk.error('value', `the size is ${stated}, the data has ${actual} bytes`, 'Attachment.size', 'size');
};
