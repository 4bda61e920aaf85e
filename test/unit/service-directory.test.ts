import { ServiceDirectory } from '../../src/interactions/service-directory.js';
import type { Reader, SearchPlan, Stored } from '../../src/store/port.js';

const services: readonly Stored[] = Array.from({ length: 1000 }, (_, n) => ({
  type: 'HealthcareService',
  id: `s${String(n)}`,
  version: 1,
  lastUpdated: 0,
  body: JSON.stringify({ resourceType: 'HealthcareService', id: `s${String(n)}`, location: [{ reference: 'Location/l1' }] }),
}));

/** A store with a thousand services, whose answers wait for nothing: the embedded one reads in the turn that it is asked in. */
const reader = {
  history: ({ type }: { type?: string }) =>
    Promise.resolve({ rows: type === undefined || type === 'HealthcareService' ? services.slice(-1) : [] }),
  search: ({ count, after }: SearchPlan) => {
    const end = Number(after ?? 0) + count;
    const next = end < services.length ? { next: String(end) } : {};
    return Promise.resolve({ rows: services.slice(Number(after ?? 0), end), ...next });
  },
} as unknown as Reader;

it('all services are read in, and others have their turn between the pages', async () => {
  const directory = new ServiceDirectory(reader);
  let turns = 0;
  const count = (): void => {
    turns++;
    next = setImmediate(count);
  };
  let next = setImmediate(count);
  await directory.refresh();
  clearImmediate(next);
  expect(turns).toBeGreaterThanOrEqual(4);
  expect(await directory.servicesWith('place', 'l1')).toHaveLength(1000);
});
