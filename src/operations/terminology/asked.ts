import type { CodeSystem, Coding, ValueSet } from 'fhir/r4.js';
import { sightOf } from '../../access/policy.js';
import { parseJson } from '../../fhir/json.js';
import { failure } from '../../fhir/outcome.js';
import { readDate } from '../../fhir/search/dates.js';
import { gone, notFound } from '../../interactions/answers.js';
import { refuseMisshapen } from '../../interactions/checked.js';
import type { Call, House, Success } from '../../interactions/house.js';
import { terminologyFor, type KnownHere } from '../../interactions/stored-terminology.js';
import type { Concept, LocalCodeSystem } from '../../validation/terminology/code-systems.js';
import type { CodeSet } from '../../validation/terminology/value-sets.js';
import { parametersIn } from '../inputs.js';
import type { Declared, Invocation } from '../operation.js';
import { plainInputs, type PlainInputs } from '../plain-inputs.js';

export const json = (resource: object): Success => ({ status: 200, body: JSON.stringify(resource), headers: {} });

export type Out = { readonly name: string; readonly [value: string]: unknown };

export const parameters = (parameter: readonly Out[]): Success => json({ resourceType: 'Parameters', parameter });

export const missing = (name: string, others = '') =>
  failure('invalid', 'required', `The parameter ${name}${others} is missing.`, { expression: [name] });

export const unknown = (what: string, url: string) => failure('not-found', 'not-found', `The ${what} ${url} is not known here.`);

const wrong = (name: string, text: string) => failure('invalid', 'value', text, { expression: [name] });

/** Throws for an input that the operation does not have: a filter that were passed over would give more than was asked for. */
export const refuseUnknown = (call: Call, invocation: Invocation, declared: readonly Declared[]): void => {
  if (call.lenient) return;
  const names = declared.filter(({ use }) => use === 'in').map(({ name }) => name);
  const inBody = invocation.body?.resourceType === 'Parameters' ? parametersIn(invocation) : [];
  const given = [...invocation.query.map(([name]) => name), ...inBody.map(({ name }) => String(name))];
  const strange = given.find((name) => !names.includes(name) && name !== '_format' && name !== '_pretty');
  if (strange !== undefined)
    throw failure('invalid', 'not-supported', `There is no input ${strange}; there are ${names.join(', ')}.`, { expression: [strange] });
};

/** The inputs; R4 operations.html#executing: the one resource among them may be the body itself. */
export const inputsWith = (invocation: Invocation, resource: { readonly name: string; readonly type: string }): PlainInputs => {
  const { body } = invocation;
  if (body?.resourceType !== resource.type) return plainInputs(invocation);
  const inputs = plainInputs({ query: invocation.query });
  return { ...inputs, resource: (name) => (name === resource.name ? body : undefined) };
};

export const flag = (inputs: PlainInputs, name: string): boolean | undefined => {
  const text = inputs.text(name);
  if (text !== undefined && text !== 'true' && text !== 'false') throw wrong(name, `The parameter ${name} is true or false.`);
  return text === undefined ? undefined : text === 'true';
};

export const wholeNumber = (inputs: PlainInputs, name: string): number | undefined => {
  const text = inputs.text(name);
  if (text !== undefined && !/^\d{1,9}$/.test(text)) throw wrong(name, `The parameter ${name} must be a whole number.`);
  return text === undefined ? undefined : Number(text);
};

/**
 * R4: as it stood on a date. One version of each definition is known, so an earlier date than the definition's own has no answer; a later one
 * has the same.
 */
export const refuseEarlier = (
  { timeZone }: House,
  inputs: PlainInputs,
  definition: Pick<ValueSet | CodeSystem, 'url' | 'date'> | undefined,
): void => {
  const text = inputs.text('date');
  if (text === undefined) return;
  const asked = readDate(text, timeZone);
  if (asked === undefined) throw wrong('date', `'${text.slice(0, 100)}' is no date.`);
  const own = definition?.date === undefined ? undefined : readDate(definition.date, timeZone);
  if (own !== undefined && asked.high <= own.low)
    throw failure(
      'business-rule',
      'not-found',
      `${definition?.url ?? 'The definition'} is known here as of ${definition?.date ?? ''}, not as of ${text}.`,
      {
        expression: ['date'],
      },
    );
};

const storedResource = async (house: House, call: Call, type: string, id: string): Promise<unknown> => {
  const stored = await house.store.find({ type, id }, sightOf(call.caller, type));
  if (!stored) throw notFound({ type, id });
  if (stored.body === undefined) throw gone({ type, id });
  return parseJson(stored.body);
};

/** A resource that came with the request, or the one that its path names. */
export const givenResource = async (
  house: House,
  call: Call,
  { id }: Invocation,
  brought: unknown,
  type: 'ValueSet' | 'CodeSystem',
): Promise<ValueSet | CodeSystem | undefined> => {
  if (brought === undefined) return id === undefined ? undefined : ((await storedResource(house, call, type, id)) as ValueSet);
  if ((brought as { readonly resourceType?: unknown }).resourceType !== type) throw wrong('resource', `A ${type} is needed.`);
  refuseMisshapen(house, brought);
  return brought as ValueSet;
};

/** R4: the value set of an element, as `[StructureDefinition URL]#[path]`. */
const boundIn = (house: House, context: string | undefined): string | undefined => {
  if (context === undefined) return undefined;
  const [structure = '', path = ''] = context.split('#');
  const elements = house.definitions.findStructure(structure)?.snapshot?.element ?? [];
  const bound = elements.find((element) => element.id === path || element.path === path)?.binding?.valueSet;
  if (bound === undefined)
    throw failure(
      'not-found',
      'not-found',
      `${context} is no element with a value set that is known here: write [StructureDefinition]#[path].`,
      {
        expression: ['context'],
      },
    );
  return bound;
};

/** A filter by what no code can have would select nothing, or all, and nobody were told. */
const refuseUnknownProperties = ({ compose }: ValueSet, { systems }: KnownHere): void => {
  for (const part of ['include', 'exclude'] as const)
    for (const [at, { system = '', filter = [] }] of (compose?.[part] ?? []).entries())
      for (const [index, { property }] of filter.entries()) {
        const local = systems.find(system);
        if (local?.complete === true && !local.hasProperty(property))
          throw failure('business-rule', 'not-supported', `${system} has no property ${property.slice(0, 100)} to filter by.`, {
            expression: [`ValueSet.compose.${part}[${String(at)}].filter[${String(index)}]`],
          });
      }
};

/** The value set that is asked about, with the code systems that it needs. Throws for one that is not known. */
export const valueSetOf = async (
  house: House,
  call: Call,
  invocation: Invocation,
  inputs: PlainInputs,
): Promise<{ readonly codes: CodeSet; readonly resource: ValueSet | undefined; readonly known: KnownHere }> => {
  const given = (await givenResource(house, call, invocation, inputs.resource('valueSet'), 'ValueSet')) as ValueSet | undefined;
  if (given !== undefined) {
    const known = await terminologyFor(house, call, { resources: [given] });
    refuseUnknownProperties(given, known);
    return { codes: known.valueSets.expand(given), resource: given, known };
  }
  const url = inputs.text('url') ?? boundIn(house, inputs.text('context'));
  if (url === undefined) throw missing('url');
  const version = inputs.text('valueSetVersion');
  const canonical = version === undefined ? url : `${url}|${version}`;
  const known = await terminologyFor(house, call, { valueSets: [canonical] });
  const codes = known.valueSets.find(canonical);
  if (codes === undefined) throw unknown('value set', canonical);
  const resource = known.definitions.findValueSet(canonical);
  if (resource !== undefined) refuseUnknownProperties(resource, known);
  return { codes, resource, known };
};

/** The codes that are asked about, of `code` with its system, `coding` or `codeableConcept`. */
export const codingsOf = (inputs: PlainInputs): readonly Coding[] => {
  const coding = inputs.coding('coding');
  const concept = inputs.concept('codeableConcept');
  if (coding !== undefined) return [coding];
  if (concept !== undefined) return concept.coding ?? [];
  const [code, system, display, version] = ['code', 'system', 'display', 'systemVersion'].map((name) => inputs.text(name));
  if (code === undefined) throw missing('code', ', coding or codeableConcept');
  return [{ code, ...(system && { system }), ...(version && { version }), ...(display === undefined ? {} : { display }) }];
};

/** Whether a designation is in a language: `en` is asked for by `en` and by `en-GB`, and the other way round. */
const isIn = (language: string, tag: string | undefined): boolean =>
  tag !== undefined && tag.split('-')[0]?.toLowerCase() === language.split('-')[0]?.toLowerCase();

/** The display in the language asked for, where there is one. */
export const displayIn = (concept: Concept, system: LocalCodeSystem, language: string | undefined): string | undefined => {
  if (language === undefined || isIn(language, system.language)) return concept.display;
  const exact = concept.designations.find((one) => one.language?.toLowerCase() === language.toLowerCase());
  return (exact ?? concept.designations.find((one) => isIn(language, one.language)))?.value ?? concept.display;
};
