import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Fhir } from 'fhir';
import { parseJson } from '../../src/fhir/json.js';
import { isError } from '../../src/validation/finding.js';
import { createValidator } from '../../src/validation/validator.js';
import { r4Definitions } from '../helpers/definitions.js';
import { disagreements } from './hl7-disagreements.js';

const folder = path.join(process.env['SHARED_DATA'] ?? path.join(__dirname, '../../../shared/data'), 'hl7-validator-cases');
const there = existsSync(folder);

type Outcome = readonly { readonly severity: string }[];
type Case = {
  readonly name: string;
  readonly file: string;
  readonly supporting: readonly string[];
  readonly outcome: Outcome;
  readonly profile?: { readonly source: string; readonly supporting: readonly string[]; readonly outcome: Outcome };
};

type Resource = { readonly resourceType: string; readonly url?: string; readonly entry?: readonly { readonly resource: Resource }[] };

const read = (file: string): Resource => {
  const text = readFileSync(path.join(folder, file), 'utf8').replace(/^\uFEFF/, '');
  return (file.endsWith('.xml') ? new Fhir().xmlToObj(text) : parseJson(text)) as Resource;
};

const flat = (file: string): readonly Resource[] => {
  const resource = read(file);
  return resource.resourceType === 'Bundle' ? [resource, ...(resource.entry ?? []).map((entry) => entry.resource)] : [resource];
};

const hasErrors = (file: string, supporting: readonly string[], source?: string): boolean => {
  const definitions = r4Definitions().with([...supporting, ...(source === undefined ? [] : [source])].flatMap(flat));
  const { validate } = createValidator(definitions, { unknownExtensions: 'error', unknownCodes: 'error' });
  const profile = source === undefined ? undefined : flat(source).find(({ resourceType }) => resourceType === 'StructureDefinition')?.url;
  return validate(read(file), profile === undefined ? {} : { profiles: [profile] }).some(isError);
};

const failed = (outcome: Outcome): boolean => outcome.some(({ severity }) => severity === 'error' || severity === 'fatal');

const cases = there ? (JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as readonly Case[]) : [];

const verdicts = cases.flatMap(({ name, file, supporting, outcome, profile }) => [
  { name, agrees: () => hasErrors(file, supporting) === failed(outcome) },
  ...(profile === undefined
    ? []
    : [
        {
          name: `${name} under its profile`,
          agrees: () => hasErrors(file, [...supporting, ...profile.supporting], profile.source) === failed(profile.outcome),
        },
      ]),
]);

(there ? describe : describe.skip)('HL7 validator cases: errors, or none, as the reference validator says', () => {
  const agreed = verdicts.filter(({ name }) => !(name in disagreements));

  it('agrees on all that it ever agreed on', () => {
    expect(agreed.filter(({ agrees }) => !agrees()).map(({ name }) => name)).toEqual([]);
  });

  it('lists every verdict that it does not reach, 3 of 149', () => {
    expect(verdicts.length - agreed.length).toBeLessThanOrEqual(3);
  });
});
