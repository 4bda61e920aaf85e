import { auditValues } from '../../src/audit/audit-values.js';
import type { House } from '../../src/interactions/house.js';
import type { Store } from '../../src/store/port.js';

it('lines that are indexed before the house stands wait for it', async () => {
  let stands: (house: Pick<House, 'extract' | 'baseUrl' | 'timeZone'>) => void = () => undefined;
  const store = { search: () => Promise.resolve({ rows: [] }) } as unknown as Store;
  const values = auditValues(store, new Promise((resolve) => (stands = resolve)));
  const told: string[] = [];
  const asked = values({ resourceType: 'AuditEvent', id: 'x' }).then(() => told.push('indexed'));
  await new Promise(setImmediate);
  told.push('stands');
  stands({ extract: () => [], baseUrl: 'http://127.0.0.1/FHIR/R4', timeZone: 'Europe/London' });
  await asked;
  expect(told).toEqual(['stands', 'indexed']);
});
