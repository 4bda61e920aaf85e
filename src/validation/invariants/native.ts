import { exactKey } from '../../fhir/search/units.js';
import type { Node, Walk } from '../walk.js';

/**
 * An invariant as code: true when it holds. It stands in for the expression beside it, and only for that one: a profile that uses
 * the key for another rule gets the general engine.
 */
export type Native = {
  readonly expression: string;
  readonly holds: (node: Node, walk: Walk) => boolean;
};

export type Natives = Readonly<Record<string, Native>>;

/** FHIRPath exists(): a value, or the sibling of a primitive that has only extensions. */
export const has = (node: Node, name: string): boolean => node[name] !== undefined || node[`_${name}`] !== undefined;

/** exists() of a choice element, whatever its type. */
export const hasChoice = (node: Node, name: string): boolean => {
  for (const key in node) {
    const at = key.charCodeAt(0) === 95 ? 1 : 0;
    if (key.length > name.length + at && key.startsWith(name, at)) {
      const next = key.charCodeAt(name.length + at);
      if (next >= 65 && next <= 90) return true;
    }
  }
  return false;
};

export const itemsOf = (node: Node, name: string): readonly Node[] => {
  const value = node[name];
  return Array.isArray(value) ? (value as readonly Node[]) : value === undefined ? [] : [value as Node];
};

export const hasCoding = (concept: unknown, system: string, ...codes: readonly string[]): boolean =>
  itemsOf((concept ?? {}) as Node, 'coding').some((coding) => coding['system'] === system && codes.includes(coding['code'] as string));

export const isDistinct = (values: readonly unknown[]): boolean => new Set(values).size === values.length;

/** A JSON number, whichever parser read it. */
export const numberOf = (value: unknown): number | undefined => {
  if (typeof value === 'number') return value;
  return typeof value === 'object' && value !== null && 'isLosslessNumber' in value
    ? Number((value as unknown as { value: string }).value)
    : undefined;
};

/**
 * FHIRPath comparison of dates and times: below, equal or above zero; undefined when their precision leaves it open.
 * http://hl7.org/fhirpath/N1/#comparison
 */
export const compareMoments = (left: string, right: string): number | undefined => {
  if (left.length > 10 && right.length > 10) return Date.parse(left) - Date.parse(right);
  const length = Math.min(left.length, right.length, 10);
  const [a, b] = [left.slice(0, length), right.slice(0, length)];
  if (a !== b) return a < b ? -1 : 1;
  return left.length === right.length ? 0 : undefined;
};

const ucum = 'http://unitsofmeasure.org';

export const isUcum = ({ system }: Node): boolean => system === ucum;

/** R4 datatypes.html#Quantity: quantities whose units UCUM can convert are compared in canonical units. */
const inCanonicalUnits = (quantity: Node, value: number): { readonly key: string; readonly value: number } | undefined => {
  if (!isUcum(quantity) || typeof quantity['code'] !== 'string') return undefined;
  const { key, factor } = exactKey(ucum, quantity['code']);
  return { key, value: factor(value) };
};

/** Quantities compared by their numbers, in canonical units when their units differ; undefined when they cannot be compared. */
export const compareQuantities = (left: Node, right: Node): number | undefined => {
  const [a, b] = [numberOf(left['value']), numberOf(right['value'])];
  if (a === undefined || b === undefined) return undefined;
  const same = (left['code'] ?? left['unit']) === (right['code'] ?? right['unit']) && left['system'] === right['system'];
  if (same) return a - b;
  const [one, other] = [inCanonicalUnits(left, a), inCanonicalUnits(right, b)];
  return one === undefined || one.key !== other?.key ? undefined : one.value - other.value;
};
