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

it('many lines that name one organisation ask for it once', async () => {
  let searches = 0;
  const search = async () => {
    searches++;
    await new Promise(setImmediate);
    return { rows: [{ id: 'o1' }] };
  };
  const extract = (_: unknown, { resolve }: { resolve: (of: { identifier: object }) => unknown }) => [
    resolve({ identifier: { system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'RCD' } }),
  ];
  const house = { extract, baseUrl: 'http://127.0.0.1/FHIR/R4', timeZone: 'Europe/London' } as unknown as House;
  const values = auditValues({ search } as unknown as Store, Promise.resolve(house));
  const who = { identifier: { system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'RCD' } };
  const event = { resourceType: 'AuditEvent', id: 'x', agent: [{ who }] };
  const found = await Promise.all(Array.from({ length: 50 }, () => values(event)));
  expect(found.flat()).toEqual(Array.from({ length: 50 }, () => ({ type: 'Organization', id: 'o1' })));
  expect(searches).toBe(1);
});
