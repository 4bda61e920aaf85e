import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseJson } from '../../src/fhir/json.js';
import { isError } from '../../src/validation/finding.js';
import { createValidator, ukCoreByDefault } from '../../src/validation/validator.js';
import { allDefinitions } from '../helpers/definitions.js';

const folder = path.join(process.env['SHARED_DATA'] ?? path.join(__dirname, '../../../shared/data'), 'uk-core-examples');
const files = existsSync(folder) ? readdirSync(folder) : [];

/** Examples that UK Core publishes and that its rules, or R4's, refuse: the place of the fault, and why it is one. */
const faulty: Readonly<Record<string, { readonly at: string; readonly why: string }>> = {
  'UKCore-Bundle-NEWS2Observations-Example': {
    at: 'Bundle.entry[0].fullUrl',
    why: 'R4 bundle.html#bundle-unique: a fullUrl is absolute, and these are relative',
  },
  'UKCore-Patient-BabyPatient-Example': { at: 'Patient.identifier[0].value', why: 'the check digit of the NHS number is wrong' },
  'UKCore-Provenance-RARecordConsent-Example': {
    at: 'Provenance.agent[0].onBehalfOf',
    why: 'the reference is the URL of a StructureDefinition, with Organization/ before it',
  },
};

const definitions = allDefinitions();
const { validate } = createValidator(definitions, ukCoreByDefault(definitions));

/** None of the examples but one says its profile: it is the one that the name of the file begins with. */
const profileOf = (name: string): readonly string[] => {
  const words = name.split('-');
  const candidates = words.map(
    (_, index) => `https://fhir.hl7.org.uk/StructureDefinition/${words.slice(0, words.length - index).join('-')}`,
  );
  return candidates.filter((url) => name.startsWith('UKCore-') && definitions.findStructure(url) !== undefined).slice(0, 1);
};

const errorsOf = (name: string) => {
  const resource = parseJson(readFileSync(path.join(folder, `${name}.json`), 'utf8'));
  return validate(resource, { profiles: profileOf(name) }).filter(isError);
};

if (files.length === 0) {
  test.skip('UK Core examples: skipped, ../shared/data/uk-core-examples is not there', () => undefined);
} else {
  const names = files.filter((file) => file.endsWith('.json')).map((file) => path.basename(file, '.json'));

  describe("UK Core's own examples", () => {
    test.each(names.filter((name) => faulty[name] === undefined))('%s is accepted', (name) => {
      expect(errorsOf(name)).toEqual([]);
    });

    test.each(Object.entries(faulty))('%s is refused where its fault is', (name, { at }) => {
      expect(errorsOf(name).map(({ expression }) => expression?.[0])).toContain(at);
    });
  });
}
