import type { Coding, ValueSet, ValueSetExpansionContains } from 'fhir/r4.js';
import { sightOf } from '../access/policy.js';
import { parseJson } from '../fhir/json.js';
import { failure } from '../fhir/outcome.js';
import { gone, notFound } from '../interactions/answers.js';
import type { Call, House, Success } from '../interactions/house.js';
import type { CodeSet, Membership } from '../validation/terminology/value-sets.js';
import type { Invocation, Operation } from './operation.js';
import { plainInputs, type PlainInputs } from './plain-inputs.js';

/** Codings of one CodeableConcept that a terminology server is asked about. */
const mostAsked = 20;

const json = (resource: object): Success => ({ status: 200, body: JSON.stringify(resource), headers: {} });

type Out = { readonly name: string; readonly [value: string]: unknown };

const parameters = (parameter: readonly Out[]): Success => json({ resourceType: 'Parameters', parameter });

const storedResource = async (house: House, call: Call, type: string, id: string): Promise<unknown> => {
  const stored = await house.store.find({ type, id }, sightOf(call.caller, type));
  if (!stored) throw notFound({ type, id });
  if (stored.body === undefined) throw gone({ type, id });
  return parseJson(stored.body);
};

const missing = (name: string, others = '') =>
  failure('invalid', 'required', `The parameter ${name}${others} is missing.`, { expression: [name] });

const unknown = (what: string, url: string) => failure('not-found', 'not-found', `The ${what} ${url} is not known here.`);

const valueSetOf = async (
  house: House,
  call: Call,
  { id }: Invocation,
  inputs: PlainInputs,
): Promise<{ readonly codes: CodeSet; readonly resource: ValueSet | undefined }> => {
  const { valueSets } = house.terminology;
  const given = (inputs.resource('valueSet') ?? (id === undefined ? undefined : await storedResource(house, call, 'ValueSet', id))) as
    ValueSet | undefined;
  if (given !== undefined) return { codes: valueSets.expand(given), resource: given };
  const url = inputs.text('url');
  if (url === undefined) throw missing('url');
  const version = inputs.text('valueSetVersion');
  const codes = valueSets.find(version === undefined ? url : `${url}|${version}`);
  if (codes === undefined) throw unknown('value set', url);
  return { codes, resource: house.definitions.findValueSet(url) };
};

const wholeNumber = (inputs: PlainInputs, name: string): number | undefined => {
  const text = inputs.text(name);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw failure('invalid', 'value', `The parameter ${name} must be a whole number.`, { expression: [name] });
  return Number(text);
};

const expand = async (house: House, call: Call, invocation: Invocation): Promise<Success> => {
  const inputs = plainInputs(invocation);
  const { codes, resource } = await valueSetOf(house, call, invocation, inputs);
  if (!codes.enumerated)
    throw failure('too-costly', 'too-costly', `${codes.title} has codes of ${codes.systems().join(', ')} that cannot be listed here.`);
  const filter = inputs.text('filter')?.toLowerCase();
  const all = [...codes.codes].flatMap(([system, list]) =>
    [...list].map(([code, display]): ValueSetExpansionContains => ({ system, code, ...(display === undefined ? {} : { display }) })),
  );
  const matching =
    filter === undefined ? all : all.filter(({ code, display }) => `${code ?? ''} ${display ?? ''}`.toLowerCase().includes(filter));
  const offset = wholeNumber(inputs, 'offset') ?? 0;
  const count = wholeNumber(inputs, 'count') ?? matching.length;
  const { url, version, name, title, status } = resource ?? { url: codes.url, status: 'active' as const };
  return json({
    resourceType: 'ValueSet',
    ...{ url, version, name, title, status },
    expansion: {
      identifier: `urn:uuid:${house.newId()}`,
      timestamp: new Date(house.clock()).toISOString(),
      total: matching.length,
      offset,
      contains: matching.slice(offset, offset + count),
    },
  });
};

const codingsOf = (inputs: PlainInputs): readonly Coding[] => {
  const coding = inputs.coding('coding');
  const concept = inputs.concept('codeableConcept');
  if (coding !== undefined) return [coding];
  if (concept !== undefined) return concept.coding ?? [];
  const [code, system, display] = [inputs.text('code'), inputs.text('system'), inputs.text('display')];
  if (code === undefined) throw missing('code', ', coding or codeableConcept');
  return [{ code, ...(system === undefined ? {} : { system }), ...(display === undefined ? {} : { display }) }];
};

/** What is known here, and what the terminology server says of the rest, where there is one. */
const statusesOf = async (house: House, codes: CodeSet, codings: readonly Coding[]): Promise<readonly Membership[]> => {
  const local = codings.map(({ system, code }) => (code === undefined ? 'out' : codes.membership(system, code)));
  const questionOf = ({ system = '', code = '' }: Coding) => ({ valueSet: codes.url, system, code });
  const open = codings.filter(({ system }, at) => local[at] === 'unknown' && system !== undefined && codes.url !== '');
  if (open.length === 0 || house.terminologyServer === undefined) return local;
  const answers = await house.terminologyServer.ask(open.slice(0, mostAsked).map(questionOf));
  return local.map((status, at) => (status === 'unknown' ? answers.find(questionOf(codings[at]!)) : status));
};

const validateInValueSet = async (house: House, call: Call, invocation: Invocation): Promise<Success> => {
  const inputs = plainInputs(invocation);
  const { codes } = await valueSetOf(house, call, invocation, inputs);
  const codings = codingsOf(inputs);
  const statuses = await statusesOf(house, codes, codings);
  const at = statuses.indexOf('in');
  if (at < 0) {
    const text = statuses.includes('unknown')
      ? `whether the code is in ${codes.title} cannot be told here`
      : `the code is not in ${codes.title}`;
    return parameters([
      { name: 'result', valueBoolean: false },
      { name: 'message', valueString: text },
    ]);
  }
  return withDisplay(codings[at]!, house.terminology.systems.find(codings[at]!.system ?? '')?.find(codings[at]!.code ?? '')?.display);
};

/** R4: a display that is not the code's own makes the result false. */
const withDisplay = (coding: Coding, display: string | undefined): Success => {
  const same = coding.display === undefined || display === undefined || coding.display.toLowerCase() === display.toLowerCase();
  return parameters([
    { name: 'result', valueBoolean: same },
    ...(same ? [] : [{ name: 'message', valueString: `the display of the code is '${display}'` }]),
    ...(display === undefined ? [] : [{ name: 'display', valueString: display }]),
  ]);
};

const systemOf = async (house: House, call: Call, { id }: Invocation, inputs: PlainInputs, coding: Coding | undefined): Promise<string> => {
  const url =
    id === undefined
      ? (inputs.text('url') ?? inputs.text('system') ?? coding?.system)
      : ((await storedResource(house, call, 'CodeSystem', id)) as { readonly url?: string }).url;
  if (url === undefined) throw missing('system');
  return url;
};

const validateInCodeSystem = async (house: House, call: Call, invocation: Invocation): Promise<Success> => {
  const inputs = plainInputs(invocation);
  const [coding] = codingsOf(inputs);
  const url = await systemOf(house, call, invocation, inputs, coding);
  const system = house.terminology.systems.find(url);
  if (system === undefined) throw unknown('code system', url);
  const concept = system.find(coding?.code ?? '');
  if (coding !== undefined && concept !== undefined) return withDisplay(coding, concept.display);
  return parameters([
    { name: 'result', valueBoolean: false },
    { name: 'message', valueString: `${url} has no code '${coding?.code ?? ''}'` },
  ]);
};

const lookup = async (house: House, call: Call, invocation: Invocation): Promise<Success> => {
  const inputs = plainInputs(invocation);
  const [coding] = codingsOf(inputs);
  const url = await systemOf(house, call, invocation, inputs, coding);
  const system = house.terminology.systems.find(url);
  if (system === undefined) throw unknown('code system', url);
  const concept = system.find(coding?.code ?? '');
  if (concept === undefined) throw failure('not-found', 'not-found', `${url} has no code '${coding?.code ?? ''}'.`);
  const properties = (concept.properties ?? []).map(({ code, ...value }) => ({
    name: 'property',
    part: [
      { name: 'code', valueCode: code },
      { name: 'value', ...value },
    ],
  }));
  return parameters([
    { name: 'name', valueString: system.name ?? url },
    ...(system.version === undefined ? [] : [{ name: 'version', valueString: system.version }]),
    { name: 'display', valueString: concept.display ?? concept.code },
    ...concept.parents.map((parent) => ({
      name: 'property',
      part: [
        { name: 'code', valueCode: 'parent' },
        { name: 'value', valueCode: parent },
      ],
    })),
    ...properties,
  ]);
};

const codeInputs = [
  { name: 'url', use: 'in', min: 0, max: '1', type: 'uri' },
  { name: 'code', use: 'in', min: 0, max: '1', type: 'code' },
  { name: 'system', use: 'in', min: 0, max: '1', type: 'uri' },
  { name: 'display', use: 'in', min: 0, max: '1', type: 'string' },
  { name: 'coding', use: 'in', min: 0, max: '1', type: 'Coding' },
] as const;

const codeOutputs = [
  { name: 'result', use: 'out', min: 1, max: '1', type: 'boolean' },
  { name: 'message', use: 'out', min: 0, max: '1', type: 'string' },
  { name: 'display', use: 'out', min: 0, max: '1', type: 'string' },
] as const;

const concept = { name: 'codeableConcept', use: 'in', min: 0, max: '1', type: 'CodeableConcept' } as const;

const on = (resource: 'ValueSet' | 'CodeSystem') => ({
  affectsState: false,
  resource: [resource],
  system: false,
  type: true,
  instance: true,
});

/** R4 valueset-operations and codesystem-operations, on what is known here. */
export const terminologyOperations: readonly Operation[] = [
  {
    definition: {
      ...on('ValueSet'),
      name: 'Expand',
      code: 'expand',
      description: 'Lists the codes of a value set.',
      parameter: [
        { name: 'url', use: 'in', min: 0, max: '1', type: 'uri' },
        { name: 'valueSet', use: 'in', min: 0, max: '1', type: 'ValueSet' },
        { name: 'filter', use: 'in', min: 0, max: '1', type: 'string' },
        { name: 'offset', use: 'in', min: 0, max: '1', type: 'integer' },
        { name: 'count', use: 'in', min: 0, max: '1', type: 'integer' },
        { name: 'return', use: 'out', min: 1, max: '1', type: 'ValueSet' },
      ],
    },
    interaction: 'r',
    perform: expand,
  },
  {
    definition: {
      ...on('ValueSet'),
      name: 'ValidateCodeInValueSet',
      code: 'validate-code',
      description: 'Says whether a code is in a value set.',
      parameter: [...codeInputs, concept, ...codeOutputs],
    },
    interaction: 'r',
    perform: validateInValueSet,
  },
  {
    definition: {
      ...on('CodeSystem'),
      name: 'ValidateCodeInCodeSystem',
      code: 'validate-code',
      description: 'Says whether a code system has a code.',
      parameter: [...codeInputs, concept, ...codeOutputs],
    },
    interaction: 'r',
    perform: validateInCodeSystem,
  },
  {
    definition: {
      ...on('CodeSystem'),
      instance: false,
      name: 'Lookup',
      code: 'lookup',
      description: 'Tells the display and the properties of a code.',
      parameter: [
        ...codeInputs,
        { name: 'name', use: 'out', min: 1, max: '1', type: 'string' },
        { name: 'version', use: 'out', min: 0, max: '1', type: 'string' },
        { name: 'display', use: 'out', min: 1, max: '1', type: 'string' },
      ],
    },
    interaction: 'r',
    perform: lookup,
  },
];
