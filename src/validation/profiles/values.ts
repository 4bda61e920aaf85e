import type { ElementDefinition } from 'fhir/r4.js';
import { numberOf } from '../invariants/native.js';
import { isNode } from '../walk.js';

/** The value of the one facet that begins with a prefix: fixed[x], pattern[x], minValue[x], maxValue[x]. */
export const facetValue = (facets: Partial<ElementDefinition>, prefix: 'fixed' | 'pattern' | 'minValue' | 'maxValue'): unknown => {
  for (const key in facets)
    if (key.startsWith(prefix) && /^[A-Z]/.test(key.slice(prefix.length))) return facets[key as keyof ElementDefinition];
  return undefined;
};

const isSameNumber = (left: unknown, right: unknown): boolean => {
  const number = numberOf(left);
  return number !== undefined && number === numberOf(right);
};

/** R4 elementdefinition: a fixed value is the whole value. */
export const equals = (value: unknown, fixed: unknown): boolean => {
  if (value === fixed || isSameNumber(value, fixed)) return true;
  if (Array.isArray(value))
    return Array.isArray(fixed) && value.length === fixed.length && value.every((item, at) => equals(item, fixed[at]));
  if (!isNode(value) || !isNode(fixed)) return false;
  const keys = Object.keys(value);
  return keys.length === Object.keys(fixed).length && keys.every((key) => Object.hasOwn(fixed, key) && equals(value[key], fixed[key]));
};

/** R4 elementdefinition: a pattern is what the value must hold at least; an item of an array may be anywhere in it. */
export const holds = (value: unknown, pattern: unknown): boolean => {
  if (value === pattern || isSameNumber(value, pattern)) return true;
  if (Array.isArray(pattern)) return Array.isArray(value) && pattern.every((part) => value.some((item) => holds(item, part)));
  if (!isNode(value) || !isNode(pattern)) return false;
  return Object.keys(pattern).every((key) => Object.hasOwn(value, key) && holds(value[key], pattern[key]));
};

/** A value as a person reads it in a message. */
export const inWords = (value: unknown): string => {
  const text = typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
};
