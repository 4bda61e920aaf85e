import { LosslessNumber } from 'lossless-json';
import { parseJson } from '../../../src/fhir/json.js';
import type { Finding } from '../../../src/validation/finding.js';
import { createValidator } from '../../../src/validation/validator.js';
import { r4Definitions } from '../../helpers/definitions.js';

const { validate } = createValidator(r4Definitions());

const patient = (more: object = {}): object => ({ resourceType: 'Patient', ...more });

const errors = (resource: unknown): readonly Finding[] => validate(resource).filter(({ severity }) => severity === 'error');

/** What is wrong, where, and of which kind. */
const faults = (resource: unknown): readonly string[] => errors(resource).map(({ code, expression }) => `${code} ${expression?.[0] ?? ''}`);

describe('what R4 says of the structure of a resource', () => {
  it('accepts a resource that has all that it must', () => {
    expect(faults(patient({ active: true, name: [{ family: 'Smith', given: ['Ann'] }], birthDate: '1980-02-29' }))).toEqual([]);
  });

  it.each([
    ['no object', 'text', 'structure '],
    ['null', null, 'structure '],
    ['no type', {}, 'structure '],
    ['a type that R4 does not have', { resourceType: 'Referral' }, 'structure '],
    ['an abstract type', { resourceType: 'DomainResource' }, 'structure '],
    ['a data type', { resourceType: 'HumanName' }, 'structure '],
    ['an element that the type does not have', patient({ colour: 'red' }), 'structure Patient'],
    ['a key that JavaScript treats as special', parseJson('{"resourceType":"Patient","__proto__":{"active":true}}'), 'structure Patient'],
    ['no array where one must be', patient({ name: { family: 'Smith' } }), 'structure Patient.name'],
    ['an array where none may be', patient({ gender: ['male'] }), 'structure Patient.gender'],
    ['an empty array', patient({ name: [] }), 'structure Patient.name'],
    ['null in an array', patient({ name: [null] }), 'structure Patient.name[0]'],
    ['an empty object', patient({ name: [{}] }), 'invariant Patient.name[0]'],
    ['an object with an id alone', patient({ name: [{ id: 'a' }] }), 'invariant Patient.name[0]'],
    ['text for an object', patient({ name: ['Smith'] }), 'structure Patient.name[0]'],
    ['two types of a choice', patient({ deceasedBoolean: true, deceasedDateTime: '2020' }), 'structure Patient.deceased'],
    ['a type that a choice does not have', patient({ deceasedString: 'yes' }), 'structure Patient'],
    [
      'a missing element',
      { resourceType: 'Slot', status: 'free', start: '2026-01-01T09:00:00Z', end: '2026-01-01T09:10:00Z' },
      'required Slot.schedule',
    ],
    ['a code outside a required value set', patient({ gender: 'M' }), 'code-invalid Patient.gender'],
    [
      'a fault inside a contained resource',
      patient({ contained: [{ resourceType: 'Organization', id: 'o', active: 'yes' }] }),
      'value Patient.contained[0].active',
    ],
    ['no id or extension in a sibling', patient({ _birthDate: 'x' }), 'structure Patient.birthDate'],
  ])('refuses %s', (_, resource, expected) => {
    expect(faults(resource)).toEqual([expected]);
  });

  it('says which element, under which rule, in words', () => {
    expect(errors(patient({ contact: [{ name: { family: 'A' } }, { gender: 'X', name: { family: 'B' } }] }))).toEqual([
      {
        severity: 'error',
        code: 'code-invalid',
        text: "'X' is not in AdministrativeGender",
        expression: ['Patient.contact[1].gender'],
        diagnostics: 'R4 4.0.1: binding required http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1',
        layer: 'base',
      },
    ]);
  });

  it('keeps null in step with the siblings of primitives', () => {
    const extension = [{ url: 'http://example.org/e', valueString: 'x' }];
    expect(faults(patient({ name: [{ given: ['A', null], _given: [null, { extension }] }] }))).toEqual([]);
    expect(faults(patient({ name: [{ given: ['A', null], _given: [{ extension }] }] }))).toEqual(['structure Patient.name[0].given[1]']);
  });

  it('takes a sibling with an id alone where a value stands beside it', () => {
    expect(faults(patient({ birthDate: '1980-02-29', _birthDate: { id: 'b' } }))).toEqual([]);
    expect(faults(patient({ gender: 'male', _gender: { id: 'g' } }))).toEqual([]);
    expect(faults(patient({ name: [{ given: ['A', 'B'], _given: [null, { id: 'g' }] }] }))).toEqual([]);
    expect(faults(patient({ _birthDate: { id: 'b' } }))).toEqual(['invariant Patient.birthDate']);
    expect(faults(patient({ birthDate: '1980-02-29', _birthDate: {} }))).toEqual(['invariant Patient.birthDate']);
    expect(faults(patient({ name: [{ given: ['A', null], _given: [null, { id: 'g' }] }] }))).toEqual([
      'invariant Patient.name[0].given[1]',
    ]);
    expect(faults(patient({ birthDate: '1980-02-29', _birthDate: { id: '' } }))).toEqual(['value Patient.birthDate.id']);
  });

  it('takes a sibling with an extension for a required primitive', () => {
    const extension = [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }];
    const slot = { resourceType: 'Slot', schedule: { reference: 'Schedule/1' }, status: 'free', end: '2026-01-01T09:10:00Z' };
    expect(faults({ ...slot, _start: { extension } })).toEqual([]);
    expect(faults(slot)).toEqual(['required Slot.start']);
  });

  it('checks the resources of a Bundle and of Parameters', () => {
    const entry = [{ resource: patient({ gender: 'male' }) }, { resource: patient({ gender: 'x' }) }];
    expect(faults({ resourceType: 'Bundle', type: 'collection', entry })).toEqual(['code-invalid Bundle.entry[1].resource.gender']);
    expect(faults({ resourceType: 'Parameters', parameter: [{ name: 'r', resource: patient({ active: 1 }) }] })).toEqual([
      'value Parameters.parameter[0].resource.active',
    ]);
  });

  it('reads decimals with their precision', () => {
    const observation = { resourceType: 'Observation', status: 'final', code: { text: 'x' } };
    expect(faults({ ...observation, valueQuantity: { value: new LosslessNumber('1.50') } })).toEqual([]);
    expect(faults({ ...observation, valueInteger: new LosslessNumber('1.0') })).toEqual(['value Observation.value']);
    expect(faults({ ...observation, valueQuantity: { value: '1.5' } })).toEqual(['value Observation.value.value']);
  });

  it('stops at a nesting that no resource has', () => {
    let extension: object = { url: 'http://example.org/e', valueBoolean: true };
    for (let level = 0; level < 10_000; level++) extension = { url: 'http://example.org/e', extension: [extension] };
    expect(errors(patient({ extension: [extension] })).map(({ code }) => code)).toEqual(['too-costly']);
  });
});

type Row = [type: string, element: string, right: unknown[], wrong: unknown[]];

describe.each<Row>([
  [
    'date',
    'birthDate',
    ['2020', '2020-02', '2020-02-29'],
    ['2019-02-29', '2020-13', '20', '2020-1-1', '2020-01-01T00:00:00Z', '', 20200101],
  ],
  [
    'dateTime',
    'deceasedDateTime',
    ['2020', '2020-02', '2020-02-29', '2020-02-29T10:00:00Z', '2020-02-29T10:00:00.123+01:00', '2016-12-31T23:59:60Z'],
    ['2020-02-30T10:00:00Z', '2020-02-29T10:00:00', '2020-02-29T24:00:00Z', '2020-02-29T10:00Z', '2020-02-29 10:00:00Z'],
  ],
  ['id', 'id', ['a', 'A-1.b'], ['a_b', 'a/b', 'x'.repeat(65), '']],
  ['code', 'language', ['en', 'en-GB'], [' en', 'en ', 'en  GB', '']],
  ['uri', 'implicitRules', ['urn:x:y', 'http://example.org/a?b=c'], ['http://example.org/a b', 'not a uri']],
  ['boolean', 'active', [true, false], ['true', 1]],
  ['integer', 'multipleBirthInteger', [0, -3, 2147483647], [1.5, 2147483648, '1']],
])('a %s', (_, name, right, wrong) => {
  it.each(right)('may be %p', (value) => {
    expect(faults(patient({ [name]: value }))).toEqual([]);
  });

  it.each(wrong)('may not be %p', (value) => {
    expect(faults(patient({ [name]: value }))).toHaveLength(1);
  });
});

describe('codes that are formed, not listed', () => {
  const observation = (system: string, code: string) => ({
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    valueQuantity: { value: 1, system, code },
  });
  const ucum = 'http://unitsofmeasure.org';
  const unitFaults = (code: string) =>
    validate(observation(ucum, code))
      .filter(({ code: kind }) => kind === 'code-invalid')
      .map(({ severity, expression }) => `${severity} ${expression?.[0] ?? ''}`);

  it.each(['kg', 'mm[Hg]', '/min', '{score}', '10*9/L', '%', '1', '[degF]', 'kg/m2', '{beats}/min'])('the unit %s is one', (code) => {
    expect(unitFaults(code)).toEqual([]);
  });

  it.each(['Kg', 'meter', 'mmHg', 'tablets', 'm^2', 'µg', '((('])('the unit %s is none, which is a warning', (code) => {
    expect(unitFaults(code)).toEqual(['warning Observation.value.code']);
  });

  it('takes no time over a unit of great length', () => {
    expect(unitFaults('m.'.repeat(100_000) + 'm')).toEqual([]);
  });

  it('says nothing of units of other systems', () => {
    expect(unitFaults('Kg')).not.toEqual([]);
    const found = validate(observation('https://example.org/units', 'Kg'));
    expect(found.filter(({ code }) => code === 'code-invalid')).toEqual([]);
  });

  const coded = (system: string, code: string) => {
    const resource = { resourceType: 'Basic', code: { coding: [{ system, code }] } };
    return validate(resource)
      .filter(({ code: kind }) => kind === 'code-invalid')
      .map(({ expression }) => expression?.[0]);
  };

  it.each([
    [
      'urn:ietf:bcp:47',
      ['en', 'en-GB', 'zh-Hans-CN', 'sgn-BFI', 'x-private'],
      ['english', 'e', 'en_GB', 'en-', 'xx', 'en-XQ1', 'not-a-language', 'en-QX'],
    ],
    ['urn:ietf:bcp:13', ['text/plain', 'application/fhir+json; fhirVersion=4.0', 'image/*'], ['text', '/plain', 'text/pl ain']],
    ['https://www.iana.org/time-zones', ['Europe/London', 'Etc/UTC', 'Asia/Kolkata'], ['Europe/Leeds', 'GMT+25']],
    ['urn:iso:std:iso:3166', ['GB', 'FR', 'GBR'], ['QX', 'England', 'G']],
    ['urn:iso:std:iso:4217', ['GBP', 'EUR'], ['pounds', 'gbp']],
    ['http://snomed.info/sct', ['91302008', '1082641000000106'], ['91302009', '12345', '91302008a']],
    ['https://dmd.nhs.uk', ['322341003'], ['322341004']],
  ])('%s', (system, right, wrong) => {
    expect(right.filter((code) => coded(system, code).length > 0)).toEqual([]);
    expect(wrong.filter((code) => coded(system, code).length === 0)).toEqual([]);
  });
});
