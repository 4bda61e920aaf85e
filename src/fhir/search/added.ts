import type { SearchParameter as Definition } from 'fhir/r4.js';
import { failure, type Failure } from '../outcome.js';
import { compileExpression, NoSuchElement, Uncompiled } from './expression.js';
import { compileGeneral } from './extract.js';
import type { Model } from './model.js';
import { narrowed, type ParameterType, type SearchParameters } from './parameters.js';

/** What a definition is read against. */
export type Ground = { readonly parameters: SearchParameters; readonly model: Model; readonly types: readonly string[] };

/** A SearchParameter that searches can use, and the types that it is for. */
export type Usable = { readonly definition: Definition; readonly types: readonly string[] };

/** The FHIR types of elements that each type of parameter can index (R4 search.html#table). */
const indexable: Readonly<Partial<Record<ParameterType, ReadonlySet<string>>>> = {
  number: new Set(['decimal', 'integer', 'positiveInt', 'unsignedInt']),
  date: new Set(['date', 'dateTime', 'instant', 'Period', 'Timing']),
  string: new Set(['string', 'markdown', 'code', 'id', 'uri', 'HumanName', 'Address', 'CodeableConcept', 'Annotation']),
  token: new Set([
    ...['CodeableConcept', 'Coding', 'Identifier', 'ContactPoint', 'code', 'boolean', 'string', 'id', 'uri', 'canonical', 'oid', 'uuid'],
  ]),
  reference: new Set(['Reference', 'canonical', 'uri']),
  quantity: new Set(['Quantity', 'Age', 'Count', 'Duration', 'Distance', 'Money', 'SimpleQuantity', 'Range', 'SampledData']),
  uri: new Set(['uri', 'url', 'canonical', 'oid', 'uuid']),
};

// `.`, `:` and `$` have a meaning in the query; `_` begins the parameters of the standard
const codeForm = /^[A-Za-z][A-Za-z0-9-]{0,63}$/;
// e-RS counts the pages of slots by it
const taken = new Set(['page']);

const refused = (text: string, element: string, code = 'business-rule'): Failure =>
  failure('business-rule', code, text, { expression: [`SearchParameter.${element}`] });

const typesOf = ({ base }: Definition, { types }: Ground): readonly string[] => {
  // the audit trail keeps an index of its own
  const served = types.filter((type) => type !== 'AuditEvent');
  base.forEach((name: string, index) => {
    if (name === 'Resource' || name === 'DomainResource' || served.includes(name)) return;
    throw refused(`${name} is not a type that parameters can be added to here.`, `base[${String(index)}]`, 'not-supported');
  });
  return base.some((name: string) => name === 'Resource' || name === 'DomainResource') ? served : [...new Set<string>(base)];
};

const checkCode = ({ code }: Definition, types: readonly string[], { parameters }: Ground): void => {
  if (!codeForm.test(code) || taken.has(code))
    throw refused(`"${code}" cannot be the name of a parameter: letters, digits and -, beginning with a letter.`, 'code');
  const type = types.find((candidate) => parameters.isBase(candidate, code));
  if (type !== undefined) throw refused(`${type} has a parameter ${code} already, which the standard defines.`, 'code', 'duplicate');
};

/** What an expression gives for one type, or for the elements of a composite; empty when only the general engine can tell. */
const resultsOf = (expression: string, types: readonly string[], model: Model, at: string): readonly string[] => {
  try {
    return compileExpression(expression, types, model).types;
  } catch (error) {
    if (error instanceof NoSuchElement) throw refused(`The expression cannot be used: ${error.message}.`, at);
    if (!(error instanceof Uncompiled)) throw error;
  }
  try {
    compileGeneral(expression)({ resourceType: types[0] ?? 'Basic' });
    return [];
  } catch (error) {
    throw refused(`The expression is no FHIRPath that can be used: ${error instanceof Error ? error.message : String(error)}`, at);
  }
};

const checkResults = (kind: ParameterType, results: readonly string[], at: string): void => {
  const fitting = indexable[kind];
  if (!fitting || results.length === 0 || results.some((type) => fitting.has(type))) return;
  throw refused(`A ${kind} parameter cannot index ${[...new Set(results)].join(', ')}.`, at);
};

const checkComponents = ({ component = [] }: Definition, results: readonly string[], { parameters, model }: Ground): void => {
  if (component.length < 2) throw refused('A composite has two components or more.', 'component', 'required');
  component.forEach(({ definition, expression }, index) => {
    const known = parameters.byUrl(definition);
    const at = `component[${String(index)}]`;
    if (!known || known.type === 'composite' || known.type === 'special')
      throw refused(`${definition} is no parameter that can be part of a composite here.`, `${at}.definition`, 'not-found');
    if (results.length > 0) checkResults(known.type, resultsOf(expression, results, model, `${at}.expression`), `${at}.expression`);
  });
};

/**
 * Reads a SearchParameter that a client sends, as far as searches would use it. Undefined: it is kept and not used, because it is not
 * `active` (R4 publication-status).
 *
 * @throws Failure `business-rule` naming the element for which it cannot be used
 */
export const readAdded = (definition: Definition, ground: Ground): Usable | undefined => {
  if (definition.status !== 'active') return undefined;
  const types = typesOf(definition, ground);
  checkCode(definition, types, ground);
  if (ground.parameters.isBaseUrl(definition.url)) throw refused(`${definition.url} is defined by the standard.`, 'url', 'duplicate');
  if (definition.type !== 'composite' && !indexable[definition.type])
    throw refused(`Parameters of type ${definition.type} cannot be added.`, 'type', 'not-supported');
  const { expression } = definition;
  if (expression === undefined) throw refused('Without an expression nothing can be indexed.', 'expression', 'required');
  for (const type of types) {
    const own = narrowed(expression, type);
    if (own === '') throw refused(`No part of the expression is about ${type}.`, 'expression');
    const results = resultsOf(own, [type], ground.model, 'expression');
    if (definition.type === 'composite') checkComponents(definition, results, ground);
    else checkResults(definition.type, results, 'expression');
  }
  return { definition, types };
};
