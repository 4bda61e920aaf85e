import { targetTypeOf } from '../references.js';
import type { Check } from '../shapes.js';
import { isNode } from '../walk.js';

/** R4 references.html#literal: absolute, `Type/id` with or without a version, `#id`, or the search of a conditional reference. */
const literal =
  /^(?:#\S*|[A-Za-z][A-Za-z0-9+.-]*:\S+|[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/[A-Za-z0-9\-.]{1,64})?(?:#\S*)?|[A-Z][A-Za-z]+\?\S+)$/;

/** A relative URL of another form is one still, though nothing here can follow it. */
const otherPath = /^(?![A-Z][A-Za-z]+\/)[^\s:]+$/;

const shortened = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** The check of every Reference beyond what it may point to. */
export const referenceCheck: Check = (walk, value) => {
  if (!isNode(value)) return;
  const { reference, type } = value;
  if (typeof reference !== 'string') return;
  if (!literal.test(reference)) {
    const fault = `'${shortened(reference)}' is no reference: an absolute URL, Type/id or #id`;
    if (otherPath.test(reference)) walk.warning('value', fault, 'references.html#literal');
    else walk.error('value', fault, 'references.html#literal');
    return;
  }
  if (typeof type !== 'string') return;
  // R4 references.html: the type, where it is said, is that of the target
  const target = targetTypeOf(walk.frame, { reference });
  const said = type.slice(type.lastIndexOf('/') + 1);
  if (target !== undefined && target !== said)
    walk.error('structure', `the type is said to be ${said}, and the reference is to a ${target}`, 'Reference.type');
};
