import { aProfile, knowing } from '../../helpers/profiles.js';

const loinc = 'http://loinc.org';
const observation = (more: object = {}) => ({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, ...more });
const component = (code: string, more: object = {}) => ({ code: { coding: [{ system: loinc, code }] }, ...more });
const identifier = (system: string, value = '1') => ({ system: `https://example.org/${system}`, value });
const patient = (...systems: readonly string[]) => ({ resourceType: 'Patient', identifier: systems.map((system) => identifier(system)) });
const by = (type: string, path: string, more: object = {}) => ({
  slicing: { discriminator: [{ type, path }], rules: 'open', ...more } as never,
});

const system = (slice: string, more: object = {}) => [
  { id: `Patient.identifier:${slice}`, ...more },
  { id: `Patient.identifier:${slice}.system`, fixedUri: `https://example.org/${slice}` },
];

describe('slicing by value', () => {
  const { errors } = knowing([
    aProfile('two', 'Patient', [
      { id: 'Patient.identifier', ...by('value', 'system') },
      ...system('a', { min: 1, max: '1' }),
      ...system('b', { max: '2' }),
      { id: 'Patient.identifier:a.value', min: 1 },
    ]),
  ]);

  it('asks for what is missing, refuses what is too many, leaves others alone', () => {
    expect(errors(patient('a', 'b', 'b', 'other'))).toEqual([]);
    expect(errors(patient('b'))).toEqual(['required Patient.identifier']);
    expect(errors({ resourceType: 'Patient' })).toEqual(['required Patient.identifier']);
    expect(errors(patient('a', 'a'))).toEqual(['structure Patient.identifier']);
    expect(errors(patient('a', 'b', 'b', 'b'))).toEqual(['structure Patient.identifier']);
  });

  it('checks what a slice says of its content, at the index of the item', () => {
    const given = [identifier('other'), { system: 'https://example.org/a' }];
    expect(errors({ resourceType: 'Patient', identifier: given })).toEqual(['required Patient.identifier[1].value']);
  });
});

describe('closed, ordered, open at end', () => {
  const ruled = (slicing: object) =>
    knowing([
      aProfile('ruled', 'Patient', [{ id: 'Patient.identifier', ...by('value', 'system', slicing) }, ...system('a'), ...system('b')]),
    ]).errors;

  it('closed: nothing outside the slices', () => {
    const errors = ruled({ rules: 'closed' });
    expect(errors(patient('a', 'b'))).toEqual([]);
    expect(errors(patient('a', 'c'))).toEqual(['structure Patient.identifier[1]']);
  });

  it('ordered: the slices in their order', () => {
    const errors = ruled({ ordered: true });
    expect(errors(patient('a', 'b', 'b'))).toEqual([]);
    expect(errors(patient('b', 'a'))).toEqual(['structure Patient.identifier[1]']);
  });

  it('open at end: others after the slices alone', () => {
    const errors = ruled({ rules: 'openAtEnd' });
    expect(errors(patient('a', 'b', 'c'))).toEqual([]);
    expect(errors(patient('c', 'a'))).toEqual(['structure Patient.identifier[0]']);
  });
});

describe('slicing by pattern', () => {
  const { errors } = knowing([
    aProfile('pattern', 'Observation', [
      { id: 'Observation.component', ...by('pattern', 'code', { rules: 'closed' }) },
      { id: 'Observation.component:systolic', min: 1, max: '1' },
      { id: 'Observation.component:systolic.code', patternCodeableConcept: { coding: [{ system: loinc, code: '8480-6' }] } },
      { id: 'Observation.component:systolic.value[x]', min: 1, type: [{ code: 'Quantity' }] },
    ]),
  ]);
  const quantity = { valueQuantity: { value: 120 } };

  it('finds the slice wherever its coding stands, and checks it', () => {
    const twice = {
      code: {
        coding: [
          { system: loinc, code: '55284-4' },
          { system: loinc, code: '8480-6' },
        ],
      },
      ...quantity,
    };
    expect(errors(observation({ component: [twice] }))).toEqual([]);
    expect(errors(observation({ component: [component('8480-6', { valueString: '120' })] }))).toEqual([
      'structure Observation.component[0].value',
    ]);
    expect(errors(observation({ component: [component('8480-6')] }))).toEqual(['required Observation.component[0].value']);
    expect(errors(observation({ component: [component('8480-6', quantity), component('1-1', quantity)] }))).toEqual([
      'structure Observation.component[1]',
    ]);
  });
});

describe('slicing by a binding', () => {
  const valueSet = {
    resourceType: 'ValueSet',
    url: 'https://example.org/ValueSet/pressure',
    status: 'active',
    compose: { include: [{ system: loinc, concept: [{ code: '8480-6' }, { code: '8462-4' }] }] },
  };
  const { errors } = knowing([
    aProfile('bound', 'Observation', [
      { id: 'Observation.component', ...by('value', 'code') },
      { id: 'Observation.component:pressure', max: '2' },
      { id: 'Observation.component:pressure.code', binding: { strength: 'required', valueSet: valueSet.url } },
    ]),
    valueSet,
  ]);

  it('a code of the value set belongs to the slice', () => {
    const q = { valueQuantity: { value: 1 } };
    expect(errors(observation({ component: [component('8480-6', q), component('8462-4', q), component('1-1', q)] }))).toEqual([]);
    expect(errors(observation({ component: ['8480-6', '8462-4', '8480-6'].map((code) => component(code, q)) }))).toEqual([
      'structure Observation.component',
    ]);
  });
});

describe('slicing by existence', () => {
  const { errors } = knowing([
    aProfile('exists', 'Patient', [
      { id: 'Patient.identifier', ...by('exists', 'system', { rules: 'closed' }) },
      { id: 'Patient.identifier:known', max: '1' },
      { id: 'Patient.identifier:known.system', min: 1 },
      { id: 'Patient.identifier:local', max: '1' },
      { id: 'Patient.identifier:local.system', max: '0' },
    ]),
  ]);

  it('with and without the element', () => {
    expect(errors({ resourceType: 'Patient', identifier: [identifier('a'), { value: '2' }] })).toEqual([]);
    expect(errors({ resourceType: 'Patient', identifier: [{ value: '1' }, { value: '2' }] })).toEqual(['structure Patient.identifier']);
    expect(errors(patient('a', 'b'))).toEqual(['structure Patient.identifier']);
  });
});

describe('slicing a choice by its type', () => {
  const { errors } = knowing([
    aProfile('choice', 'Observation', [
      { id: 'Observation.value[x]', ...by('type', '$this', { rules: 'closed' }) },
      { id: 'Observation.value[x]:valueQuantity', type: [{ code: 'Quantity' }] },
      { id: 'Observation.value[x]:valueQuantity.system', min: 1, fixedUri: 'http://unitsofmeasure.org' },
      { id: 'Observation.value[x]:valueCodeableConcept', type: [{ code: 'CodeableConcept' }] },
      { id: 'Observation.value[x]:valueCodeableConcept.text', min: 1 },
    ]),
  ]);

  it('checks each type by its own slice, and none else when closed', () => {
    expect(errors(observation({ valueQuantity: { value: 1, system: 'http://unitsofmeasure.org', code: 'kg' } }))).toEqual([]);
    expect(errors(observation({ valueQuantity: { value: 1 } }))).toEqual(['required Observation.value.system']);
    expect(errors(observation({ valueQuantity: { value: 1, system: 'urn:x' } }))).toEqual(['value Observation.value.system']);
    expect(errors(observation({ valueCodeableConcept: { coding: [{ code: 'a' }] } }))).toEqual(['required Observation.value.text']);
    expect(errors(observation({ valueString: 'x' }))).toEqual(['structure Observation.value']);
  });

  it('in the short form too, and renamed', () => {
    const short = knowing([
      aProfile('short', 'Observation', [
        { id: 'Observation.valueQuantity', path: 'Observation.valueQuantity' },
        { id: 'Observation.valueQuantity.code', path: 'Observation.valueQuantity.code', min: 1 },
      ]),
    ]);
    expect(short.errors(observation({ valueString: 'x' }))).toEqual([]);
    expect(short.errors(observation({ valueQuantity: { value: 1 } }))).toEqual(['required Observation.value.code']);
  });
});

describe('slicing references', () => {
  const reference = (...targets: readonly string[]) => [
    { code: 'Reference', targetProfile: targets.map((type) => `http://hl7.org/fhir/StructureDefinition/${type}`) },
  ];
  const contained = [
    { resourceType: 'Practitioner', id: 'p', name: [{ family: 'A' }] },
    { resourceType: 'Organization', id: 'o', name: 'B' },
  ];
  const performer = (...ids: readonly string[]) =>
    observation({
      contained,
      performer: ids.map((id) => ({ reference: `#${id}` })),
      note: ['#o', '#p'].map((each) => ({ text: 'x', authorReference: { reference: each } })),
    });

  it('by the type of what they resolve to', () => {
    const { errors } = knowing([
      aProfile('resolved', 'Observation', [
        { id: 'Observation.performer', ...by('type', 'resolve()') },
        { id: 'Observation.performer:person', max: '1', type: reference('Practitioner') },
        { id: 'Observation.performer:place', min: 1, type: reference('Organization') },
      ]),
    ]);
    const faults = (...ids: readonly string[]) => errors(performer(...ids)).filter((fault) => fault.includes('performer'));
    expect(faults('p', 'o', 'o')).toEqual([]);
    expect(faults('p')).toEqual(['required Observation.performer']);
    expect(faults('p', 'p', 'o')).toEqual(['structure Observation.performer']);
    expect(faults('o', 'o').length).toBe(0);
  });

  it('by the profile of what they resolve to, and by a value in it', () => {
    const named = aProfile('named', 'Organization', [{ id: 'Organization.name', patternString: 'B' }]);
    const { errors } = knowing([
      aProfile('profiled', 'Observation', [
        { id: 'Observation.performer', ...by('profile', 'resolve()') },
        { id: 'Observation.performer:b', min: 1, type: [{ code: 'Reference', targetProfile: [named.url] }] },
      ]),
      named,
    ]);
    const faults = (...ids: readonly string[]) => errors(performer(...ids)).filter((fault) => fault.includes('performer'));
    expect(faults('p', 'o')).toEqual([]);
    expect(faults('p')).toEqual(['required Observation.performer']);
  });
});

describe('slicing by an extension, and by ofType()', () => {
  const rank = 'https://example.org/StructureDefinition/rank';
  const extension = aProfile(
    'rank',
    'Extension',
    [
      { id: 'Extension.url', fixedUri: rank },
      { id: 'Extension.value[x]', type: [{ code: 'code' }] },
    ],
    { context: [{ type: 'element', expression: 'ContactPoint' }] },
  );

  it("extension('url').value", () => {
    const { errors } = knowing([
      aProfile('ranked', 'Patient', [
        { id: 'Patient.telecom', ...by('value', `extension('${rank}').value`) },
        { id: 'Patient.telecom:first', min: 1 },
        { id: 'Patient.telecom:first.extension:rank', type: [{ code: 'Extension', profile: [rank] }] },
        { id: 'Patient.telecom:first.extension:rank.value[x]', fixedCode: 'first' },
        { id: 'Patient.telecom:first.system', fixedCode: 'phone' },
      ]),
      extension,
    ]);
    const telecom = (valueCode: string, system: string) => ({
      resourceType: 'Patient',
      telecom: [{ system, value: '1', extension: [{ url: rank, valueCode }] }],
    });
    expect(errors(telecom('first', 'phone'))).toEqual([]);
    expect(errors(telecom('second', 'phone'))).toEqual(['required Patient.telecom']);
    expect(errors(telecom('first', 'email'))).toEqual(['value Patient.telecom[0].system']);
  });

  it('value.ofType(Coding).code', () => {
    const { errors } = knowing([
      aProfile('typed', 'Observation', [
        { id: 'Observation.component', ...by('value', 'value.ofType(CodeableConcept).text') },
        { id: 'Observation.component:yes', max: '1' },
        { id: 'Observation.component:yes.value[x]', type: [{ code: 'CodeableConcept' }] },
        { id: 'Observation.component:yes.value[x].text', fixedString: 'yes' },
      ]),
    ]);
    const yes = component('1-1', { valueCodeableConcept: { text: 'yes' } });
    expect(errors(observation({ component: [yes, component('1-1', { valueString: 'yes' })] }))).toEqual([]);
    expect(errors(observation({ component: [yes, yes] }))).toEqual(['structure Observation.component']);
  });
});

describe('several discriminators: all of them tell a slice', () => {
  const { errors } = knowing([
    aProfile('both', 'Patient', [
      {
        id: 'Patient.identifier',
        slicing: {
          discriminator: [
            { type: 'value', path: 'system' },
            { type: 'value', path: 'use' },
          ],
          rules: 'open',
        },
      },
      ...system('a', { max: '1' }),
      { id: 'Patient.identifier:a.use', fixedCode: 'official' },
    ]),
  ]);

  it('an item that meets one alone is outside', () => {
    const official = { ...identifier('a'), use: 'official' };
    expect(errors({ resourceType: 'Patient', identifier: [official, { ...official, use: 'old' }] })).toEqual([]);
    expect(errors({ resourceType: 'Patient', identifier: [official, official] })).toEqual(['structure Patient.identifier']);
  });
});

describe('nested slices and re-slicing', () => {
  it('a slice inside a slice', () => {
    const { errors } = knowing([
      aProfile('nested', 'Observation', [
        { id: 'Observation.component', ...by('pattern', 'code') },
        { id: 'Observation.component:a', min: 1 },
        { id: 'Observation.component:a.code', patternCodeableConcept: { text: 'a' } },
        { id: 'Observation.component:a.code.coding', ...by('value', 'system', { rules: 'closed' }) },
        { id: 'Observation.component:a.code.coding:loinc', min: 1, max: '1' },
        { id: 'Observation.component:a.code.coding:loinc.system', fixedUri: loinc },
      ]),
    ]);
    const a = (...systems: readonly string[]) => ({
      code: { text: 'a', ...(systems.length > 0 ? { coding: systems.map((each) => ({ system: each, code: '1-1' })) } : {}) },
      valueString: 'x',
    });
    expect(errors(observation({ component: [a(loinc), { code: { text: 'b' }, valueString: 'x' }] }))).toEqual([]);
    expect(errors(observation({ component: [a()] })).filter((fault) => fault.startsWith('required'))).toEqual([
      'required Observation.component[0].code.coding',
    ]);
    expect(errors(observation({ component: [a(loinc, 'urn:x:y')] }))).toEqual(['structure Observation.component[0].code.coding[1]']);
  });

  it('a slice that a derived profile slices again', () => {
    const base = aProfile('base', 'Patient', [
      { id: 'Patient.identifier', ...by('value', 'system') },
      ...system('a', { min: 1, max: '3' }),
    ]);
    const { errors } = knowing([
      aProfile(
        'derived',
        'Patient',
        [
          { id: 'Patient.identifier:a', ...by('value', 'use') },
          { id: 'Patient.identifier:a/official', sliceName: 'a/official', path: 'Patient.identifier', min: 1, max: '1' },
          { id: 'Patient.identifier:a/official.use', path: 'Patient.identifier.use', fixedCode: 'official' },
        ],
        { baseDefinition: base.url },
      ),
      base,
    ]);
    const of = (...uses: readonly string[]) => ({ resourceType: 'Patient', identifier: uses.map((use) => ({ ...identifier('a'), use })) });
    expect(errors(of('official', 'old'))).toEqual([]);
    expect(errors(of('old'))).toEqual(['required Patient.identifier']);
    expect(errors(of('official', 'official'))).toEqual(['structure Patient.identifier']);
    expect(errors(of('official', 'old', 'old', 'old'))).toEqual(['structure Patient.identifier']);
    expect(errors({ resourceType: 'Patient' })).toContain('required Patient.identifier');
  });

  it('a profile of a profile keeps what its base says', () => {
    const base = aProfile('base', 'Patient', [
      { id: 'Patient.birthDate', min: 1 },
      { id: 'Patient.identifier', ...by('value', 'system') },
      ...system('a', { min: 1 }),
    ]);
    const { errors } = knowing([
      aProfile('derived', 'Patient', [{ id: 'Patient.identifier:a', max: '1' }], { baseDefinition: base.url }),
      base,
    ]);
    expect(errors({ ...patient('a'), birthDate: '2000' })).toEqual([]);
    expect(errors(patient('a'))).toEqual(['required Patient.birthDate']);
    expect(errors({ resourceType: 'Patient', birthDate: '2000' })).toEqual(['required Patient.identifier']);
    expect(errors({ ...patient('a', 'a'), birthDate: '2000' })).toEqual(['structure Patient.identifier']);
  });
});

describe('slices of contained resources and of entries', () => {
  it('contained, by type', () => {
    const { errors } = knowing([
      aProfile('holder', 'Observation', [
        { id: 'Observation.contained', ...by('type', '$this') },
        { id: 'Observation.contained:patient', min: 1, max: '1', type: [{ code: 'Patient' }] },
      ]),
    ]);
    const holder = (...types: readonly string[]) =>
      observation({
        contained: types.map((resourceType, index) => ({ resourceType, id: `c${String(index)}`, active: true })),
        performer: types.map((_, index) => ({ reference: `#c${String(index)}` })),
      });
    expect(errors(holder('Patient', 'Practitioner'))).toEqual([]);
    expect(errors(holder('Practitioner'))).toEqual(['required Observation.contained']);
    expect(errors(holder('Patient', 'Patient'))).toEqual(['structure Observation.contained']);
  });

  it('entries of a Bundle, by the profile of their resources', () => {
    const born = aProfile('born', 'Patient', [{ id: 'Patient.birthDate', min: 1 }]);
    const { errors } = knowing([
      aProfile('bundle', 'Bundle', [
        { id: 'Bundle.entry', ...by('profile', 'resource') },
        { id: 'Bundle.entry:born', min: 1 },
        { id: 'Bundle.entry:born.resource', type: [{ code: 'Patient', profile: [born.url] }] },
      ]),
      born,
    ]);
    const bundle = (resource: object) => ({
      resourceType: 'Bundle',
      type: 'collection',
      entry: [{ fullUrl: 'urn:uuid:00000000-0000-4000-8000-000000000001', resource }],
    });
    expect(errors(bundle({ resourceType: 'Patient', birthDate: '2000' }))).toEqual([]);
    expect(errors(bundle({ resourceType: 'Patient', active: true }))).toEqual(['required Bundle.entry']);
    expect(errors(bundle({ resourceType: 'Organization', name: 'x' }))).toEqual(['required Bundle.entry']);
  });
});
