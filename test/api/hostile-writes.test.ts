import { ersOf, parameters } from '../helpers/ers.js';
import { resourcesOf, startServer, type Answer, type Running } from '../helpers/running-server.js';

// What a hostile client tries by writing with a token that is its own: to take over, to learn what exists, to speak for somebody else.
type Json = Readonly<Record<string, unknown>>;
const ods = 'https://fhir.nhs.uk/Id/ods-organization-code';
const etag = (resource: Json) => ({ 'if-match': `W/"${String((resource['meta'] as Json)['versionId'])}"` });
let server: Running;
let ers: ReturnType<typeof ersOf>;
let stranger = '';
let letter = '';
let service = '';

const one = async (url: string): Promise<Json> => {
  const [found] = resourcesOf((await server.as('system', 'GET', url)).json);
  if (!found) throw new Error(`nothing at ${url}`);
  return found;
};
const diaryOf = (organisation: string): Promise<Json> =>
  one(`Schedule?actor:HealthcareService.organization.identifier=${ods}|${organisation}&_count=1`);
const hidden = (type: string, more: Json): Promise<string> =>
  server.as('system', 'POST', type, { resourceType: type, ...more }).then(({ json }) => String(json['id']));
/** What differs between any two answers of the same kind: the record asked for. */
const plain = ({ status, text }: Answer, id: string): string => `${String(status)} ${text.replaceAll(id, 'ID')}`;

beforeAll(async () => {
  server = await startServer();
  ers = ersOf(server);
  const number = [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990999902' }];
  // of a practice elsewhere: a patient of none is told to be so, as e-RS does (NO_REG_GP_PRACTICE)
  const generalPractitioner = [{ identifier: { system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'A81001' } }];
  stranger = await hidden('Patient', { identifier: number, birthDate: '1950-01-02', name: [{ family: 'HIDDEN' }], generalPractitioner });
  const content = [{ attachment: { contentType: 'text/plain', url: 'https://elsewhere.example/letter' } }];
  letter = await hidden('DocumentReference', { status: 'current', subject: { reference: `Patient/${stranger}` }, content });
  service = String((await ers.services('DIRECTLY_BOOKABLE'))[0]?.['id']);
}, 60_000);
afterAll(() => server.stop());

const referral = (more: Json = {}): Json => ({
  resourceType: 'ServiceRequest',
  status: 'active',
  intent: 'order',
  subject: { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9912003888' } },
  performer: [{ reference: `HealthcareService/${service}` }],
  ...more,
});

describe('a diary of another organisation', () => {
  it('is not taken over by writing one’s own service into it', async () => {
    const [theirs, own] = await Promise.all([diaryOf('R69'), diaryOf('RCD')]);
    for (const role of ['provider', 'app'] as const) {
      const put = await server.as(role, 'PUT', `Schedule/${String(theirs['id'])}`, { ...theirs, actor: own['actor'] }, etag(theirs));
      expect(put.status).toBe(403);
      const patch = [{ op: 'replace', path: '/actor', value: own['actor'] }];
      const json = { ...etag(theirs), 'content-type': 'application/json-patch+json' };
      expect((await server.as(role, 'PATCH', `Schedule/${String(theirs['id'])}`, patch, json)).status).toBe(403);
    }
  });
  it('loses no slot to one’s own, by itself or in a transaction', async () => {
    const [theirs, own] = await Promise.all([diaryOf('R69'), diaryOf('RCD')]);
    const slot = await one(`Slot?schedule=Schedule/${String(theirs['id'])}&_count=1`);
    const moved = { ...slot, schedule: { reference: `Schedule/${String(own['id'])}` } };
    expect((await server.as('provider', 'PUT', `Slot/${String(slot['id'])}`, moved, etag(slot))).status).toBe(403);
    const entry = (resource: Json, ifMatch: string) => ({
      resource,
      request: { method: 'PUT', url: `${String(resource['resourceType'])}/${String(resource['id'])}`, ifMatch },
    });
    const both = [entry({ ...theirs, actor: own['actor'] }, etag(theirs)['if-match']), entry(moved, etag(slot)['if-match'])];
    expect((await server.as('provider', 'POST', '', { resourceType: 'Bundle', type: 'transaction', entry: both })).status).toBe(403);
    expect(await one(`Slot?_id=${String(slot['id'])}`)).toEqual(slot);
  });
  it('takes no new slot, and one’s own does', async () => {
    const slot = (diary: Json) => ({
      resourceType: 'Slot',
      status: 'free',
      schedule: { reference: `Schedule/${String(diary['id'])}` },
      start: '2031-01-06T09:00:00Z',
      end: '2031-01-06T09:30:00Z',
    });
    expect((await server.as('provider', 'POST', 'Slot', slot(await diaryOf('R69')))).status).toBe(403);
    expect((await server.as('gp', 'POST', 'Slot', slot(await diaryOf('RCD')))).status).toBe(403);
    expect((await server.as('provider', 'POST', 'Slot', slot(await diaryOf('RCD')))).status).toBe(201);
  });
  it('and no service of it is written by anybody but system', async () => {
    for (const role of ['gp', 'provider', 'app', 'patient'] as const) {
      const theirs = await one(`HealthcareService/${service}`).catch(() => ({
        resourceType: 'HealthcareService',
        id: service,
        meta: { versionId: '1' },
      }));
      expect((await server.as(role, 'PUT', `HealthcareService/${service}`, theirs, { 'if-match': 'W/"1"' })).status).toBe(403);
    }
  });
});

describe('a reference in what is written tells nothing of what exists', () => {
  const twice = async (send: (id: string) => Promise<Answer>) => {
    const absent = '0f0f0f0f-0000-4000-8000-000000000000';
    return [plain(await send(letter), letter), plain(await send(absent), absent)];
  };
  it.each([
    [
      'a referral',
      (id: string) => server.as('gp', 'POST', 'ServiceRequest', referral({ supportingInfo: [{ reference: `DocumentReference/${id}` }] })),
    ],
    [
      'a referral, of a version',
      (id: string) =>
        server.as('gp', 'POST', 'ServiceRequest', referral({ supportingInfo: [{ reference: `DocumentReference/${id}/_history/7` }] })),
    ],
    [
      'a document',
      (id: string) =>
        server.as('gp', 'POST', 'DocumentReference', {
          resourceType: 'DocumentReference',
          status: 'current',
          relatesTo: [{ code: 'replaces', target: { reference: `DocumentReference/${id}` } }],
          content: [{ attachment: { contentType: 'text/plain', url: 'https://elsewhere.example/x' } }],
        }),
    ],
    [
      'an operation',
      (id: string) =>
        ers.post(
          'gp',
          'ServiceRequest/$ers.createReferral',
          parameters(['patient', `Patient/${id === letter ? stranger : id}`], ['shortlist', `HealthcareService/${service}`]),
        ),
    ],
  ])('of %s', async (_, send) => {
    const [theirs, nobodys] = await twice(send);
    expect(theirs).toBe(nobodys);
    expect(theirs).toMatch(/^422/);
  });
  it('of an appointment that is made or changed', async () => {
    const { service: clinic, slots } = await ers.withSlots();
    const made = await ers.refer([clinic]);
    const booking = (id: string) =>
      ers.post(
        'gp',
        'Appointment',
        ers.appointment(made['id'], slots[0]?.['id'], { supportingInformation: [{ reference: `DocumentReference/${id}` }] }),
      );
    const [theirs, nobodys] = await twice(booking);
    expect(theirs).toBe(nobodys);
    expect(theirs).toMatch(/^422/);
  });
});

describe('nobody speaks for somebody else', () => {
  it('a referral is of the caller’s own organisation', async () => {
    const r69 = await one(`Organization?identifier=${ods}|R69`);
    for (const requester of [
      { reference: `Organization/${String(r69['id'])}` },
      { identifier: { system: ods, value: 'R69' } },
      { identifier: { system: 'https://fhir.nhs.uk/Id/sds-user-id', value: '555032006106' } },
      { reference: 'PractitionerRole/RCD-555032006106' },
      { reference: 'Device/none' },
    ])
      expect([requester, (await server.as('gp', 'POST', 'ServiceRequest', referral({ requester }))).status]).toEqual([requester, 422]);
    for (const requester of [
      { reference: 'PractitionerRole/D82106-021600556514' },
      { identifier: { system: ods, value: 'D82106' } },
      { identifier: { system: 'https://fhir.nhs.uk/Id/sds-user-id', value: '021600556514' } },
    ])
      expect([requester, (await server.as('gp', 'POST', 'ServiceRequest', referral({ requester }))).status]).toEqual([requester, 201]);
  });
  it('an export filter looks only into what the scopes cover', async () => {
    const { fetchToken } = await import('../../src/auth/client-token.js');
    const keyFile = `${server.dataDir}/clients/demo-system.jwk.json`;
    const token = await fetchToken({
      clientId: 'demo-system',
      keyFile,
      tokenUrl: `${server.baseUrl}/oauth2/token`,
      scope: 'system/Patient.rs',
    });
    const ask = (filter: string) =>
      server.as('nobody', 'GET', `Patient/$export?_type=Patient&_typeFilter=${encodeURIComponent(filter)}`, undefined, {
        authorization: `Bearer ${token}`,
      });
    expect((await ask('Patient?_has:Observation:patient:code=x')).status).toBe(403);
    expect((await ask('Patient?gender=female')).status).toBe(202);
  });
});

describe('a letter after the shortlist changed', () => {
  it('is not read by who has left it', async () => {
    const [own] = await ers.services('DIRECTLY_BOOKABLE');
    const [other] = await ers.services('DIRECTLY_BOOKABLE', 'R69');
    const made = await ers.refer([String(own?.['id'])]);
    const bytes = await ers.upload('gp', 'letter.txt');
    const related = { context: { related: [{ reference: `ServiceRequest/${String(made['id'])}` }] } };
    const document = (await server.as('gp', 'POST', 'DocumentReference', { ...bytes, ...related })).json;
    const url = `DocumentReference/${String(document['id'])}`;
    expect((await server.as('provider', 'GET', url)).status).toBe(200);
    expect(
      (await ers.on('gp', made['id'], 'changeShortlist', parameters(['shortlist', `HealthcareService/${String(other?.['id'])}`]))).status,
    ).toBe(200);
    expect((await server.as('provider', 'GET', `ServiceRequest/${String(made['id'])}`)).status).toBe(404);
    expect((await server.as('provider', 'GET', url)).status).toBe(404);
    expect((await server.as('gp', 'GET', url)).status).toBe(200);
  });
});
