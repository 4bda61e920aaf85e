import type { Coding, CodeableConcept } from 'fhir/r4.js';
import type { Resource } from '../fhir/resource.js';
import type { Invocation } from './operation.js';

/** The inputs of an operation of FHIR's own, from the query and from Parameters alike (R4 operations.html#executing). */
export type PlainInputs = {
  readonly text: (name: string) => string | undefined;
  readonly texts: (name: string) => readonly string[];
  readonly resource: (name: string) => Resource | undefined;
  readonly coding: (name: string) => Coding | undefined;
  readonly concept: (name: string) => CodeableConcept | undefined;
};

type Part = { readonly name?: unknown; readonly resource?: Resource; readonly [value: string]: unknown };

const textOf = (part: Part): readonly string[] =>
  Object.entries(part).flatMap(([key, value]) =>
    key.startsWith('value') && (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      ? [String(value)]
      : [],
  );

export const plainInputs = ({ body, query }: Pick<Invocation, 'body' | 'query'>): PlainInputs => {
  const list: unknown = body?.resourceType === 'Parameters' ? body['parameter'] : undefined;
  const parts = (Array.isArray(list) ? list : []).filter((part): part is Part => typeof part === 'object' && part !== null);
  const named = (name: string): readonly Part[] => parts.filter((part) => part.name === name);
  const texts = (name: string): readonly string[] => [
    ...query.flatMap(([key, value]) => (key === name ? [value] : [])),
    ...named(name).flatMap(textOf),
  ];
  return {
    texts,
    text: (name) => texts(name)[0],
    resource: (name) => named(name)[0]?.resource,
    coding: (name) => named(name)[0]?.['valueCoding'] as Coding | undefined,
    concept: (name) => named(name)[0]?.['valueCodeableConcept'] as CodeableConcept | undefined,
  };
};
