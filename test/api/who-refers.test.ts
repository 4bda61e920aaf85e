/** Who stands as the requester of a referral, on which lists of the practice it is, and who may not refer. */
import { codeIn, ersOf, nhsNumber, parameters, told } from '../helpers/ers.js';
import { resourcesOf, suiteServer, type Answer } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;

const sds = 'https://fhir.nhs.uk/Id/sds-user-id';
const post = 'PractitionerRole/D82106-021600556514';
const admin = { 'NHSD-eRS-Business-Function': 'REFERRING_CLINICIAN_ADMIN' };
const functionsOf = (codes: readonly string[]) =>
  codes.map((code) => ({ coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-BusinessFunction-1', code }] }));
const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let service: string;
/** a colleague at the practice who refers nobody himself, and one whose post of a clinician has ended */
let clerk: string;
let former: string;

const add = async (resource: Json): Promise<string> => {
  const answer = await ers.post('system', String(resource['resourceType']), resource);
  expect([answer.text, answer.status]).toEqual([expect.any(String), 201]);
  return String(answer.json['id']);
};
const colleague = async (number: string, posts: readonly { readonly code: string; readonly active: boolean }[]): Promise<string> => {
  const { id: _id, meta: _meta, identifier: _identifier, ...like } = await ers.read(post);
  const person = await add({ resourceType: 'Practitioner', identifier: [{ system: sds, value: number }] });
  const practitioner = { reference: `Practitioner/${person}` };
  for (const { code, active } of posts)
    await add({ ...like, resourceType: 'PractitionerRole', practitioner, active, code: functionsOf([code]) });
  return person;
};

beforeAll(async () => {
  ers = ersOf(server);
  const both = functionsOf(['REFERRING_CLINICIAN', 'REFERRING_CLINICIAN_ADMIN']);
  expect((await server.as('system', 'PUT', post, { ...(await ers.read(post)), code: both })).status).toBe(200);
  ({ service } = await ers.withSlots());
  clerk = await colleague('555900009901', [{ code: 'REFERRING_ADMIN', active: true }]);
  former = await colleague('555900009902', [
    { code: 'REFERRING_CLINICIAN', active: false },
    { code: 'REFERRING_ADMIN', active: true },
  ]);
}, 120_000);
jest.setTimeout(60_000);

const refer = async (requester: Json, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => {
  const [patient] = resourcesOf(await ers.read(`Patient?identifier=${nhsNumber}`), 'Patient');
  const request = {
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    subject: { reference: `Patient/${String(patient?.['id'])}` },
    performer: [{ reference: `HealthcareService/${service}` }],
    requester,
  };
  return ers.post('gp', 'ServiceRequest', request, headers);
};
const listed = async (listType: string): Promise<string> =>
  (await ers.post('gp', 'ServiceRequest/$ers.fetchworklist', parameters(['listType', listType], ['count', 1000]))).text;

it.each([
  ['his record', { reference: 'Practitioner/021600556514', type: 'Practitioner' }],
  ['his number', { identifier: { system: sds, value: '021600556514' } }],
  ['his post', { reference: post }],
])('a clinician who names himself by %s refers in his post, and the referral is on the lists of his practice', async (_, requester) => {
  for (const headers of [{}, admin]) {
    const made = await refer(requester, headers);
    expect([made.text, made.status]).toEqual([expect.any(String), 201]);
    expect(made.json['requester']).toMatchObject({ reference: post });
    expect(made.json['requester']).not.toHaveProperty('type');
    expect(await listed('AWAITING_BOOKING')).toContain(String(made.json['id']));
    const found = await ers.read(
      `ServiceRequest?_id=${String(made.json['id'])}&requester:PractitionerRole.organization=Organization/D82106`,
    );
    expect(found['total']).toBe(1);
  }
});

it('nobody but an administrator refers for a colleague, and he for an active clinician alone', async () => {
  for (const person of [clerk, former])
    expect(told(await refer({ reference: `Practitioner/${person}` }))).toEqual([422, 'FIELD_NOT_PERMITTED', 'ServiceRequest.requester']);
  const by = (referringClinician: string) =>
    parameters(
      ['patient', nhsNumber],
      ['shortlist', `HealthcareService/${service}`],
      ['referringClinician', `Practitioner/${referringClinician}`],
    );
  for (const [person, code] of [
    [clerk, 'REFERENCED_USER_IS_NOT_RC_AT_ORG'],
    [former, 'REFERENCED_USER_IS_NOT_ACTIVE'],
  ] as const) {
    expect(codeIn(await ers.post('gp', 'ServiceRequest/$ers.createReferral', by(person), admin))).toBe(code);
    expect(codeIn(await refer({ reference: `Practitioner/${person}` }, admin))).toBe(code);
  }
});

it('a referral that a system client wrote for a person is on the lists of where he works', async () => {
  const template = await ers.refer([service]);
  const { id: _id, meta: _meta, identifier: _ubrn, ...rest } = template;
  const id = await add({ ...rest, requester: { reference: 'Practitioner/021600556514' } });
  expect(await listed('AWAITING_BOOKING')).toContain(id);
});

it('own roles (A030) are those in force, and their pages go on', async () => {
  const { id: _id, meta: _meta, ...own } = await ers.read(post);
  const ended = await add({ ...own, active: false });
  await add({ ...own, code: functionsOf(['REFERRING_ADMIN']) });
  const authorization = await server.bearer('gp');
  const read = async (url: string) => {
    const answer = await fetch(url, { headers: { authorization } });
    return { status: answer.status, json: (await answer.json()) as Json };
  };
  const ids: unknown[] = [];
  let url: string | undefined = `${server.base}/PractitionerRole?_count=1`;
  while (url !== undefined) {
    const { status, json } = await read(url);
    expect(status).toBe(200);
    ids.push(...resourcesOf(json).map(({ id }) => id));
    url = ((json['link'] ?? []) as readonly { relation: string; url: string }[]).find(({ relation }) => relation === 'next')?.url;
  }
  expect(ids.length).toBe(2);
  expect(ids).not.toContain(ended);
});

it('a practice that is closed refers nobody', async () => {
  const practice = await ers.read('Organization/D82106');
  expect((await server.as('system', 'PUT', 'Organization/D82106', { ...practice, active: false })).status).toBe(200);
  const body = parameters(['patient', nhsNumber], ['shortlist', `HealthcareService/${service}`]);
  expect(codeIn(await ers.post('gp', 'ServiceRequest/$ers.createReferral', body))).toBe('ORGANISATION_IS_CLOSED');
  expect(codeIn(await refer({ reference: post }))).toBe('ORGANISATION_IS_CLOSED');
  expect((await server.as('system', 'PUT', 'Organization/D82106', { ...practice, active: true })).status).toBe(200);
  expect((await ers.post('gp', 'ServiceRequest/$ers.createReferral', body)).status).toBe(201);
});
