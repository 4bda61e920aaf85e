import { createHash } from 'node:crypto';
import type { Key, Resource } from '../../src/fhir/resource.js';
import { createQueryParser, type QueryParser } from '../../src/fhir/search/parse.js';
import type { Put } from '../../src/store/port.js';
import { createSearchTerminology } from '../../src/validation/terminology/for-search.js';
import { put } from '../builders/units.js';
import { r4Definitions } from '../helpers/definitions.js';
import { indexing } from '../helpers/extractor.js';

const baseUrl = 'http://here';
const timeZone = 'UTC';
const definitions = r4Definitions();
const { parameters, extract } = indexing(definitions);

/** Reads queries by R4's own search parameters; it is the beginning of 2026. */
export const parserOf = (types: readonly string[]): QueryParser =>
  createQueryParser({
    ...{ parameters, types, baseUrl: () => baseUrl, timeZone, clock: () => Date.UTC(2026, 0) },
    terminology: createSearchTerminology(definitions),
  });

const keyOf = (container: string, { resourceType, id = '' }: Resource): Key => ({
  type: `#${resourceType}`,
  id: createHash('sha256').update(`${container}#${id}`).digest('base64url'),
});

/** The rows of a resource as the server writes them: its own, and one for each that it contains. */
export const rowsOf = (resource: Resource): readonly Put[] => {
  const id = resource.id ?? '';
  const inner = (resource['contained'] ?? []) as readonly Resource[];
  const keys = new Map(inner.map((one) => [`#${one.id ?? ''}`, keyOf(id, one)]));
  const context = { resolve: () => undefined, fragment: (text: string) => keys.get(text), baseUrl, timeZone };
  return [
    put(resource.resourceType, id, 0, { values: extract(resource, context) }),
    ...inner.map((one) => put(keyOf(id, one).type, keyOf(id, one).id, 0, { values: extract(one, context) })),
  ];
};
