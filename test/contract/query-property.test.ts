/**
 * Queries as clients write them agree with a plain reading of them: random conditions, also as `_filter`, with chains, `_has` and contained
 * resources, over random resources.
 */
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import type { Resource } from '../../src/fhir/resource.js';
import { createExtractor } from '../../src/fhir/search/extract.js';
import { createModel } from '../../src/fhir/search/model.js';
import { createSearchParameters } from '../../src/fhir/search/parameters.js';
import { createQueryParser } from '../../src/fhir/search/parse.js';
import type { Put, Store } from '../../src/store/port.js';
import { createSearchTerminology } from '../../src/validation/terminology/for-search.js';
import { put } from '../builders/units.js';
import { r4Definitions } from '../helpers/definitions.js';
import { onEveryEngine } from './engines.js';
import { searches, worlds, type Any } from './plain-reading.js';

const definitions = r4Definitions();
const model = createModel(definitions.structures());
const parameters = createSearchParameters(definitions.searchParameters, model);
const extract = createExtractor(parameters, {
  model,
  isCaseSensitive: (system) => definitions.findCodeSystem(system)?.caseSensitive === true,
});
const parse = createQueryParser({
  ...{ parameters, types: ['Organization', 'Patient', 'Observation', 'Practitioner'], baseUrl: () => 'http://here', timeZone: 'UTC' },
  ...{ clock: () => Date.UTC(2026, 0), terminology: createSearchTerminology(definitions) },
});

/** The rows of a resource: its own, and one for what it contains. */
const rowsOf = (resource: Any): readonly Put[] => {
  const inner = 'contained' in resource ? (resource.contained ?? []) : [];
  const keys = new Map(
    inner.map(({ id }) => [
      `#${id}`,
      { type: '#Practitioner', id: createHash('sha256').update(`${resource.id}#${id}`).digest('base64url') },
    ]),
  );
  const context = { resolve: () => undefined, fragment: (text: string) => keys.get(text), baseUrl: 'http://here', timeZone: 'UTC' };
  const valuesOf = (of: object) => extract(of as Resource, context);
  return [
    put(resource.resourceType, resource.id, 0, { values: valuesOf(resource) }),
    ...inner.map((of) => {
      const key = keys.get(`#${of.id}`)!;
      return put(key.type, key.id, 0, { values: valuesOf(of) });
    }),
  ];
};

onEveryEngine('query-property', ({ open }) => {
  it('a query finds what a plain reading of it finds', async () => {
    // searches that find some and not all: others would agree by chance
    let telling = 0;
    for (const world of fc.sample(worlds, { numRuns: 4, seed: 3 })) {
      const store: Store = await open({ integrity: true });
      await store.commit({ puts: world.flatMap(rowsOf) });
      await fc.assert(
        fc.asyncProperty(searches, async ({ type, conditions }) => {
          const query = conditions.flatMap((condition) => (condition.query ? [condition.query] : []));
          const { plan } = parse(type, query, { lenient: false });
          const { rows } = await store.search({ ...plan, count: 100 }, 'all');
          const expected = world.filter(
            (resource) => resource.resourceType === type && conditions.every((condition) => condition.holds(resource, world)),
          );
          if (expected.length > 0 && expected.length < world.filter(({ resourceType }) => resourceType === type).length) telling++;
          expect({ query, found: rows.map(({ id }) => id).sort() }).toEqual({ query, found: expected.map(({ id }) => id).sort() });
        }),
        { numRuns: 150, seed: 9 },
      );
      await store.close();
    }
    expect(telling).toBeGreaterThan(200);
  }, 300_000);
});
