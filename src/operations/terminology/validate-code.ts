import type { CodeSystem, Coding } from 'fhir/r4.js';
import type { Call, House, Success } from '../../interactions/house.js';
import { terminologyFor, type KnownHere } from '../../interactions/stored-terminology.js';
import type { CodeSet, Membership } from '../../validation/terminology/value-sets.js';
import type { Declared, Invocation, Operation } from '../operation.js';
import type { PlainInputs } from '../plain-inputs.js';
import {
  codingsOf,
  displayIn,
  flag,
  givenResource,
  inputsWith,
  missing,
  parameters,
  refuseEarlier,
  refuseUnknown,
  unknown,
  valueSetOf,
} from './asked.js';

/** Codings of one CodeableConcept that a terminology server is asked about. */
const mostAsked = 20;

/** What is known here, and what the terminology server says of the rest, where there is one. */
const statusesOf = async (house: House, codes: CodeSet, codings: readonly Coding[]): Promise<readonly Membership[]> => {
  const local = codings.map(({ system, code }) => (code === undefined ? 'out' : codes.membership(system, code)));
  const questionOf = ({ system = '', code = '' }: Coding) => ({ valueSet: codes.url, system, code });
  const open = codings.filter(({ system }, at) => local[at] === 'unknown' && system !== undefined && codes.url !== '');
  if (open.length === 0 || house.terminologyServer === undefined) return local;
  const answers = await house.terminologyServer.ask(open.slice(0, mostAsked).map(questionOf));
  return local.map((status, at) => (status === 'unknown' ? answers.find(questionOf(codings[at]!)) : status));
};

const no = (message: string, display?: string): Success =>
  parameters([
    { name: 'result', valueBoolean: false },
    { name: 'message', valueString: message },
    ...(display === undefined ? [] : [{ name: 'display', valueString: display }]),
  ]);

/** The system of a code that came without one: the only one of the value set that has it. */
const systemIn = ({ codes }: CodeSet, { system, code = '' }: Coding): string | undefined => {
  if (system !== undefined) return system;
  const having = [...codes].filter(([, list]) => list.has(code));
  return having.length === 1 ? having[0]?.[0] : undefined;
};

/**
 * The answer for a code that is there: still no when its display is not the code's own, when its code system is asked for in a version
 * that is not known here, or when it is abstract and none such is wanted.
 */
const judged = (inputs: PlainInputs, { systems }: KnownHere, coding: Coding, url: string | undefined): Success => {
  const local = url === undefined ? undefined : systems.find(url);
  const concept = local?.find(coding.code ?? '');
  if (local === undefined || concept === undefined) return parameters([{ name: 'result', valueBoolean: true }]);
  const display = displayIn(concept, local, inputs.text('displayLanguage'));
  if (coding.version !== undefined && local.version !== undefined && systems.find(`${local.url}|${coding.version}`) === undefined)
    return no(`of ${local.url} the version ${local.version} is known here, and not ${coding.version}`, display);
  if (concept.abstract && flag(inputs, 'abstract') === false) return no('the code is abstract', display);
  const names = [display, concept.display, ...concept.designations.map(({ value }) => value)];
  const isNamed = coding.display === undefined || names.some((name) => name?.toLowerCase() === coding.display?.toLowerCase());
  // R4: a display that is not the code's own makes the result false
  if (!isNamed && display !== undefined) return no(`the display of the code is '${display}'`, display);
  return parameters([
    { name: 'result', valueBoolean: true },
    ...(display === undefined ? [] : [{ name: 'display', valueString: display }]),
  ]);
};

const inValueSet = async (house: House, call: Call, invocation: Invocation): Promise<Success> => {
  refuseUnknown(call, invocation, valueSetInputs);
  const inputs = inputsWith(invocation, { name: 'valueSet', type: 'ValueSet' });
  const codings = codingsOf(inputs);
  const { codes, resource, known } = await valueSetOf(house, call, invocation, inputs);
  refuseEarlier(house, inputs, resource);
  const statuses = await statusesOf(house, codes, codings);
  const at = statuses.indexOf('in');
  if (at < 0)
    return no(
      statuses.includes('unknown') ? `whether the code is in ${codes.title} cannot be told here` : `the code is not in ${codes.title}`,
    );
  const coding = codings[at]!;
  const url = systemIn(codes, coding);
  const whole = url === undefined ? known : await withSystem(house, call, known, url);
  return judged(inputs, whole, coding, url);
};

/** A value set that lists its codes needs no code system to be expanded, and one to be told of their displays. */
const withSystem = async (house: House, call: Call, known: KnownHere, url: string): Promise<KnownHere> =>
  known.systems.find(url) === undefined ? terminologyFor(house, call, { systems: [url] }) : known;

const inCodeSystem = async (house: House, call: Call, invocation: Invocation): Promise<Success> => {
  refuseUnknown(call, invocation, codeSystemInputs);
  const inputs = inputsWith(invocation, { name: 'codeSystem', type: 'CodeSystem' });
  const given = (await givenResource(house, call, invocation, inputs.resource('codeSystem'), 'CodeSystem')) as CodeSystem | undefined;
  const codings = codingsOf(inputs);
  const url = given === undefined ? (inputs.text('url') ?? inputs.text('system') ?? codings[0]?.system) : (given.url ?? 'urn:codeSystem');
  if (url === undefined) throw missing('url');
  const known = await terminologyFor(house, call, given === undefined ? { systems: [url] } : { resources: [{ ...given, url }] });
  const system = known.systems.find(url);
  if (system === undefined) throw unknown('code system', url);
  refuseEarlier(house, inputs, known.definitions.findCodeSystem(url));
  const own = codings.filter((coding) => coding.system === undefined || coding.system === url);
  const coding = own.find(({ code }) => system.find(code ?? '') !== undefined);
  if (coding === undefined) return no(`${url} has no code '${codings.map(({ code }) => code ?? '').join(', ')}'`);
  const version = inputs.text('version');
  return judged(inputs, known, { ...coding, ...(version === undefined ? {} : { version }) }, url);
};

const input = (name: string, type: string): Declared => ({ name, use: 'in', min: 0, max: '1', type });

const outputs: readonly Declared[] = [
  { name: 'result', use: 'out', min: 1, max: '1', type: 'boolean' },
  { name: 'message', use: 'out', min: 0, max: '1', type: 'string' },
  { name: 'display', use: 'out', min: 0, max: '1', type: 'string' },
];

const both: readonly Declared[] = [
  input('code', 'code'),
  input('system', 'uri'),
  input('display', 'string'),
  input('coding', 'Coding'),
  input('codeableConcept', 'CodeableConcept'),
  input('date', 'dateTime'),
  input('abstract', 'boolean'),
  input('displayLanguage', 'code'),
];

const valueSetInputs: readonly Declared[] = [
  input('url', 'uri'),
  input('context', 'uri'),
  input('valueSet', 'ValueSet'),
  input('valueSetVersion', 'string'),
  input('systemVersion', 'string'),
  ...both,
];

const codeSystemInputs: readonly Declared[] = [input('url', 'uri'), input('codeSystem', 'CodeSystem'), input('version', 'string'), ...both];

const on = (resource: 'ValueSet' | 'CodeSystem') => ({
  affectsState: false,
  resource: [resource],
  system: false,
  type: true,
  instance: true,
});

/** R4 valueset-operation-validate-code.html and codesystem-operation-validate-code.html. */
export const validateCodeOperations: readonly Operation[] = [
  {
    definition: {
      ...on('ValueSet'),
      name: 'ValidateCodeInValueSet',
      code: 'validate-code',
      description: 'Says whether a code is in a value set.',
      parameter: [...valueSetInputs, ...outputs],
    },
    interaction: 'r',
    readsQuery: true,
    perform: inValueSet,
  },
  {
    definition: {
      ...on('CodeSystem'),
      name: 'ValidateCodeInCodeSystem',
      code: 'validate-code',
      description: 'Says whether a code system has a code.',
      parameter: [...codeSystemInputs, ...outputs],
    },
    interaction: 'r',
    readsQuery: true,
    perform: inCodeSystem,
  },
];
