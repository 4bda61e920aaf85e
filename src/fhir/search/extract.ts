import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import type { Value } from '../../store/port.js';
import { readReference } from '../references.js';
import type { Key, Resource } from '../resource.js';
import { compileExpression, Uncompiled, type Evaluate, type Item, type Surroundings } from './expression.js';
import type { Model } from './model.js';
import type { ParameterType, SearchParameter, SearchParameters } from './parameters.js';
import { valuesOf, type Extraction } from './values.js';
import { wordValues } from './words.js';

/** What extraction needs to know besides the resource. */
export type Context = {
  /** the one resource that an identifier-only reference stands for (contract: logical references) */
  readonly resolve: (reference: { readonly identifier: { readonly system?: string; readonly value?: string } }) => Key | undefined;
  readonly baseUrl: string;
  /** what `#id` refers to: a contained resource as the index knows it, or the resource itself */
  readonly fragment?: ((text: string) => Key | undefined) | undefined;
  /** of dates without an offset */
  readonly timeZone: string;
};

/** All index values of a resource, from the expressions of its type's search parameters; those of one parameter where `only` names it. */
export type Extractor = (resource: Resource, context: Context, only?: string) => readonly Value[];

export type ExtractorOptions = {
  readonly model: Model;
  /** whether a code system says that its codes are case-sensitive; what no system says counts as not */
  readonly isCaseSensitive: (system: string) => boolean;
};

type Reference = {
  readonly reference?: unknown;
  readonly type?: unknown;
  readonly identifier?: { readonly system?: string; readonly value?: string };
};

const surroundings = ({ resolve, baseUrl }: Context): Surroundings => ({
  typeOf: (value) => {
    if (typeof value !== 'object' || value === null) return undefined;
    const { reference, type, identifier } = value as Reference;
    if (typeof reference === 'string') {
      const literal = readReference(reference, baseUrl)?.type ?? /([A-Z][A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}$/.exec(reference)?.[1];
      if (literal !== undefined) return literal;
    }
    if (typeof type === 'string') return type;
    return identifier === undefined ? undefined : resolve({ identifier })?.type;
  },
});

/** By the general engine; throws what it cannot read, and again what it cannot evaluate. */
export const compileGeneral = (expression: string): ((value: unknown) => readonly unknown[]) =>
  fhirpath.compile(expression, r4, { async: false }) as (value: unknown) => readonly unknown[];

/** Evaluates by the general engine; types come from its own typing of nodes. */
const generalEvaluate = (expression: string): Evaluate => {
  const compiled = compileGeneral(expression);
  return ({ value }) => compiled(value).map((found: unknown) => ({ value: found, type: shapeOf(found) }));
};

/** A stand-in for the type where the general engine gives bare JSON. */
const shapeOf = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return typeof value;
  const has = (name: string): boolean => name in value;
  if (has('coding')) return 'CodeableConcept';
  if (has('start') || has('end')) return 'Period';
  if (has('reference')) return 'Reference';
  if (has('family') || has('given')) return 'HumanName';
  if (has('value')) return typeof (value as { value: unknown }).value === 'string' ? 'Identifier' : 'Quantity';
  return has('code') ? 'Coding' : 'Element';
};

const evaluateOf = (expression: string, types: readonly string[], model: Model): { types: readonly string[]; evaluate: Evaluate } => {
  try {
    return compileExpression(expression, types, model);
  } catch (error) {
    if (!(error instanceof Uncompiled)) throw error;
    return { types: [], evaluate: generalEvaluate(expression) };
  }
};

type Read = (resource: Item, around: Surroundings, extraction: Extraction, out: Value[]) => void;
type Step = { readonly code: string; readonly read: Read };

const simple = (parameter: SearchParameter, type: string, model: Model): Read => {
  const { evaluate } = evaluateOf(parameter.expression, [type], model);
  return (resource, around, extraction, out) => {
    for (const item of evaluate(resource, around)) valuesOf(parameter.type, parameter.code, item, extraction, out);
  };
};

type Component = { readonly type: ParameterType; readonly evaluate: Evaluate };

// a component whose values are points of a list can be part of a name; a range or text must stand last
const discrete: ReadonlySet<ParameterType> = new Set(['token', 'reference', 'uri']);

/** The components of a composite with the one that must stand last at the end. */
export const orderOf = (types: readonly ParameterType[]): readonly number[] => {
  const all = types.map((_, index) => index);
  return [
    ...all.filter((index) => discrete.has(types[index] ?? 'special')),
    ...all.filter((index) => !discrete.has(types[index] ?? 'special')),
  ];
};

/** The names under which a component's value may be asked for: with its system, and without. */
const namesOf = (value: Value): readonly string[] => {
  if (value.kind === 'token') return [`${value.system}|${value.code}`, `*|${value.code}`];
  if (value.kind === 'reference') return [`${value.target.type}/${value.target.id}`];
  return value.kind === 'text' ? [value.value] : [];
};

/**
 * R4 search.html#combining: the components must hold for the same element. The values of the last component are kept under the
 * composite's name followed by the others' values, so that one seek tests the pair.
 */
const composite = (parameter: SearchParameter, type: string, model: Model, parameters: SearchParameters): Read => {
  const base = evaluateOf(parameter.expression, [type], model);
  const components = parameter.components.map(({ definition, expression }): Component => ({
    type: parameters.byUrl(definition)?.type ?? 'token',
    evaluate: evaluateOf(expression, base.types, model).evaluate,
  }));
  const order = orderOf(components.map((component) => component.type));
  const read = (index: number, item: Item, around: Surroundings, extraction: Extraction, name: string, out: Value[]): void => {
    const component = components[order[index] ?? 0];
    if (!component) return;
    const last = index === order.length - 1;
    for (const found of component.evaluate(item, around)) {
      const values: Value[] = last ? out : [];
      valuesOf(component.type, last ? name : 'x', found, extraction, values);
      if (!last) for (const part of new Set(values.flatMap(namesOf))) read(index + 1, item, around, extraction, `${name}$${part}`, out);
    }
  };
  return (resource, around, extraction, out) => {
    const before = out.length;
    for (const item of base.evaluate(resource, around)) read(0, item, around, extraction, parameter.code, out);
    // what `:missing` asks for
    if (out.length > before) out.push({ kind: 'token', param: parameter.code, system: '', code: '$' });
  };
};

const stepsOf = (type: string, parameters: SearchParameters, model: Model): readonly Step[] =>
  [...parameters.of(type).values()]
    // the row itself carries id and time
    .filter(({ expression, code }) => expression !== '' && code !== '_id' && code !== '_lastUpdated')
    .map((parameter) => {
      const read = parameter.type === 'composite' ? composite(parameter, type, model, parameters) : simple(parameter, type, model);
      return { code: parameter.code, read: parameter.added ? careful(read) : read };
    });

/** An expression that an administrator added must not be what a write fails by: where it cannot be evaluated it gives nothing. */
const careful =
  (read: Read): Read =>
  (resource, around, extraction, out) => {
    const before = out.length;
    try {
      read(resource, around, extraction, out);
    } catch {
      out.length = before;
    }
  };

/** Compiles the expressions once per type, when the first resource of the type comes. */
export const createExtractor = (parameters: SearchParameters, { model, isCaseSensitive }: ExtractorOptions): Extractor => {
  const cache = new WeakMap<ReadonlyMap<string, SearchParameter>, readonly Step[]>();
  return (resource, context, only) => {
    const type = resource.resourceType;
    // the map is another one as soon as parameters are added
    const offered = parameters.of(type);
    const steps = cache.get(offered) ?? stepsOf(type, parameters, model);
    cache.set(offered, steps);
    const around = surroundings(context);
    const extraction: Extraction = { ...context, isCaseSensitive };
    const out: Value[] = [];
    for (const { code, read } of steps) if (only === undefined || code === only) read({ value: resource, type }, around, extraction, out);
    if (only === undefined) wordValues(resource, out);
    return out;
  };
};
