import fc from 'fast-check';
import { Failure } from '../../../src/fhir/outcome.js';
import { createModel } from '../../../src/fhir/search/model.js';
import { createSearchParameters } from '../../../src/fhir/search/parameters.js';
import { createQueryParser } from '../../../src/fhir/search/parse.js';
import { registry } from '../../../src/resources/registry.js';
import { createSearchTerminology } from '../../../src/validation/terminology/for-search.js';
import { r4Definitions } from '../../helpers/definitions.js';

const definitions = r4Definitions();
const parameters = createSearchParameters(definitions.searchParameters, createModel(definitions.structures()));
const types = [...registry.keys()];
const parse = createQueryParser({
  parameters,
  types,
  baseUrl: () => 'http://here/FHIR/R4',
  timeZone: 'Europe/London',
  clock: () => Date.UTC(2026, 0, 1),
  terminology: createSearchTerminology(definitions),
});
const where = (type: string, query: string) => parse(type, [...new URLSearchParams(query)], { lenient: false }).plan.where;
const refusal = (type: string, query: string): Failure => {
  try {
    where(type, query);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error(`${query} was taken`);
};

describe('any query', () => {
  const pieces = fc.constantFrom(
    ...[
      'name',
      '_id',
      '_has',
      ':',
      '.',
      ',',
      '|',
      '$',
      '\\',
      '_filter',
      ' eq ',
      '(',
      ')',
      ' and ',
      'not',
      '"',
      'near',
      'Patient',
      'subject',
      'date',
    ],
    ...[
      'exact',
      'missing',
      'in',
      'of-type',
      'identifier',
      'ge2020',
      'T09:00',
      '+01:00',
      '1e999',
      '-',
      '0',
      '__proto__',
      'constructor',
      'toString',
      '%00',
    ],
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.array(pieces, { maxLength: 8 }).map((list) => list.join('')),
  );
  it('gives a result or a failure with a status below 500', () => {
    const type = fc.constantFrom(...types);
    const codes = fc
      .constantFrom('Patient', 'Observation', 'Location')
      .chain((name) => fc.tuple(fc.constant(name), fc.constantFrom(...parameters.of(name).keys())).map(([, code]) => code));
    const name = fc.oneof(
      text,
      codes,
      fc.tuple(codes, text).map(([code, rest]) => `${code}:${rest}`),
      fc.tuple(codes, text).map(([code, rest]) => `${code}.${rest}`),
    );
    fc.assert(
      fc.property(type, fc.array(fc.tuple(name, text), { maxLength: 4 }), fc.boolean(), (asked, query, lenient) => {
        try {
          const parsed = parse(asked, query, { lenient });
          expect(parsed.plan.type).toBe(asked);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
          expect(['invalid', 'too-costly']).toContain((error as Failure).category);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('values', () => {
  it('dates cover what their precision says, in the zone of the server', () => {
    expect(where('Patient', 'birthdate=1970')).toEqual([
      {
        kind: 'range',
        param: 'birthdate',
        any: [{ prefix: 'eq', low: Date.UTC(1970, 0, 1) - 3_600_000, high: Date.UTC(1971, 0, 1) - 3_600_000 }],
      },
    ]);
    expect(where('Patient', 'birthdate=ge2026-07-01')).toMatchObject([{ any: [{ prefix: 'ge', low: Date.UTC(2026, 5, 30, 23) }] }]);
    expect(where('Patient', 'birthdate=2026-01-02T10:00Z')).toMatchObject([
      { any: [{ low: Date.UTC(2026, 0, 2, 10), high: Date.UTC(2026, 0, 2, 10, 1) }] },
    ]);
    for (const wrong of ['2026-13', '2026-02-30', '26', 'T10:00', '2026-01-02T25:00', 'ge'])
      expect(refusal('Patient', `birthdate=${wrong}`).issues[0]?.code).toBe('value');
  });
  it('escapes keep separators inside a value', () => {
    expect(where('Patient', 'family=a\\,b,c')).toMatchObject([{ any: ['a,b', 'c'] }]);
    expect(where('Patient', 'identifier=s|1\\|2')).toMatchObject([{ any: [{ system: 's', code: '1|2' }] }]);
  });
  it('identifiers are exact, codes in both forms where their system may not care', () => {
    expect(where('Patient', 'identifier=s|Ab')).toMatchObject([{ any: [{ system: 's', code: 'Ab' }] }]);
    expect(where('Patient', 'gender=female')).toMatchObject([{ any: [{ code: 'female' }] }]);
    expect(where('Observation', 'code=s|Ab')).toMatchObject([
      {
        any: [
          { system: 's', code: 'Ab' },
          { system: 's', code: 'ab\u001f' },
        ],
      },
    ]);
    expect(where('Observation', 'code=s|12')).toMatchObject([{ any: [{ system: 's', code: '12' }] }]);
  });
  it('UCUM quantities of one dimension are asked for in its base units', () => {
    const [milligrams] = where('Observation', 'value-quantity=gt1500|http://unitsofmeasure.org|mg');
    const [grams] = where('Observation', 'value-quantity=gt1.5|http://unitsofmeasure.org|g');
    expect(milligrams).toEqual(grams);
  });
  it('a reference without a type means any that the parameter may have', () => {
    expect(where('Appointment', 'patient=1')).toMatchObject([{ any: [{ type: 'Patient', id: '1' }] }]);
    expect(where('Appointment', 'patient=http://here/FHIR/R4/Patient/1')).toMatchObject([{ any: [{ type: 'Patient', id: '1' }] }]);
    expect(where('Appointment', 'patient=http://there/Patient/1')).toEqual([
      { kind: 'text', param: 'patient', mode: 'exact', any: ['http://there/Patient/1'] },
    ]);
  });
});

describe('what is not known', () => {
  it('is refused with the known ones named, unless the client is lenient', () => {
    const { category, issues } = refusal('Patient', 'nme=x');
    expect([category, issues[0]?.code, issues[0]?.expression]).toEqual(['invalid', 'not-supported', ['nme']]);
    expect(issues[0]?.text).toContain('birthdate, death-date');
    const parsed = parse(
      'Patient',
      [
        ['nme', 'x'],
        ['gender', 'male'],
      ],
      { lenient: true },
    );
    expect(parsed.applied).toEqual([['gender', 'male']]);
    expect(() => parse('Patient', [['birthdate', 'x']], { lenient: true })).toThrow(Failure);
  });
  it('chains too deep, too many conditions and queries too long are too costly', () => {
    const deep = `${'partof.'.repeat(8)}name`;
    expect(refusal('Organization', `${deep}=x`).category).toBe('too-costly');
    expect(refusal('Patient', Array(61).fill('gender=male').join('&')).category).toBe('too-costly');
    expect(refusal('Patient', `family=${'x'.repeat(20_000)}`).category).toBe('too-costly');
    expect(refusal('Patient', `_sort=${Array(11).fill('family').join(',')}`).category).toBe('too-costly');
    expect(refusal('Patient', Array(61).fill('_include=Patient:link').join('&')).category).toBe('too-costly');
  });
});

describe('a token on a code', () => {
  const slotStatus = 'http://hl7.org/fhir/slotstatus';
  it('has the system of its value set, and no other', () => {
    expect(where('Slot', `status=${slotStatus}|free`)).toEqual([{ kind: 'token', param: 'status', any: [{ code: 'free' }] }]);
    expect(where('Slot', `status=${slotStatus}|`)).toEqual([{ kind: 'token', param: 'status', any: [{ system: '' }] }]);
    for (const query of ['status=http://other|free', 'status=http://other|']) expect(where('Slot', query)).toEqual([{ kind: 'never' }]);
    expect(where('Slot', 'status:not=http://other|free')).toEqual([{ kind: 'not', where: [{ kind: 'never' }] }]);
    expect(where('Slot', `status=http://other|free,${slotStatus}|busy`)).toMatchObject([{ any: [{ code: 'busy' }] }]);
  });
  it('on a boolean has the system that R4 names', () => {
    expect(where('Patient', 'active=http://other|true')).toEqual([{ kind: 'never' }]);
    expect(where('Patient', 'active=http://terminology.hl7.org/CodeSystem/special-values|true')).toMatchObject([
      { any: [{ code: 'true' }] },
    ]);
  });
});

describe('_filter', () => {
  it('reads comparisons, logic and chains', () => {
    expect(where('Patient', '_filter=gender eq male and (birthdate lt 1960 or not (family sw "Mc"))')).toMatchObject([
      {
        kind: 'either',
        of: [
          [
            { kind: 'token', param: 'gender' },
            { kind: 'either', of: [[{ kind: 'range' }], [{ kind: 'not', where: [{ kind: 'text', any: ['mc'] }] }]] },
          ],
        ],
      },
    ]);
    expect(where('ServiceRequest', '_filter=subject:Patient.family eq "O, Brien"')).toMatchObject([
      { kind: 'chain', where: [{ kind: 'either', of: [[{ mode: 'exact', any: ['o, brien'] }], [{ mode: 'starts' }]] }] },
    ]);
  });
  it('goes from left to right: and binds no closer than or', () => {
    const one = (code: string) => ({ kind: 'token', any: [{ code }] });
    const read = (text: string) => where('Patient', `_filter=${text}`);
    expect(read('gender eq a or gender eq b and gender eq c')).toMatchObject([
      { kind: 'either', of: [[{ kind: 'either', of: [[one('a')], [one('b')]] }, one('c')]] },
    ]);
    expect(read('gender eq a and gender eq b or gender eq c')).toMatchObject([{ kind: 'either', of: [[one('a'), one('b')], [one('c')]] }]);
  });
  it('has every operator of the standard, each for the types that it works for', () => {
    const first = (type: string, filter: string) => where(type, `_filter=${encodeURIComponent(filter)}`)[0];
    const ranges = { gt: 'gt', ge: 'ge', lt: 'lt', le: 'le', sa: 'sa', eb: 'eb', ne: 'ne', po: 'po', co: 'co' };
    for (const [operator, prefix] of Object.entries(ranges))
      expect(first('Patient', `birthdate ${operator} 1960`)).toMatchObject({ kind: 'range', any: [{ prefix }] });
    expect(first('Patient', 'birthdate ap 1960')).toMatchObject({ kind: 'range', any: [{ prefix: 'po' }] });
    expect(first('Patient', 'family sw mc')).toMatchObject({ mode: 'starts', any: ['mc'] });
    expect(first('Patient', 'family co mc')).toMatchObject({ mode: 'contains', any: ['mc'] });
    expect(first('Patient', 'family ew MC')).toMatchObject({ of: [[{ mode: 'ends', any: ['mc'] }], [{ mode: 'contains' }]] });
    expect(first('Patient', 'family gt mc')).toMatchObject({ mode: 'from', any: ['mc\u001f\uffff'] });
    expect(first('Patient', 'family ge mc')).toMatchObject({ mode: 'from', any: ['mc'] });
    expect(first('Patient', 'family lt mc')).toMatchObject({ mode: 'below', any: ['mc'] });
    expect(first('Patient', 'family le mc')).toMatchObject({ mode: 'below', any: ['mc\u001f\uffff'] });
    expect(first('Patient', 'family pr true')).toMatchObject({ kind: 'missing', missing: false });
    expect(first('Patient', 'gender ne male')).toMatchObject({ of: [[{ kind: 'missing', missing: false }, { kind: 'not' }]] });
    const valueSet = 'http://hl7.org/fhir/ValueSet/administrative-gender';
    expect(first('Patient', `gender in ${valueSet}`)).toMatchObject({
      kind: 'token',
      any: expect.arrayContaining([{ code: 'male' }]) as unknown,
    });
    expect(first('Patient', `gender ni ${valueSet}`)).toMatchObject({ kind: 'token', not: true });
    expect(first('ServiceRequest', 'subject re Patient/1')).toMatchObject({ kind: 'reference', any: [{ type: 'Patient', id: '1' }] });
    expect(first('CodeSystem', 'url sw http://a')).toMatchObject({ kind: 'text', mode: 'starts' });
    expect(first('Patient', '_has:Observation:patient:code eq loinc|1-2')).toMatchObject({
      kind: 'has',
      where: [{ any: [{ system: 'http://loinc.org', code: '1-2' }] }],
    });
    for (const wrong of [
      'gender sw m',
      'gender gt m',
      'birthdate sw 1',
      'birthdate in x',
      'family ss a|b',
      'family re Patient/1',
      '_list gt 1',
    ])
      expect([wrong, refusal('Patient', `_filter=${encodeURIComponent(wrong)}`).category]).toEqual([wrong, 'invalid']);
  });
  it('ss finds what the value subsumes, sb what subsumes the value', () => {
    const system = 'http://hl7.org/fhir/resource-types';
    const status = 'http://terminology.hl7.org/CodeSystem/observation-category';
    expect(refusal('Observation', `_filter=category ss ${system}|none`).category).toBe('invalid');
    const own = where('Observation', `category:below=${status}|vital-signs`);
    expect(where('Observation', `_filter=category ss ${status}|vital-signs`)).toEqual(own);
    expect(where('Observation', `_filter=category sb ${status}|vital-signs`)).toEqual(
      where('Observation', `category:above=${status}|vital-signs`),
    );
  });
  it('a filter in brackets is about the same resource as what follows', () => {
    expect(where('ServiceRequest', '_filter=subject:Patient[birthdate lt 1960].family co "x"')).toMatchObject([
      { kind: 'chain', param: 'subject', type: 'Patient', where: [{ kind: 'range' }, { kind: 'text', mode: 'contains' }] },
    ]);
    // of the types that subject may be of, only a patient has a birth date
    expect(where('ServiceRequest', '_filter=subject[birthdate lt 1960].family co "x"')).toMatchObject([{ kind: 'chain', type: 'Patient' }]);
    for (const wrong of [
      'gender[x eq y].z eq 1',
      'subject[birthdate lt 1960',
      'subject[birthdate lt 1960]family eq x',
      'subject[x eq y].z eq 1',
    ])
      expect([wrong, refusal('ServiceRequest', `_filter=${encodeURIComponent(wrong)}`).category]).toEqual([wrong, 'invalid']);
  });
  it('refuses what is not in the grammar', () => {
    for (const wrong of [
      '',
      'gender',
      'gender eq',
      'gender eq male and',
      '(gender eq male',
      'gender xx male',
      'gender eq male)',
      'nme eq x',
    ])
      expect(refusal('Patient', `_filter=${encodeURIComponent(wrong)}`).category).toBe('invalid');
  });
});

it('e-RS and BaRS forms are taken on Slot alone', () => {
  const query: readonly (readonly [string, string])[] = [
    ['Schedule.actor:HealthcareService', '1'],
    ['appointmentType', 'ROUTINE'],
    ['page', '2'],
    ['_include', 'Slot:schedule'],
  ];
  const parsed = parse('Slot', query, { lenient: false });
  expect(parsed).toMatchObject({ page: 2, includes: [{ param: 'schedule', iterate: true }] });
  expect(parsed.plan.where).toMatchObject([
    { kind: 'chain', param: 'schedule', type: 'Schedule', where: [{ kind: 'reference', any: [{ type: 'HealthcareService', id: '1' }] }] },
    { kind: 'token', param: 'appointment-type' },
  ]);
  expect(refusal('Schedule', 'Schedule.actor:HealthcareService=1').category).toBe('invalid');
  expect(refusal('Appointment', 'page=2').category).toBe('invalid');
});
