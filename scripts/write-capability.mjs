// Writes capability-statement.json: what a server of this version offers, at the address that it has by default. Run after a build.
import { writeFileSync } from 'node:fs';
import { released, version } from '../dist/version.js';
import { capabilityStatement } from '../dist/fhir/capability.js';
import { compartments } from '../dist/resources/compartments.js';
import { createModel } from '../dist/fhir/search/model.js';
import { createSearchParameters } from '../dist/fhir/search/parameters.js';
import { operations } from '../dist/operations/operations.js';
import { readDefinitions } from '../dist/packages/read-definitions.js';
import { registry } from '../dist/resources/registry.js';
import { ersSearchParameters } from '../dist/resources/search-parameters.js';

const definitions = await readDefinitions();
const statement = capabilityStatement({
  compartments: Object.keys(compartments),
  registry,
  searchParameters: createSearchParameters(
    [...definitions.searchParameters, ...ersSearchParameters],
    createModel(definitions.structures()),
  ),
  operations,
  baseUrl: 'http://127.0.0.1:8080/FHIR/R4',
  version,
  date: released,
});
writeFileSync(new URL('../capability-statement.json', import.meta.url), `${JSON.stringify(statement, null, 2)}\n`);
