import type { ValueSet, ValueSetComposeIncludeConceptDesignation, ValueSetExpansionContains, ValueSetExpansionParameter } from 'fhir/r4.js';
import { failure } from '../../fhir/outcome.js';
import type { Call, House, Success } from '../../interactions/house.js';
import type { KnownHere } from '../../interactions/stored-terminology.js';
import type { Concept, LocalCodeSystem } from '../../validation/terminology/code-systems.js';
import type { CodeSet } from '../../validation/terminology/value-sets.js';
import type { Declared, Invocation, Operation } from '../operation.js';
import type { PlainInputs } from '../plain-inputs.js';
import { displayIn, flag, inputsWith, json, refuseEarlier, refuseUnknown, valueSetOf, wholeNumber } from './asked.js';

type Row = {
  readonly code: string;
  readonly display: string | undefined;
  readonly system: string;
  readonly local: LocalCodeSystem | undefined;
  readonly concept: Concept | undefined;
};

const rowsOf = (codes: CodeSet, { systems }: KnownHere): readonly Row[] =>
  [...codes.codes].flatMap(([system, list]) => {
    const local = systems.find(system);
    return [...list].map(([code, display]): Row => ({ system, code, display, local, concept: local?.find(code) }));
  });

const shownDisplay = ({ display, concept, local }: Row, language: string | undefined): string | undefined =>
  language === undefined || concept === undefined || local === undefined ? display : displayIn(concept, local, language);

/** Which codes are left by the inputs. */
const isAsked = (inputs: PlainInputs): ((row: Row) => boolean) => {
  const filter = inputs.text('filter')?.toLowerCase();
  const language = inputs.text('displayLanguage');
  const active = flag(inputs, 'activeOnly') === true;
  const forUi = flag(inputs, 'excludeNotForUI') === true;
  const excluded = new Set(inputs.texts('exclude-system').map((canonical) => canonical.split('|')[0]));
  return (row) =>
    !excluded.has(row.system) &&
    !(active && row.concept?.inactive === true) &&
    !(forUi && row.concept?.abstract === true) &&
    (filter === undefined || `${row.code} ${shownDisplay(row, language) ?? ''}`.toLowerCase().includes(filter));
};

/** A version of a code system that is asked for, and is not the one that is known here. */
const refuseOtherVersions = (inputs: PlainInputs, { systems }: KnownHere): void => {
  for (const name of ['system-version', 'check-system-version', 'force-system-version'])
    for (const canonical of inputs.texts(name)) {
      const [url = '', version] = canonical.split('|');
      const known = systems.find(url);
      if (known?.version !== undefined && version !== undefined && systems.find(canonical) === undefined)
        throw failure('business-rule', 'not-found', `Of ${url} the version ${known.version} is known here, and not ${version}.`, {
          expression: [name],
        });
    }
};

type Designations = ReadonlyMap<string, readonly ValueSetComposeIncludeConceptDesignation[]>;

/** What the value set itself adds to the codes that it lists. */
const designationsIn = (resource: ValueSet | undefined): Designations =>
  new Map(
    (resource?.compose?.include ?? []).flatMap(({ system = '', concept = [] }) =>
      concept.flatMap(({ code, designation }) => (designation === undefined ? [] : [[`${system}|${code}`, designation] as const])),
    ),
  );

const containsOf = (row: Row, inputs: PlainInputs, own: Designations): ValueSetExpansionContains => {
  const { system, code, concept } = row;
  const display = shownDisplay(row, inputs.text('displayLanguage'));
  const designation =
    flag(inputs, 'includeDesignations') === true ? [...(own.get(`${system}|${code}`) ?? []), ...(concept?.designations ?? [])] : [];
  return {
    system,
    ...(concept?.abstract === true ? { abstract: true } : {}),
    ...(concept?.inactive === true ? { inactive: true } : {}),
    code,
    ...(display === undefined ? {} : { display }),
    ...(designation.length === 0 ? {} : { designation: [...designation] }),
  };
};

const given: readonly (readonly [
  name: string,
  as: 'valueString' | 'valueInteger' | 'valueBoolean' | 'valueCode' | 'valueUri' | 'valueDateTime',
])[] = [
  ['filter', 'valueString'],
  ['offset', 'valueInteger'],
  ['count', 'valueInteger'],
  ['includeDesignations', 'valueBoolean'],
  ['activeOnly', 'valueBoolean'],
  ['excludeNotForUI', 'valueBoolean'],
  ['displayLanguage', 'valueCode'],
  ['date', 'valueDateTime'],
  ['exclude-system', 'valueUri'],
];

/** R4 valueset.html#expansion: what the expansion was made by. */
const parametersOf = (inputs: PlainInputs, rows: readonly Row[]): readonly ValueSetExpansionParameter[] => [
  ...given.flatMap(([name, as]) =>
    inputs.texts(name).map((text): ValueSetExpansionParameter => {
      const value = as === 'valueInteger' ? Number(text) : as === 'valueBoolean' ? text === 'true' : text;
      return { name, [as]: value };
    }),
  ),
  ...[...new Set(rows.map(({ local }) => local))].flatMap((local) =>
    local?.version === undefined ? [] : [{ name: 'version', valueUri: `${local.url}|${local.version}` }],
  ),
];

const perform = async (house: House, call: Call, invocation: Invocation): Promise<Success> => {
  const inputs = inputsWith(invocation, { name: 'valueSet', type: 'ValueSet' });
  refuseUnknown(call, invocation, declared);
  const { codes, resource, known } = await valueSetOf(house, call, invocation, inputs);
  refuseOtherVersions(inputs, known);
  refuseEarlier(house, inputs, resource);
  if (!codes.enumerated)
    throw failure('too-costly', 'too-costly', `${codes.title} has codes of ${codes.systems().join(', ')} that cannot be listed here.`);
  const rows = rowsOf(codes, known).filter(isAsked(inputs));
  const offset = wholeNumber(inputs, 'offset') ?? 0;
  const page = rows.slice(offset, offset + (wholeNumber(inputs, 'count') ?? rows.length));
  const { url, version, name, title, status, compose } = resource ?? { url: codes.url, status: 'active' as const };
  const own = designationsIn(resource);
  const parameter = parametersOf(inputs, rows);
  return json({
    resourceType: 'ValueSet',
    ...{ url, version, name, title, status },
    ...(flag(inputs, 'includeDefinition') === true && compose !== undefined ? { compose } : {}),
    expansion: {
      identifier: `urn:uuid:${house.newId()}`,
      timestamp: new Date(house.clock()).toISOString(),
      total: rows.length,
      offset,
      ...(parameter.length === 0 ? {} : { parameter }),
      ...(page.length === 0 ? {} : { contains: page.map((row) => containsOf(row, inputs, own)) }),
    },
  });
};

const input = (name: string, type: string, max = '1'): Declared => ({ name, use: 'in', min: 0, max, type });

const declared: readonly Declared[] = [
  input('url', 'uri'),
  input('valueSet', 'ValueSet'),
  input('context', 'uri'),
  input('valueSetVersion', 'string'),
  input('filter', 'string'),
  input('date', 'dateTime'),
  input('offset', 'integer'),
  input('count', 'integer'),
  input('includeDesignations', 'boolean'),
  input('includeDefinition', 'boolean'),
  input('activeOnly', 'boolean'),
  // the expansion is a flat list, and of codes that are listed
  input('excludeNested', 'boolean'),
  input('excludePostCoordinated', 'boolean'),
  input('excludeNotForUI', 'boolean'),
  input('displayLanguage', 'code'),
  input('exclude-system', 'canonical', '*'),
  input('system-version', 'canonical', '*'),
  input('check-system-version', 'canonical', '*'),
  input('force-system-version', 'canonical', '*'),
  { name: 'return', use: 'out', min: 1, max: '1', type: 'ValueSet' },
];

/** R4 valueset-operation-expand.html, of the value sets of the definitions and of those that are kept or brought along. */
export const expandOperation: Operation = {
  definition: {
    affectsState: false,
    resource: ['ValueSet'],
    system: false,
    type: true,
    instance: true,
    name: 'Expand',
    code: 'expand',
    description: 'Lists the codes of a value set.',
    parameter: [...declared],
  },
  interaction: 'r',
  readsQuery: true,
  perform,
};
