import { createConformance } from '../../src/resources/conformance.js';
import { seedConformance } from '../../src/conformance/seed.js';
import { startServer, type Running } from '../helpers/running-server.js';

let running: Running;
beforeAll(async () => {
  running = await startServer();
}, 60_000);
afterAll(async () => {
  await running.stop();
});

type Concept = { readonly code: string; readonly property?: readonly { readonly code: string; readonly valueInteger?: number }[] };

const get = (url: string) => running.as('system', 'GET', `/FHIR/R4/${url}`);

/** What a release with one artefact would bring. */
const releaseOf = (resource: { readonly resourceType: string; readonly id: string; readonly [name: string]: unknown }) =>
  createConformance(
    [{ hash: JSON.stringify(resource), text: () => Promise.resolve(JSON.stringify({ hash: '', resources: [resource], identifiers: [] })) }],
    [],
  );

describe('the server serves its definitions as resources', () => {
  test.each([
    'SPECIALTY',
    'CLINIC-TYPE',
    'APPOINTMENT-CANCELLATION-REASON',
    'REFERRAL-CANCELLATION-REASON',
    'APPOINTMENT-NON-ATTENDANCE-REASON',
  ])('A004: CodeSystem/%s', async (id) => {
    const answer = await running.as('gp', 'GET', `/FHIR/R4/CodeSystem/${id}`);
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ resourceType: 'CodeSystem', id, meta: { versionId: '1' } });
  });

  test('A004: CodeSystem/PRIORITY says within how many days a patient is to be contacted', async () => {
    const { json } = await get('CodeSystem/PRIORITY');
    const urgent = (json['concept'] as readonly Concept[]).find(({ code }) => code === 'URGENT');
    expect(urgent?.property).toContainEqual({ code: 'triageContactDays', valueInteger: 5 });
  });

  test.each([
    'StructureDefinition/UKCore-Patient',
    'StructureDefinition/NHSDigital-ServiceRequest',
    'StructureDefinition/ServiceRequest',
    'ValueSet/UKCore-EthnicCategory',
    'ValueSet/request-status',
    'NamingSystem/UBRN',
    'ConceptMap/cm-administrative-gender-v3',
    'SearchParameter/ServiceRequest-requester',
    'OperationDefinition/AcceptReferral',
  ])('%s is read', async (url) => {
    expect((await get(url)).status).toBe(200);
  });

  test.each([
    ['StructureDefinition', 'https://fhir.hl7.org.uk/StructureDefinition/UKCore-Appointment'],
    ['CodeSystem', 'https://fhir.nhs.uk/CodeSystem/eRS-ReferralState'],
    ['ValueSet', 'http://hl7.org/fhir/ValueSet/request-status'],
  ])('%s is found by its canonical URL %s', async (type, url) => {
    const { json } = await get(`${type}?url=${encodeURIComponent(url)}`);
    expect(json['entry']).toHaveLength(1);
  });
});

describe('a new release of the definitions', () => {
  const mine = { resourceType: 'ValueSet', id: 'of-the-release', url: 'https://example.org/ValueSet/a', status: 'active' };

  test('is written once', async () => {
    expect(await seedConformance(await running.house(), releaseOf(mine))).toBe(1);
    expect(await seedConformance(await running.house(), releaseOf(mine))).toBe(0);
  });

  test('replaces what an earlier one wrote, and the history keeps both', async () => {
    await seedConformance(await running.house(), releaseOf({ ...mine, status: 'retired' }));
    expect((await get('ValueSet/of-the-release')).json).toMatchObject({ status: 'retired', meta: { versionId: '2' } });
    expect((await get('ValueSet/of-the-release/_history')).json['entry']).toHaveLength(2);
  });

  test('leaves alone what a client has put in its place', async () => {
    const put = await running.as(
      'system',
      'PUT',
      '/FHIR/R4/ValueSet/of-the-release',
      { ...mine, publisher: 'The site' },
      { 'If-Match': 'W/"2"' },
    );
    expect(put.status).toBe(200);
    expect(await seedConformance(await running.house(), releaseOf({ ...mine, status: 'draft' }))).toBe(0);
    expect((await get('ValueSet/of-the-release')).json['publisher']).toBe('The site');
  });
});
