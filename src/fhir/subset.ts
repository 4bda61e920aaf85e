import { failure } from './outcome.js';
import type { Resource } from './resource.js';
import type { ElementShape, Shapes } from './shapes.js';

/** R4 search.html#summary and #elements: which part of a resource is asked for. */
export type Subset =
  | { readonly kind: 'summary'; readonly summary: 'true' | 'text' | 'data' }
  | { readonly kind: 'elements'; readonly elements: readonly string[] };

const subsetted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' } as const;
const always = new Set(['id', 'meta', 'implicitRules']);

/** Reads `_summary` and `_elements`; undefined for the whole. Throws a Failure for a value that R4 does not have. */
export const readSubset = (summary: string | undefined, elements: string | undefined): Subset | undefined => {
  if (summary !== undefined && elements !== undefined && summary !== 'false')
    throw failure('invalid', 'value', '_summary and _elements cannot both choose.', { expression: ['_summary'] });
  if (elements !== undefined) {
    const names = elements.split(',').map((name) => name.trim());
    if (!names.every((name) => /^(?:[A-Z][A-Za-z]+\.)?[A-Za-z]{1,64}$/.test(name)))
      throw failure('invalid', 'value', '_elements takes names of elements, separated by commas.', { expression: ['_elements'] });
    return { kind: 'elements', elements: names };
  }
  if (summary === undefined || summary === 'false') return undefined;
  if (summary === 'true' || summary === 'text' || summary === 'data') return { kind: 'summary', summary };
  throw failure('invalid', 'value', '_summary takes true, text, data and false here.', { expression: ['_summary'] });
};

/** The part of the resource, tagged SUBSETTED so that nobody takes it for the whole or writes it back. */
export const subsetOf = (resource: Resource, subset: Subset, shapes: Shapes): Resource => {
  const shape = shapes(resource.resourceType);
  if (!shape) throw new Error(`no shape ${resource.resourceType}`);
  const keeps = keeper(subset, resource.resourceType);
  const kept = Object.entries(resource).flatMap(([name, value]): readonly (readonly [string, unknown])[] => {
    if (name === 'resourceType') return [[name, value]];
    const row = shape.byName.get(name.replace(/^_/, ''));
    if (row === undefined || !keeps(row)) return [];
    return [[name, subset.kind === 'summary' && subset.summary === 'true' ? summaryOf(value, row.type, shapes) : value]];
  });
  const { meta, ...rest } = Object.fromEntries(kept) as unknown as Resource;
  const { resourceType, id, ...more } = rest;
  const tags = (meta?.['tag'] ?? []) as readonly object[];
  return { resourceType, ...(id === undefined ? {} : { id }), meta: { ...meta, tag: [...tags, subsetted] }, ...more };
};

/** R4 search.html#summary: an element within an element is in the summary when it is marked too. Data types are shown whole. */
const summaryOf = (value: unknown, type: string, shapes: Shapes): unknown => {
  const shape = type.includes('.') ? shapes(type) : undefined;
  if (!shape || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => summaryOf(one, type, shapes));
  const kept = Object.entries(value).flatMap(([name, inner]): readonly (readonly [string, unknown])[] => {
    const row = shape.byName.get(name.replace(/^_/, ''));
    return row?.summary === true || row?.required === true ? [[name, summaryOf(inner, row.type, shapes)]] : [];
  });
  // R4 json.html: no element is empty
  return kept.length === 0 ? value : Object.fromEntries(kept);
};

const keeper = (subset: Subset, type: string): ((row: ElementShape) => boolean) => {
  if (subset.kind === 'elements') {
    const names = new Set(subset.elements.map((name) => (name.startsWith(`${type}.`) ? name.slice(type.length + 1) : name)));
    return ({ name, choice, required, modifier }) =>
      always.has(name) || required || modifier || names.has(name) || (choice !== undefined && names.has(choice));
  }
  switch (subset.summary) {
    case 'true':
      return ({ name, summary, required }) => always.has(name) || summary || required;
    case 'text':
      return ({ name, required }) => always.has(name) || name === 'text' || required;
    case 'data':
      return ({ name }) => name !== 'text';
  }
};
