import type { SearchParameter as Resource } from 'fhir/r4.js';
import { compileExpression, Uncompiled } from './expression.js';
import type { Model } from './model.js';

export type ParameterType = 'number' | 'date' | 'string' | 'token' | 'reference' | 'composite' | 'quantity' | 'uri' | 'special';

/** One search parameter of one resource type (R4 searchparameter.html). */
export type SearchParameter = {
  readonly code: string;
  readonly url: string;
  readonly type: ParameterType;
  /** FHIRPath, narrowed to the alternatives that can hold for the type; empty for parameters that have none (`_text`) */
  readonly expression: string;
  /** resource types that a reference may point at; empty: any */
  readonly targets: readonly string[];
  /** FHIR types of the elements that it indexes; empty when the expression does not tell */
  readonly elements: readonly string[];
  /** of `code` elements: the value sets that their codes must be from, '' for those that need not */
  readonly bindings: readonly string[];
  readonly components: readonly { readonly definition: string; readonly expression: string }[];
  /** set for a parameter that an administrator added; pending: resources are still being indexed for it, and it cannot be searched by */
  readonly added?: { readonly pending: boolean };
};

/** A SearchParameter beside those of the definitions, with the types that it is for. */
export type AddedParameter = { readonly definition: Resource; readonly types: readonly string[]; readonly pending: boolean };

export type SearchParameters = {
  /** The parameters of a resource type by code, those of all resources included. */
  readonly of: (type: string) => ReadonlyMap<string, SearchParameter>;
  /** What decides the index values of a type, as a text: its parameters of the definitions, without those that were added. */
  readonly deciding: (type: string) => string;
  readonly byUrl: (url: string) => SearchParameter | undefined;
  /** Whether the definitions themselves have it: such a code cannot be given to another parameter. */
  readonly isBase: (type: string, code: string) => boolean;
  readonly isBaseUrl: (url: string) => boolean;
  /** Replaces the parameters that were added to the base set. */
  readonly extend: (added: readonly AddedParameter[]) => void;
  /** grows with each `extend` */
  readonly generation: () => number;
};

// R4 defines `_query` for named queries, which are operations here
const unsearchable = new Set(['_query']);

/** Splits a union at its top level: a `|` inside parentheses belongs to an inner expression. */
const alternatives = (expression: string): readonly string[] => {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < expression.length; index++) {
    const character = expression[index];
    if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (character === '|' && depth === 0) {
      parts.push(expression.slice(start, index).trim());
      start = index + 1;
    }
  }
  return [...parts, expression.slice(start).trim()].filter((part) => part !== '');
};

const rootOf = (alternative: string): string => /^\(*\s*([A-Za-z]+)/.exec(alternative)?.[1] ?? '';

/** The alternatives that can hold for the type: a path begins with it, or, as a path on any resource, with an element. */
export const narrowed = (expression: string, type: string): string =>
  alternatives(expression)
    .filter((part) => [type, 'Resource', 'DomainResource'].includes(rootOf(part)) || /^[a-z]/.test(rootOf(part)))
    .join(' | ');

const everywhere = new Set(['Resource', 'DomainResource']);

type Found = Pick<SearchParameter, 'elements' | 'bindings'>;

const foundBy = (expression: string, type: string, model: Model | undefined): Found => {
  if (expression === '' || !model) return { elements: [], bindings: [] };
  try {
    const { types, bindings } = compileExpression(expression, [type], model);
    return { elements: types, bindings };
  } catch (error) {
    if (error instanceof Uncompiled) return { elements: [], bindings: [] };
    throw error;
  }
};

const parameterOf = (resource: Resource, type: string, model: Model | undefined): SearchParameter => ({
  code: resource.code,
  url: resource.url,
  type: resource.type,
  expression: narrowed(resource.expression ?? '', type),
  ...foundBy(narrowed(resource.expression ?? '', type), type, model),
  targets: resource.target ?? [],
  components: (resource.component ?? []).map(({ definition, expression }) => ({ definition, expression })),
});

/** The search parameters that the definitions give, ready to be asked by resource type; the model tells what they index. */
export const createSearchParameters = (definitions: readonly object[], model?: Model): SearchParameters => {
  const base = (definitions as readonly Resource[]).filter(({ code }) => !unsearchable.has(code));
  let added: readonly AddedParameter[] = [];
  let generation = 0;
  let cache = new Map<string, ReadonlyMap<string, SearchParameter>>();
  const urls = new Map<string, SearchParameter>();
  const baseUrls = new Set(base.map(({ url }) => url));
  const isOf = (resource: Resource, type: string): boolean => resource.base.some((name) => name === type || everywhere.has(name));
  const make = (type: string): ReadonlyMap<string, SearchParameter> => {
    const found = new Map<string, SearchParameter>();
    for (const resource of base) if (isOf(resource, type)) found.set(resource.code, parameterOf(resource, type, model));
    for (const { definition, types, pending } of added)
      if (types.includes(type) && !found.has(definition.code))
        found.set(definition.code, { ...parameterOf(definition, type, model), added: { pending } });
    return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  const listUrls = (): void => {
    urls.clear();
    for (const resource of [...base, ...added.map(({ definition }) => definition)])
      urls.set(resource.url, parameterOf(resource, resource.base[0] ?? '', undefined));
  };
  listUrls();
  return {
    of: (type) => {
      const known = cache.get(type) ?? make(type);
      cache.set(type, known);
      return known;
    },
    deciding: (type) =>
      JSON.stringify(
        base
          .filter((resource) => isOf(resource, type))
          .map(({ code, type: kind, expression = '', component = [] }) => [
            ...[code, kind, narrowed(expression, type)],
            component.map((part) => [urls.get(part.definition)?.type, part.expression]),
          ]),
      ),
    byUrl: (url) => urls.get(url),
    isBase: (type, code) => base.some((resource) => resource.code === code && isOf(resource, type)),
    isBaseUrl: (url) => baseUrls.has(url),
    extend: (parameters) => {
      added = parameters;
      generation++;
      cache = new Map();
      listUrls();
    },
    generation: () => generation,
  };
};
