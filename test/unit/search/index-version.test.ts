import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseJson } from '../../../src/fhir/json.js';
import type { Resource } from '../../../src/fhir/resource.js';
import { extractDiscreetly } from '../../../src/interactions/discreet-house.js';
import { registry } from '../../../src/resources/registry.js';
import { ersSearchParameters } from '../../../src/resources/search-parameters.js';
import { indexVersion } from '../../../src/search-index/fingerprints.js';
import { allDefinitions } from '../../helpers/definitions.js';
import { indexing } from '../../helpers/extractor.js';

const extract = extractDiscreetly(indexing(allDefinitions(), ersSearchParameters).extract);
const context = { resolve: () => ({ type: 'Patient', id: 'p' }), baseUrl: 'http://here/FHIR/R4', timeZone: 'Europe/London' };

const folder = path.join(__dirname, '../../examples');
const restricted = { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] };
/** What the examples have not: each of these is indexed in a way of its own. */
const more: readonly object[] = [
  { resourceType: 'Patient', telecom: [{ system: 'phone', use: 'home', value: '01' }, { value: '02' }], name: [{ family: 'Ångström' }] },
  { resourceType: 'Patient', meta: restricted, address: [{ city: 'Leeds' }], telecom: [{ value: '03' }] },
  { resourceType: 'Patient', identifier: [{ type: { text: 't', coding: [{ system: 's', code: 'c' }] }, system: 'i', value: 'v' }] },
  { resourceType: 'Observation', valueQuantity: { value: 1.5, system: 'http://unitsofmeasure.org', code: 'mg', unit: 'mg' } },
  { resourceType: 'Observation', valueSampledData: { origin: { value: 1, unit: 'V' }, period: 1, dimensions: 1 } },
  { resourceType: 'Observation', effectivePeriod: { start: '2020-02' }, subject: { identifier: { value: 'x' } } },
  { resourceType: 'ServiceRequest', occurrenceTiming: { event: ['2020'], repeat: { boundsPeriod: { end: '2021-03' } } } },
  { resourceType: 'Location', position: { latitude: 50, longitude: -1 } },
  { resourceType: 'ValueSet', url: 'http://a/b', text: { status: 'generated', div: '<div>Lorem ipsum</div>' } },
];

const valuesOf = (resource: Resource): readonly string[] =>
  extract(resource, context)
    .map((value) => JSON.stringify(value))
    .sort();

const digest = (): string => {
  const examples = readdirSync(folder)
    .sort()
    .map((name) => parseJson(readFileSync(path.join(folder, name), 'utf8')) as Resource);
  const served = [...examples, ...(more as readonly Resource[])].filter(({ resourceType }) => registry.has(resourceType));
  return createHash('sha256')
    .update(JSON.stringify(served.map(valuesOf)))
    .digest('hex');
};

it('the version of the index is raised when other values are made of the same resource: stored ones are made anew then', () => {
  const file = path.join(__dirname, '../../golden/index-version.json');
  const now = { version: indexVersion, digest: digest() };
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as typeof now) : undefined;
  if (process.env['UPDATE_GOLDEN'] === '1' && now.version !== before?.version) writeFileSync(file, `${JSON.stringify(now, null, 2)}\n`);
  // other values: raise indexVersion in src/search-index/fingerprints.ts, then run this once with UPDATE_GOLDEN=1
  expect(now).toEqual(JSON.parse(readFileSync(file, 'utf8')));
});

it('is made of resources of most types, with values of every kind', () => {
  const kinds = new Set((more as readonly Resource[]).flatMap((resource) => extract(resource, context).map(({ kind }) => kind)));
  expect([...kinds].sort()).toEqual(['position', 'range', 'reference', 'text', 'token', 'word']);
});
