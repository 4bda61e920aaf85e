import { constraintFault } from '../../../src/validation/rules/conformance/ecl.js';
import { createValidator } from '../../../src/validation/validator.js';
import { r4Definitions } from '../../helpers/definitions.js';

const system = {
  resourceType: 'CodeSystem',
  url: 'https://example.org/codes',
  status: 'active',
  content: 'complete',
  property: [
    { code: 'rank', type: 'integer' },
    { code: 'like', type: 'Coding' },
  ],
  concept: [
    { code: 'a', display: 'A' },
    { code: 'b', concept: [{ code: 'c' }] },
  ],
};
const set = {
  resourceType: 'ValueSet',
  url: 'https://example.org/ValueSet/all',
  status: 'active',
  compose: { include: [{ system: system.url }] },
};
const supplement = { ...system, url: 'https://example.org/more', content: 'supplement', supplements: system.url };
const { validate } = createValidator(r4Definitions().with([system, set, supplement]));
const faults = (resource: unknown): readonly string[] =>
  validate(resource)
    .filter(({ severity }) => severity === 'error')
    .map(({ code, expression }) => `${code} ${expression?.[0] ?? ''}`);

type Row = readonly [string, object, readonly string[]];
const hold = (_: string, resource: object, expected: readonly string[]): void => {
  expect(faults(resource)).toEqual(expected);
};

describe('a CodeSystem', () => {
  const of = (more: object) => ({ ...system, url: 'https://example.org/other', ...more });
  const concept = (property: object) => ({ concept: [{ code: 'a', property: [property] }] });
  it.each<Row>([
    ['that is whole', of({ count: 3 }), []],
    ['with another count', of({ count: 4 }), ['invalid CodeSystem.count']],
    ['with concepts that are not there', of({ content: 'not-present' }), ['invalid CodeSystem.concept']],
    ['with a code twice', of({ concept: [{ code: 'a' }, { code: 'a' }] }), ['invariant CodeSystem']],
    ['with a property of its type', of(concept({ code: 'rank', valueInteger: 1 })), []],
    ['with a property of another type', of(concept({ code: 'rank', valueString: '1' })), ['invalid CodeSystem.concept[0].property[0]']],
    [
      'with a parent that it does not have',
      of({ property: [{ code: 'parent', type: 'code' }], ...concept({ code: 'parent', valueCode: 'z' }) }),
      ['code-invalid CodeSystem.concept[0].property[0]'],
    ],
    ['that supplements nothing', of({ content: 'supplement' }), ['business-rule CodeSystem.supplements']],
    ['that supplements and is no supplement', of({ supplements: 'https://example.org/unknown' }), ['business-rule CodeSystem.content']],
    ['that adds to a code', of({ content: 'supplement', supplements: system.url, concept: [{ code: 'a' }] }), []],
    [
      'that adds a code',
      of({ content: 'supplement', supplements: system.url, concept: [{ code: 'z' }] }),
      ['code-invalid CodeSystem.concept[0].code'],
    ],
  ])('%s', hold);
});

describe('a ValueSet', () => {
  const of = (include: object, more: object = {}) => ({
    resourceType: 'ValueSet',
    url: 'https://example.org/ValueSet/x',
    status: 'active',
    compose: { include: [include] },
    ...more,
  });
  const by = (property: string, op: string, value: string, url = system.url) => of({ system: url, filter: [{ property, op, value }] });
  const include = 'ValueSet.compose.include[0]';
  const sct = 'http://snomed.info/sct';
  it.each<Row>([
    ['of codes that there are', of({ system: system.url, concept: [{ code: 'a' }, { code: 'c' }] }), []],
    ['of a code that there is not', of({ system: system.url, concept: [{ code: 'z' }] }), [`code-invalid ${include}.concept[0].code`]],
    ['of such a code, retired', of({ system: system.url, concept: [{ code: 'z' }] }, { status: 'retired' }), []],
    [
      'of a SNOMED CT identifier with a wrong check digit',
      of({ system: sct, concept: [{ code: '91302009' }] }),
      [`code-invalid ${include}.concept[0].code`],
    ],
    ['of a relative system', of({ system: '#c' }), [`value ${include}.system`]],
    ['of a system with a version', of({ system: `${system.url}|1` }), [`invalid ${include}.system`]],
    ['of a value set as a system', of({ system: set.url }), [`invalid ${include}.system`]],
    ['of a supplement as a system', of({ system: supplement.url }), [`invalid ${include}.system`]],
    ['below a code', by('concept', 'is-a', 'b'), []],
    ['below no code', by('concept', 'is-a', 'z'), [`invalid ${include}.filter[0].value`]],
    ['below what is no SNOMED CT identifier', by('concept', 'is-a', 'something', sct), [`invalid ${include}.filter[0].value`]],
    ['by a number', by('rank', '=', '3'), []],
    ['by what is no number', by('rank', '=', 'three'), [`invalid ${include}.filter[0].value`]],
    ['by a Coding', by('like', '=', `${system.url}#a`), []],
    ['by a code where a Coding is asked for', by('like', '=', 'a'), [`invalid ${include}.filter[0].value`]],
    ['by true', by('notSelectable', '=', 'true'), []],
    ['by 1 for true', by('notSelectable', '=', '1'), [`invalid ${include}.filter[0].value`]],
    ['by what is there, yes or no', by('rank', 'exists', 'maybe'), [`invalid ${include}.filter[0].value`]],
    ['by no regular expression', by('code', 'regex', '('), [`invalid ${include}.filter[0].value`]],
    ['by an expression constraint', by('constraint', '=', '<< 91302008 |Sepsis| OR ^ 999002981000000107', sct), []],
    ['by what is none', by('constraint', '=', '91302008 << 91302008', sct), [`invalid ${include}.filter[0].value`]],
  ])('%s', hold);

  it.each([
    '<< 73211009',
    '*',
    '< 73211009 MINUS (<< 46635009 OR 44054006 |Type 2|)',
    '< 19829001 : 116676008 = << 79654002',
    '^ 700043003',
  ])('%s is an expression constraint', (text) => {
    expect(constraintFault(text)).toBeUndefined();
  });
  it.each(['', '<<', '73211009 46635009', '(73211009', '73211009)', '73211009 OR', 'AND 73211009'])('%s is none', (text) => {
    expect(constraintFault(text)).toBeDefined();
  });
});

describe('a ConceptMap', () => {
  const map = (source: string, target: string) => ({
    resourceType: 'ConceptMap',
    status: 'active',
    sourceCanonical: set.url,
    targetCanonical: set.url,
    group: [{ source: system.url, target: system.url, element: [{ code: source, target: [{ code: target, equivalence: 'equal' }] }] }],
  });
  it.each<Row>([
    ['of codes in its scope', map('a', 'b'), []],
    ['from a code outside, in a map that HL7 has published', { ...map('z', 'b'), url: 'http://hl7.org/fhir/ConceptMap/own' }, []],
    ['from a code outside', map('z', 'b'), ['code-invalid ConceptMap.group[0].element[0].code']],
    ['to a code outside', map('a', 'z'), ['code-invalid ConceptMap.group[0].element[0].target[0].code']],
  ])('%s', hold);
});

describe('a StructureDefinition', () => {
  const profile = (elements: readonly object[], more: object = {}) => ({
    resourceType: 'StructureDefinition',
    url: 'https://example.org/StructureDefinition/p',
    name: 'P',
    status: 'active',
    kind: 'resource',
    abstract: false,
    type: 'Patient',
    baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient',
    derivation: 'constraint',
    differential: { element: [{ id: 'Patient', path: 'Patient' }, ...elements] },
    ...more,
  });
  const at = (path: string, more: object = {}) => profile([{ id: path, path, ...more }]);
  const element = 'StructureDefinition.differential.element[1]';
  const constraint = (expression: string) => ({ constraint: [{ key: 'x-1', severity: 'error', human: 'x', expression }] });
  const sliced = (path: string) => ({ slicing: { discriminator: [{ type: 'value', path }], rules: 'open' } });
  it.each<Row>([
    ['of elements that there are', at('Patient.name.family', { min: 1 }), []],
    ['of one of a choice, in short', at('Patient.deceasedBoolean'), []],
    ['of an element inside a data type', at('Patient.contact.name.given', { max: '2' }), []],
    ['of no element', at('Patient.colour'), [`invalid ${element}.path`]],
    ['of another type', at('Observation.status'), ['invariant StructureDefinition.differential']],
    ['with more than R4 allows', at('Patient.gender', { max: '2' }), [`invalid ${element}.max`]],
    ['with less than R4 asks for', at('Patient.link.other', { min: 0 }), [`invalid ${element}.min`]],
    ['with a type that R4 does not allow', at('Patient.deceased[x]', { type: [{ code: 'string' }] }), [`invalid ${element}.type`]],
    ['with one that it does', at('Patient.deceased[x]', { type: [{ code: 'boolean' }] }), []],
    ['with a fixed value of another type', at('Patient.gender', { fixedString: 'male' }), [`invalid ${element}.fixed`]],
    [
      'with a binding of what has no code',
      at('Patient.birthDate', { binding: { strength: 'required', valueSet: set.url } }),
      [`business-rule ${element}.binding`],
    ],
    [
      'with a target of what refers to nothing',
      at('Patient.name', { type: [{ code: 'HumanName', targetProfile: ['http://hl7.org/fhir/StructureDefinition/Patient'] }] }),
      [`invariant ${element}.type[0]`],
    ],
    ['with an expression', at('Patient.name', constraint('family.exists()')), []],
    ['with what is no expression', at('Patient.name', constraint('family.exists(')), [`invalid ${element}.constraint[0].expression`]],
    ['sliced by an element', at('Patient.identifier', sliced('system')), []],
    ['sliced by no element', at('Patient.identifier', sliced('colour')), [`invalid ${element}.slicing.discriminator[0].path`]],
    ['sliced through resolve()', at('Patient.generalPractitioner', sliced('resolve().identifier.system')), []],
    [
      'of a type that its base is not of',
      { ...profile([], { type: 'Device' }), differential: { element: [{ id: 'Device', path: 'Device' }] } },
      ['invalid StructureDefinition.type'],
    ],
    ['of a kind that its base is not of', profile([], { kind: 'complex-type' }), ['invalid StructureDefinition.kind']],
    [
      'with the context of an extension',
      profile([], { context: [{ type: 'element', expression: 'Patient' }] }),
      ['invalid StructureDefinition.context'],
    ],
  ])('%s', hold);

  it('an extension is known as it calls itself', () => {
    const extension = (fixedUri: string) => ({
      ...profile([]),
      kind: 'complex-type',
      type: 'Extension',
      baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Extension',
      context: [{ type: 'element', expression: 'Patient' }],
      differential: {
        element: [
          { id: 'Extension', path: 'Extension' },
          { id: 'Extension.url', path: 'Extension.url', fixedUri },
        ],
      },
    });
    expect(faults(extension('https://example.org/StructureDefinition/p'))).toEqual([]);
    expect(faults(extension('https://example.org/StructureDefinition/q'))).toEqual(['invalid StructureDefinition.url']);
  });
});

describe('a SearchParameter, and a CapabilityStatement', () => {
  const parameter = (more: object) => ({
    resourceType: 'SearchParameter',
    url: 'https://example.org/s',
    name: 'S',
    status: 'active',
    description: 'x',
    code: 's',
    base: ['Patient'],
    type: 'token',
    ...more,
  });
  const statement = (type: string) => ({
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: '2026-01-01',
    kind: 'requirements',
    fhirVersion: '4.0.1',
    format: ['application/fhir+json'],
    description: 'x',
    rest: [
      {
        mode: 'server',
        resource: [
          { type: 'Patient', searchParam: [{ name: 'family', type, definition: 'http://hl7.org/fhir/SearchParameter/individual-family' }] },
        ],
      },
    ],
  });
  it.each<Row>([
    ['with an expression', parameter({ expression: 'Patient.name' }), []],
    ['with what is none', parameter({ expression: 'Patient.name(' }), ['invalid SearchParameter.expression']],
    ['composite of nothing', parameter({ type: 'composite' }), ['business-rule SearchParameter.component']],
    ['a parameter of its type', statement('string'), []],
    ['a parameter of another type', statement('token'), ['invalid CapabilityStatement.rest[0].resource[0].searchParam[0].type']],
  ])('%s', hold);
});
