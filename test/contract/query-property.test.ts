/**
 * Queries as clients write them agree with a plain reading of them: random conditions, also as `_filter`, with chains, `_has` and contained
 * resources, over random resources.
 */
import fc from 'fast-check';
import type { Resource } from '../../src/fhir/resource.js';
import type { Store } from '../../src/store/port.js';
import { onEveryEngine } from './engines.js';
import { searches, worlds } from './plain-reading.js';
import { parserOf, rowsOf } from './real-index.js';

const parse = parserOf(['Organization', 'Patient', 'Observation', 'Practitioner']);

onEveryEngine('query-property', ({ open }) => {
  it('a query finds what a plain reading of it finds', async () => {
    // searches that find some and not all: others would agree by chance
    let telling = 0;
    for (const world of fc.sample(worlds, { numRuns: 4, seed: 3 })) {
      const store: Store = await open({ integrity: true });
      await store.commit({ puts: world.flatMap((resource) => rowsOf(resource as unknown as Resource)) });
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
