import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { CodeSystem, CodeSystemConcept, StructureDefinition, ValueSet } from 'fhir/r4.js';
import { loadDefinitions } from '../../src/validation/definitions.js';
import { createValidator } from '../../src/validation/validator.js';
import { projectRoot, readArtefacts } from '../helpers/artefacts.js';

const { resources, identifiers } = readArtefacts();

const base = loadDefinitions(readFileSync(path.join(projectRoot, 'dist', 'definitions', 'r4.ndjson'), 'utf8'));

/** Canonicals that resolve to nothing here, each with its reason. */
const elsewhere: Readonly<Record<string, string>> = {
  'https://dmd.nhs.uk': 'the dictionary of medicines and devices: licensed content, never part of this project',
  'https://fhir.hl7.org.uk/ValueSet/UKCore-BloodPressureDeviceType': 'UK Core binds it and defines UKCore-BloodPressure-DeviceType',
  'http://hl7.org/fhir/ValueSet/patient-fetalstatus': 'a value set of R6, which is not published',
  'http://terminology.hl7.org/ValueSet/v2-0936': "an example binding to HL7's terminology package, which R4 does not contain",
};

const structures = resources.filter((resource): resource is StructureDefinition => resource.resourceType === 'StructureDefinition');
const valueSets = resources.filter((resource): resource is ValueSet => resource.resourceType === 'ValueSet');
const codeSystems = resources.filter((resource): resource is CodeSystem => resource.resourceType === 'CodeSystem');

const own = new Set([...structures, ...valueSets, ...codeSystems].map(({ url }) => url!));
const isKnown = (url: string): boolean =>
  own.has(url) || (base.findStructure(url) ?? base.findValueSet(url) ?? base.findCodeSystem(url)) !== undefined;

const elementReferences = ({ differential, baseDefinition }: StructureDefinition): readonly string[] => [
  baseDefinition!,
  ...differential!.element.flatMap(({ type = [], binding }) => [
    ...type.flatMap(({ profile = [], targetProfile = [] }) => [...profile, ...targetProfile]),
    ...(binding?.valueSet === undefined ? [] : [binding.valueSet]),
  ]),
];
const composeReferences = ({ compose }: ValueSet): readonly string[] =>
  [...compose!.include, ...(compose!.exclude ?? [])].flatMap(({ system, valueSet = [] }) => [
    ...(system === undefined ? [] : [system]),
    ...valueSet,
  ]);
const flat = (concepts: readonly CodeSystemConcept[]): readonly CodeSystemConcept[] =>
  concepts.flatMap((concept) => [concept, ...flat(concept.concept ?? [])]);
const codings = ({ concept = [] }: CodeSystem) =>
  flat(concept).flatMap(({ property = [] }) => property.flatMap(({ valueCoding }) => valueCoding ?? []));

describe('the artefacts hang together', () => {
  const used = new Set([
    ...structures.flatMap(elementReferences),
    ...valueSets.flatMap(composeReferences),
    ...codeSystems.flatMap(codings).map(({ system }) => system!),
  ]);

  test('every canonical that one of them names is ours, is of R4, or is on the list with its reason', () => {
    expect([...used].filter((url) => !isKnown(url) && elsewhere[url] === undefined)).toEqual([]);
  });

  test('the list of canonicals from elsewhere names nothing that is not used or is there after all', () => {
    expect(Object.keys(elsewhere).filter((url) => !used.has(url) || isKnown(url))).toEqual([]);
  });

  test('no two of them have the same canonical URL', () => {
    const urls = [...structures, ...valueSets, ...codeSystems].map(({ url }) => url!);
    expect(urls.filter((url, index) => urls.indexOf(url) !== index)).toEqual([]);
  });

  test('a code system has no code twice, and counts its concepts rightly', () => {
    for (const { url, concept = [], count } of codeSystems) {
      const codes = flat(concept).map(({ code }) => code);
      expect({ url, codes: codes.length, different: new Set(codes).size }).toEqual({ url, codes: count, different: count });
    }
  });

  test('a code that a concept property names is a code of its system', () => {
    const codes = new Map(codeSystems.map(({ url, concept = [] }) => [url, new Set(flat(concept).map(({ code }) => code))]));
    const dangling = codeSystems.flatMap(codings).filter(({ system, code }) => !codes.get(system)?.has(code!));
    expect(dangling).toEqual([]);
  });

  test('a code that a value set lists of one of our code systems is a code of it', () => {
    const codes = new Map(codeSystems.map(({ url, concept = [] }) => [url, new Set(flat(concept).map(({ code }) => code))]));
    const listed = valueSets.flatMap(({ compose }) => compose!.include).filter(({ system, concept }) => concept && codes.has(system));
    expect(listed.length).toBeGreaterThan(0);
    expect(listed.flatMap(({ system, concept = [] }) => concept.filter(({ code }) => !codes.get(system)!.has(code)))).toEqual([]);
  });

  test('the differentials constrain the elements of one type, parents before their slices', () => {
    for (const { id, type, differential } of structures) {
      const seen = new Set<string>();
      for (const element of differential!.element) {
        expect(element.path === type || element.path.startsWith(`${type}.`)).toBe(true);
        const slice = /^(.*):[^.:]+$/.exec(element.id!);
        if (slice !== null)
          expect({ id, slice: element.id, sliceName: element.id!.endsWith(`:${element.sliceName!}`) }).toMatchObject({ sliceName: true });
        expect({ id, element: element.id, again: seen.has(element.id!) }).toMatchObject({ again: false });
        seen.add(element.id!);
      }
    }
  });
});

describe('the artefacts are valid R4 themselves', () => {
  const validator = createValidator(base);

  test.each(['StructureDefinition', 'ValueSet', 'CodeSystem', 'NamingSystem'])('every %s', (type) => {
    const found = resources.filter(({ resourceType }) => resourceType === type).flatMap((resource) => validator.validate(resource));
    expect(found.filter(({ severity }) => severity === 'error')).toEqual([]);
  });
});

describe('the forms of identifiers', () => {
  test.each([
    ['nhs-number', '9912003888', '991200388'],
    ['UBRN', '000000070002', '70002'],
    ['ods-organization-code', 'D82106', 'd82106'],
    ['ods-site-code', 'RCD00', 'RC'],
    ['ers-request-id', 'r.832db7fa-ebdd-44b6-ab3b-8329c2d43149', '832db7fa-ebdd-44b6-ab3b-8329c2d43149'],
  ])('%s takes %s and refuses %s', (name, right, wrong) => {
    const pattern = new RegExp(identifiers.find((identifier) => identifier.name === name)!.pattern!);
    expect([pattern.test(right), pattern.test(wrong)]).toEqual([true, false]);
  });

  test('an NHS number is checked beyond its form', () => {
    expect(identifiers.filter(({ check }) => check !== undefined)).toEqual([
      expect.objectContaining({ name: 'nhs-number', check: 'modulus-11' }),
    ]);
  });
});

describe('the reference data of e-RS (A004) drives the rules', () => {
  const systemOf = (id: string): CodeSystem => codeSystems.find((system) => system.id === id)!;
  const property = (system: CodeSystem, code: string, name: string): readonly unknown[] =>
    (system.concept!.find((concept) => concept.code === code)!.property ?? [])
      .filter((each) => each.code === name)
      .map((each) => each.valueCoding?.code ?? each.valueInteger ?? each.valueBoolean ?? each.valueCode ?? each.valueDateTime);

  test('the six lists have the ids under which e-RS offers them', () => {
    const ids = ['SPECIALTY', 'CLINIC-TYPE', 'APPOINTMENT-CANCELLATION-REASON', 'REFERRAL-CANCELLATION-REASON'];
    for (const id of [...ids, 'APPOINTMENT-NON-ATTENDANCE-REASON', 'PRIORITY']) expect(systemOf(id)).toBeDefined();
  });

  test('a priority says within how many working days the patient is to be contacted', () => {
    const days = (code: string) => [
      ...property(systemOf('PRIORITY'), code, 'deferToProviderContactDays'),
      ...property(systemOf('PRIORITY'), code, 'triageContactDays'),
    ];
    expect([days('ROUTINE'), days('URGENT'), days('TWO_WEEK_WAIT')]).toEqual([
      [40, 40],
      [10, 5],
      [5, 2],
    ]);
  });

  test('a reason says who may use it, for what, and whether it needs a comment', () => {
    const reasons = systemOf('APPOINTMENT-CANCELLATION-REASON');
    expect(property(reasons, 'PATIENT_OTHER_ENGAGEMENT', 'usage')).toEqual(['CANCEL']);
    expect(property(reasons, 'PATIENT_OTHER_ENGAGEMENT', 'commentIsMandatory')).toEqual([true]);
    expect(property(reasons, 'SERVICE_INAPPROPRIATE', 'businessFunction')).toEqual([
      'SERVICE_PROVIDER_CLINICIAN_ADMIN',
      'SERVICE_PROVIDER_CLINICIAN',
    ]);
    expect(property(systemOf('REFERRAL-CANCELLATION-REASON'), 'PATIENT_DIED', 'canCancelAppointment')).toEqual([true]);
    expect(property(systemOf('APPOINTMENT-NON-ATTENDANCE-REASON'), 'OTHER_MIGRATION_FROM_CAB', 'effectiveTo')).toEqual(['2012-01-31']);
  });
});
