import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { StructureDefinition } from 'fhir/r4.js';
import { loadDefinitions } from '../../src/validation/definitions.js';
import { createValidator } from '../../src/validation/validator.js';
import { projectRoot, readArtefacts } from '../helpers/artefacts.js';
import { mutantsOf } from '../helpers/mutants.js';

type Node = { [name: string]: unknown };

const { resources } = readArtefacts();
const definitions = loadDefinitions(readFileSync(path.join(projectRoot, 'dist', 'definitions', 'r4.ndjson'), 'utf8')).with(resources);
const validator = createValidator(definitions);
const folder = path.join(projectRoot, 'test', 'examples');
const examples = new Map(
  readdirSync(folder).map((file) => [path.basename(file, '.json'), JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Node]),
);

const errorsOf = (resource: unknown): readonly string[] =>
  validator
    .validate(resource)
    .filter(({ severity }) => severity === 'error')
    .map(({ expression, text }) => `${(expression ?? []).join(', ')}: ${text}`);

const structures = resources.filter((resource): resource is StructureDefinition => resource.resourceType === 'StructureDefinition');
const byUrl = new Map(structures.map((structure) => [structure.url, structure]));
const chainOf = (structure: StructureDefinition): readonly StructureDefinition[] => {
  const base = byUrl.get(structure.baseDefinition!);
  return base === undefined ? [structure] : [structure, ...chainOf(base)];
};
/** A profile is broken in its own example, an extension wherever one uses it. */
const examplesOf = ({ id, type }: StructureDefinition): readonly Node[] =>
  type === 'Extension' ? [...examples.values()] : [examples.get(id!)!];

describe('an example of each profile is valid', () => {
  test('every profile has one, and every extension is used in one', () => {
    const all = JSON.stringify([...examples.values()]);
    const missing = structures.filter(({ id, type, url }) => (type === 'Extension' ? !all.includes(`"${url}"`) : !examples.has(id!)));
    expect(missing.map(({ id }) => id)).toEqual([]);
  });

  test.each([...examples])('%s', (_, example) => {
    expect(errorsOf(example)).toEqual([]);
  });
});

/** Rules that are there and cannot refuse: nobody here can say that the code is outside. They warn. */
const undecided: Readonly<Record<string, string>> = {
  'Extension-UKCore-PatientFetalStatus Extension.value[x] binding': 'a value set of R6, which is not published',
  'UKCore-Observation-VitalSigns-BodyHeight Observation.value[x] binding': 'all UCUM units of length: defined by a filter, not by a list',
};

describe('each rule of each profile refuses an example that breaks it', () => {
  const mutants = structures.map((structure) => [structure.id!, mutantsOf(chainOf(structure), examplesOf(structure))] as const);

  test.each(mutants.filter(([, { broken }]) => broken.length > 0))('%s', (_, { broken }) => {
    const accepted = broken.filter(({ resource }) => errorsOf(resource).length === 0).map(({ rule }) => rule);
    expect(accepted.filter((rule) => undecided[rule] === undefined)).toEqual([]);
  });

  test('a rule that cannot refuse warns', () => {
    const found = mutants.flatMap(([, { broken }]) => broken).filter(({ rule }) => undecided[rule] !== undefined);
    expect(found).toHaveLength(Object.keys(undecided).length);
    for (const { resource } of found) expect(validator.validate(resource).length).toBeGreaterThan(0);
  });

  test('there is no rule that the examples give no place to break', () => {
    expect(mutants.flatMap(([, { untried }]) => untried)).toEqual([]);
  });
});

const asNode = (value: unknown): Node => value as Node;
const both = (path: string): Node => ({ reference: 'Practitioner/example', extension: [r5(path)] });
const ubrnOf = (resource: Node): Node => (resource['identifier'] as Node[])[0]!;
const first = (resource: Node, name: string): Node => (resource[name] as Node[])[0]!;
const r5 = (path: string) => ({
  url: `http://hl7.org/fhir/5.0/StructureDefinition/extension-${path}`,
  valueReference: { reference: 'Patient/example' },
});

describe('each invariant of each profile finds an example that breaks it', () => {
  test.each<readonly [string, string, (resource: Node) => void]>([
    ['ukcore-imm-001', 'UKCore-Immunization', (resource) => Reflect.deleteProperty(resource, 'statusReason')],
    [
      'ukcore-spec-001',
      'UKCore-Specimen',
      (resource) => (asNode(resource['collection'])['collector'] = both('Specimen.collection.collector')),
    ],
    ['ukcore-diag-lab-002', 'UKCore-DiagnosticReport', (resource) => (first(resource, 'media')['link'] = { reference: 'Media/example' })],
    [
      'ukcore-obs-vs-001',
      'UKCore-Observation-VitalSigns',
      (resource) => (asNode(resource['code'])['coding'] = [{ system: 'http://snomed.info/sct', code: '386725007' }]),
    ],
    [
      'ukcore-bodstr-001',
      'UKCore-BodyStructure',
      (resource) => {
        ['location', 'description'].forEach((name) => Reflect.deleteProperty(resource, name));
      },
    ],
    ['ukcore-diag-lab-001', 'UKCore-DiagnosticReport-Lab', (resource) => Reflect.deleteProperty(resource, 'issued')],
    ['ukcore-obs-lab-001', 'UKCore-Observation-Lab', (resource) => Reflect.deleteProperty(resource, 'valueQuantity')],
    ['ukcore-obs-grplab-001', 'UKCore-Observation-Group-Lab', (resource) => (resource['valueString'] = 'A value')],
    ['ers-ubrn-1', 'NHSDigital-ServiceRequest', (resource) => (ubrnOf(resource)['value'] = '12345')],
    ['ers-ubrn-1', 'NHSDigital-ServiceRequest-PatientCare', (resource) => (ubrnOf(resource)['value'] = '12345')],
  ])('%s on %s', (key, profile, change) => {
    const resource = structuredClone(examples.get(profile)!);
    change(resource);
    expect(JSON.stringify(validator.validate(resource))).toContain(key);
  });
});

describe('the artefacts are valid R4 themselves', () => {
  test.each(['StructureDefinition', 'ValueSet', 'CodeSystem', 'NamingSystem'])('every %s', (type) => {
    const faulty = resources.filter(({ resourceType }) => resourceType === type).filter((resource) => errorsOf(resource).length > 0);
    expect(faulty.map((resource) => [resource.id, errorsOf(resource)])).toEqual([]);
  });
});
