import type { CodeSystem, Coding } from 'fhir/r4.js';
import { failure } from '../../fhir/outcome.js';
import type { Call, House, Success } from '../../interactions/house.js';
import { terminologyFor } from '../../interactions/stored-terminology.js';
import type { Concept, LocalCodeSystem } from '../../validation/terminology/code-systems.js';
import type { Declared, Invocation, Operation } from '../operation.js';
import { plainInputs, type PlainInputs } from '../plain-inputs.js';
import { displayIn, givenResource, missing, parameters, refuseEarlier, refuseUnknown, unknown, type Out } from './asked.js';

/** The code system of the path, or the one that is named; in the version that is asked for, where one is. */
const systemOf = async (
  house: House,
  call: Call,
  invocation: Invocation,
  url: string | undefined,
  version: string | undefined,
): Promise<LocalCodeSystem> => {
  const given = (await givenResource(house, call, invocation, undefined, 'CodeSystem')) as CodeSystem | undefined;
  const canonical = given?.url ?? url;
  if (canonical === undefined) throw missing('system');
  const versioned = version === undefined ? canonical : `${canonical}|${version}`;
  const known = await terminologyFor(house, call, given === undefined ? { systems: [versioned] } : { resources: [given] });
  const system = known.systems.find(versioned);
  if (system === undefined) throw unknown('code system', versioned);
  refuseEarlier(house, plainInputs(invocation), known.definitions.findCodeSystem(versioned));
  return system;
};

const conceptOf = (system: LocalCodeSystem, code: string): Concept => {
  const concept = system.find(code);
  if (concept === undefined) throw failure('not-found', 'not-found', `${system.url} has no code '${code}'.`, { expression: ['code'] });
  return concept;
};

const property = (code: string, value: object): Out => ({
  name: 'property',
  part: [
    { name: 'code', valueCode: code },
    { name: 'value', ...value },
  ],
});

const propertiesOf = (system: LocalCodeSystem, concept: Concept): readonly (readonly [code: string, out: Out])[] => {
  const children = [...system.codes()].filter(({ parents }) => parents.includes(concept.code)).map(({ code }) => code);
  return [
    ...(concept.definition === undefined ? [] : [['definition', property('definition', { valueString: concept.definition })] as const]),
    ...concept.parents.map((parent) => ['parent', property('parent', { valueCode: parent })] as const),
    ...children.map((child) => ['child', property('child', { valueCode: child })] as const),
    ...(concept.properties ?? [])
      .filter(({ code }) => code !== 'parent' && code !== 'child')
      .map(({ code, ...value }) => [code, property(code, value)] as const),
  ];
};

const designationsOf = ({ designations }: Concept, wanted: (code: string) => boolean): readonly Out[] =>
  designations
    .filter(({ language }) => wanted('designation') || (language !== undefined && wanted(`lang.${language}`)))
    .map(({ language, use, value }) => ({
      name: 'designation',
      part: [
        ...(language === undefined ? [] : [{ name: 'language', valueCode: language }]),
        ...(use === undefined ? [] : [{ name: 'use', valueCoding: use }]),
        { name: 'value', valueString: value },
      ],
    }));

const codingOf = (inputs: PlainInputs, names: { readonly code: string; readonly coding: string }): Coding & { readonly code: string } => {
  const coding = inputs.coding(names.coding);
  const code = coding?.code ?? inputs.text(names.code);
  if (code === undefined) throw missing(names.code, ` or ${names.coding}`);
  return { ...coding, code };
};

/** R4 codesystem-operation-lookup.html. */
const lookup = async (house: House, call: Call, invocation: Invocation): Promise<Success> => {
  refuseUnknown(call, invocation, lookupInputs);
  const inputs = plainInputs(invocation);
  const coding = codingOf(inputs, { code: 'code', coding: 'coding' });
  const url = inputs.text('system') ?? inputs.text('url') ?? coding.system;
  const system = await systemOf(house, call, invocation, url, inputs.text('version') ?? coding.version);
  const concept = conceptOf(system, coding.code);
  const asked = new Set(inputs.texts('property'));
  const wanted = (code: string): boolean => asked.size === 0 || asked.has(code);
  return parameters([
    { name: 'name', valueString: system.name ?? system.url },
    ...(system.version === undefined ? [] : [{ name: 'version', valueString: system.version }]),
    { name: 'display', valueString: displayIn(concept, system, inputs.text('displayLanguage')) ?? concept.code },
    ...designationsOf(concept, wanted),
    ...propertiesOf(system, concept)
      .filter(([code]) => wanted(code))
      .map(([, out]) => out),
  ]);
};

/** R4 codesystem-operation-subsumes.html. */
const subsumes = async (house: House, call: Call, invocation: Invocation): Promise<Success> => {
  refuseUnknown(call, invocation, subsumesInputs);
  const inputs = plainInputs(invocation);
  const a = codingOf(inputs, { code: 'codeA', coding: 'codingA' });
  const b = codingOf(inputs, { code: 'codeB', coding: 'codingB' });
  if (a.system !== undefined && b.system !== undefined && a.system !== b.system)
    throw failure('invalid', 'value', 'Both codes are of one code system.', { expression: ['codingB'] });
  const url = inputs.text('system') ?? a.system ?? b.system;
  const system = await systemOf(house, call, invocation, url, inputs.text('version') ?? a.version);
  conceptOf(system, a.code);
  conceptOf(system, b.code);
  const [above, below] = [system.isA(b.code, a.code), system.isA(a.code, b.code)];
  const outcome = above && below ? 'equivalent' : above ? 'subsumes' : below ? 'subsumed-by' : 'not-subsumed';
  return parameters([{ name: 'outcome', valueCode: outcome }]);
};

const input = (name: string, type: string, max = '1'): Declared => ({ name, use: 'in', min: 0, max, type });

const lookupInputs: readonly Declared[] = [
  input('code', 'code'),
  input('system', 'uri'),
  // not R4's name, and what clients often send
  input('url', 'uri'),
  input('version', 'string'),
  input('coding', 'Coding'),
  input('date', 'dateTime'),
  input('displayLanguage', 'code'),
  input('property', 'code', '*'),
];

const part = (name: string, type: string, min = 0): Declared => ({ name, use: 'out', min, max: '1', type });

const lookupOutputs: readonly Declared[] = [
  part('name', 'string', 1),
  part('version', 'string'),
  part('display', 'string', 1),
  {
    name: 'designation',
    use: 'out',
    min: 0,
    max: '*',
    part: [part('language', 'code'), part('use', 'Coding'), part('value', 'string', 1)],
  },
  { name: 'property', use: 'out', min: 0, max: '*', part: [part('code', 'code', 1), part('value', 'string')] },
];

const subsumesInputs: readonly Declared[] = [
  input('codeA', 'code'),
  input('codeB', 'code'),
  input('system', 'uri'),
  input('version', 'string'),
  input('codingA', 'Coding'),
  input('codingB', 'Coding'),
];

const on = { affectsState: false, resource: ['CodeSystem'], system: false, type: true };

/** What a code is, and how two of them stand to each other. */
export const codeSystemOperations: readonly Operation[] = [
  {
    definition: {
      ...on,
      instance: false,
      name: 'Lookup',
      code: 'lookup',
      description: 'Tells the display, the designations and the properties of a code.',
      parameter: [...lookupInputs, ...lookupOutputs],
    },
    interaction: 'r',
    readsQuery: true,
    perform: lookup,
  },
  {
    definition: {
      ...on,
      instance: true,
      name: 'Subsumes',
      code: 'subsumes',
      description: 'Says whether one code is the other or above it.',
      parameter: [...subsumesInputs, { name: 'outcome', use: 'out', min: 1, max: '1', type: 'code' }],
    },
    interaction: 'r',
    readsQuery: true,
    perform: subsumes,
  },
];
