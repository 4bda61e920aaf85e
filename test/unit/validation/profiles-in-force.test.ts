import { aProfile, knowing, told } from '../../helpers/profiles.js';

const observation = (more: object = {}) => ({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, ...more });
const patient = (more: object = {}) => ({ resourceType: 'Patient', active: true, ...more });
const sct = 'http://snomed.info/sct';

describe('profiles that a resource names', () => {
  const p = aProfile('p', 'Patient', [{ id: 'Patient.birthDate', min: 1 }], { version: '2.1.0' });
  const { validate } = knowing([p]);
  const findings = (profile: string, more: object = {}) =>
    validate(patient({ meta: { profile: [profile] }, ...more }))
      .filter(({ severity, code }) => severity === 'error' || code === 'not-found')
      .map(({ severity, code, expression }) => `${severity} ${code} ${expression?.[0] ?? ''}`);

  it.each([
    ['are applied', p.url, ['error required Patient.birthDate']],
    ['by version', `${p.url}|2.1.0`, ['error required Patient.birthDate']],
    ['by part of a version', `${p.url}|2.1`, ['error required Patient.birthDate']],
    ['that are not known are a warning', 'https://example.org/none', ['warning not-found Patient.meta']],
    ['of a version that is not known are a warning', `${p.url}|3`, ['warning not-found Patient.meta']],
    ['of another type are an error', 'http://hl7.org/fhir/StructureDefinition/bodyweight', ['error structure Patient']],
  ])('%s', (_, profile, expected) => {
    expect(findings(profile)).toEqual(expected);
  });

  it('on a contained resource and on an entry count there', () => {
    const inner = { resourceType: 'Patient', id: 'c', active: true, meta: { profile: [p.url] } };
    const outer = observation({ contained: [inner], subject: { reference: '#c' } });
    expect(told(validate(outer).filter(({ severity }) => severity === 'error'))).toEqual(['required Observation.contained[0].birthDate']);
    const parameters = { resourceType: 'Parameters', parameter: [{ name: 'x', resource: inner }] };
    expect(told(validate(parameters).filter(({ severity }) => severity === 'error'))).toEqual([
      'required Parameters.parameter[0].resource.birthDate',
    ]);
  });
});

describe('profiles that nobody names', () => {
  const coded = (system: string, code: string) =>
    observation({
      category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }],
      code: { coding: [{ system, code }] },
      subject: { reference: 'Patient/1' },
      effectiveDateTime: '2026-01-01',
      valueQuantity: { value: 37, unit: 'C', system: 'http://unitsofmeasure.org', code: 'Cel' },
    });
  const { validate } = knowing([]);
  const errors = (resource: object) => told(validate(resource).filter(({ severity }) => severity === 'error'));

  it('vital signs are held to R4’s profile of them by their code', () => {
    expect(errors(coded('http://loinc.org', '8310-5'))).toEqual([]);
    const { category: _, ...without } = coded('http://loinc.org', '8310-5') as Record<string, unknown>;
    expect(errors(without)).toEqual(['required Observation.category']);
    expect(errors(coded(sct, '276885007'))).toEqual(['required Observation.code.coding']);
    expect(errors(coded('http://loinc.org', '14743-9'))).toEqual([]);
  });

  it('an ImplementationGuide makes a profile that of every resource of a type', () => {
    const named = aProfile('named', 'Patient', [{ id: 'Patient.name', min: 1 }]);
    const guide = {
      resourceType: 'ImplementationGuide',
      url: 'https://example.org/guide',
      global: [{ type: 'Patient', profile: named.url }],
    };
    const guided = knowing([named, guide]).validate;
    expect(told(guided(patient({ name: [{ family: 'A' }] })).filter(({ code }) => code === 'required'))).toEqual([]);
    expect(told(guided(patient()).filter(({ code }) => code === 'required'))).toEqual(['required Patient.name']);
  });
});
