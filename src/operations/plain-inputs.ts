import type { Coding, CodeableConcept } from 'fhir/r4.js';
import { failure } from '../fhir/outcome.js';
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

const isTree = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCoding = (value: unknown): value is Coding =>
  isTree(value) && ['system', 'code', 'version', 'display'].every((name) => ['string', 'undefined'].includes(typeof value[name]));

const wrong = (name: string, type: string) =>
  failure('invalid', 'value', `The parameter ${name} is no ${type}.`, { expression: [`Parameters.parameter.where(name='${name}')`] });

const codingIn = (value: unknown, name: string): Coding | undefined => {
  if (value !== undefined && !isCoding(value)) throw wrong(name, 'Coding');
  return value;
};

/** A CodeableConcept as it came, its codings looked at; throws a Failure for what is none. */
export const conceptIn = (value: unknown, name: string): CodeableConcept | undefined => {
  if (value === undefined) return undefined;
  const coding = isTree(value) ? (value['coding'] ?? []) : undefined;
  if (!Array.isArray(coding) || !coding.every(isCoding)) throw wrong(name, 'CodeableConcept');
  return value as CodeableConcept;
};

const resourceIn = (value: unknown, name: string): Resource | undefined => {
  if (value !== undefined && !(isTree(value) && typeof value['resourceType'] === 'string')) throw wrong(name, 'resource');
  return value as Resource | undefined;
};

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
    resource: (name) => resourceIn(named(name)[0]?.resource, name),
    coding: (name) => codingIn(named(name)[0]?.['valueCoding'], name),
    concept: (name) => conceptIn(named(name)[0]?.['valueCodeableConcept'], name),
  };
};
