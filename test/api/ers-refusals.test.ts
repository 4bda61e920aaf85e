/** What e-RS refuses late: of patients who died, of versions that moved on, of organisations that are not there, of guesses. */
import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { accessCodeType } from '../../src/auth/subjects.js';
import { fetchToken } from '../../src/auth/client-token.js';
import { findAccessCode } from '../../src/domain/patient-access/access-code.js';
import { codeIn, ersOf, ifMatch, parameters } from '../helpers/ers.js';
import { issue, maker } from '../helpers/rest.js';
import { resourcesOf, suiteServer } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;

const server = suiteServer();
const made = maker(() => server);
let ers: ReturnType<typeof ersOf>;
let clinic: string;
let slots: string[];
beforeAll(async () => {
  ers = ersOf(server);
  clinic = (await ers.withSlots()).service;
  slots = (await ers.freeSlots(clinic, 20)).map(({ id }) => String(id));
}, 120_000);
jest.setTimeout(60_000);

const ubrnIn = (referral: Json): string =>
  (referral['identifier'] as readonly { system: string; value: string }[]).find(({ system }) => system.endsWith('/UBRN'))?.value ?? '';

describe('a patient who died after he was referred', () => {
  const actionsOn = async (id: unknown) =>
    resourcesOf((await server.as('gp', 'GET', `Task?focus=ServiceRequest/${String(id)}&intent=proposal&status=ready`)).json).map(
      ({ code }) => (code as { coding: readonly { code: string }[] }).coding[0]?.code,
    );

  it('is not booked, deferred or given another shortlist, while his referral can be cancelled; A029 says the same', async () => {
    const { id, subject } = await ers.refer([clinic]);
    const booked = await ers.refer([clinic]);
    const booking = await ers.book(booked['id'], slots.shift());
    expect(await actionsOn(id)).toContain('CREATE_APPOINTMENT');
    const url = (subject as { reference: string }).reference;
    const patient = await ers.read(url);
    expect((await server.as('system', 'PUT', url, { ...patient, deceasedBoolean: true })).status).toBe(200);
    try {
      const other = (await ers.services('DIRECTLY_BOOKABLE')).map((service) => String(service['id'])).find((each) => each !== clinic) ?? '';
      const slot = slots.shift();
      const deferral = { status: 'proposed', slot: undefined, reasonCode: [{ coding: [{ code: 'SLOT_NOT_AVAILABLE' }] }] };
      const moved = { ...booking, slot: [{ reference: `Slot/${slots.shift() ?? ''}` }], start: undefined, end: undefined };
      for (const [what, answer] of [
        ['book', await ers.post('gp', 'Appointment', ers.appointment(id, slot))],
        ['defer', await ers.post('gp', 'Appointment', ers.appointment(id, slot, deferral))],
        ['shortlist', await ers.on('gp', id, 'changeShortlist', parameters(['shortlist', `HealthcareService/${other}`]))],
        ['move', await server.as('gp', 'PUT', `Appointment/${String(booking['id'])}`, moved, ifMatch(1))],
      ] as const)
        expect([what, answer.status, codeIn(answer)]).toEqual([what, 422, 'PATIENT_ERROR']);
      expect(await actionsOn(id)).toEqual(['CANCEL_REFERRAL']);
    } finally {
      const { meta: _meta, ...before } = patient;
      expect((await server.as('system', 'PUT', url, before)).status).toBe(200);
    }
  });
});

it('A025: the conversation of a version that moved on is a conflict, of the current one it is shown', async () => {
  const service = (await ers.services('ADVICE_AND_GUIDANCE'))[0]?.['id'];
  const asked = parameters(
    ['patient', 'https://fhir.nhs.uk/Id/nhs-number|9912003888'],
    ['shortlist', `HealthcareService/${String(service)}`],
    ['adviceRequestText', 'Which dose?'],
  );
  const answer = await ers.post('gp', 'ServiceRequest/$ers.createAdviceAndGuidance', asked);
  const id = /ServiceRequest\/(a\.[^"/]+)/.exec(answer.text)?.[1] ?? '';
  const version = await ers.versionOf(`ServiceRequest/${id}`);
  const conversation = (of: string) => server.as('gp', 'GET', `Communication?based-on=ServiceRequest/${id}/_history/${of}`);
  const shown = await conversation(version);
  expect([shown.status, resourcesOf(shown.json, 'Communication').length]).toEqual([200, 1]);
  const stale = await conversation(String(Number(version) + 1));
  expect([stale.status, codeIn(stale), issue(stale)?.expression]).toEqual([409, 'INVALID_STATE', ['based-on']]);
  // whose request it is not learns nothing of its version
  const unseen = await server.as('patient', 'GET', 'Communication?based-on=ServiceRequest/a.nobody/_history/7');
  expect([unseen.status, unseen.json['total']]).toEqual([200, 0]);
});

it('A015: an organisation of commissioning rules must exist', async () => {
  const query = `Slot?schedule.actor=HealthcareService/${clinic}&status=free&_count=1`;
  const under = (code: string) => server.as('gp', 'GET', query, undefined, { 'NHSD-eRS-Comm-Rule-Org': code });
  expect((await under('RCD')).status).toBe(200);
  const refused = await under('NOBODY');
  expect([refused.status, codeIn(refused), issue(refused)?.expression]).toEqual([400, 'REFERENCE_NOT_FOUND', ['NHSD-eRS-Comm-Rule-Org']]);
  expect((await server.as('system', 'GET', query, undefined, { 'NHSD-eRS-Comm-Rule-Org': 'NOBODY' })).status).toBe(200);
});

it('a requester named by SDS user id is written as a literal reference too', async () => {
  const requester = { identifier: { system: 'https://fhir.nhs.uk/Id/sds-user-id', value: '021600556514' } };
  const referral = await ers.post('gp', 'ServiceRequest', {
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    category: [{ coding: [{ system: 'http://snomed.info/sct', code: '3457005' }] }],
    subject: { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9912003888' } },
    performer: [{ reference: `HealthcareService/${clinic}` }],
    requester,
  });
  expect([referral.status, referral.status === 201 ? '' : referral.text]).toEqual([201, '']);
  expect(referral.json['requester']).toEqual({ ...requester, reference: expect.stringMatching(/^Practitioner\//) as unknown });
});

it('a patient whose record has no birth date is of no age that is known', async () => {
  const number = '9990999856';
  const identifier = [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: number }];
  const patient = await made({ resourceType: 'Patient', identifier, birthDate: '1980-01-01' });
  const request = {
    clientId: 'demo-patient-app',
    keyFile: `${server.dataDir}/clients/demo-patient-app.jwk.json`,
    tokenUrl: `${server.baseUrl}/oauth2/token`,
  };
  const read = async () => {
    const authorization = `Bearer ${await fetchToken({ ...request, patient: number })}`;
    return (await server.as('nobody', 'GET', patient.url, undefined, { authorization })).status;
  };
  expect(await read()).toBe(200);
  const { birthDate: _born, ...ageless } = patient.json;
  expect((await server.as('system', 'PUT', patient.url, ageless)).status).toBe(200);
  // who was let in is remembered for six seconds at most
  for (let tries = 0; tries < 20 && (await read()) === 200; tries++) await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await read()).toBe(403);
});

it('of guesses of an access code that come at once five are compared, then the right one is refused too', async () => {
  const ubrn = ubrnIn(await ers.refer([clinic]));
  const { store } = await server.house();
  const code = (await findAccessCode((kind, key) => store.findClaim(kind, key), ubrn)) ?? '';
  const jwk = JSON.parse(readFileSync(`${server.dataDir}/clients/demo-patient-app.jwk.json`, 'utf8')) as { keys?: readonly Json[] } & Json;
  const own = jwk.keys?.[0] ?? jwk;
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const tokenUrl = `${server.baseUrl}/oauth2/token`;
  const [patient] = resourcesOf(await ers.read('Patient?identifier=9912003888'));
  const born = Number(String(patient?.['birthDate']).slice(0, 4));
  const guess = (accessCode: string) => {
    const exp = Math.floor(Date.now() / 1000) + 60;
    const claims = { iss: 'demo-patient-app', sub: 'demo-patient-app', aud: tokenUrl, jti: randomUUID(), exp };
    const text = `${part({ alg: 'RS512', typ: 'JWT', kid: own['kid'] })}.${part(claims)}`;
    const signature = sign('sha512', Buffer.from(text), createPrivateKey({ key: own as never, format: 'jwk' })).toString('base64url');
    const body = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: accessCodeType,
      subject_token: JSON.stringify({ ubrn, access_code: accessCode, year_of_birth: born }),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: `${text}.${signature}`,
    });
    return fetch(tokenUrl, { method: 'POST', body });
  };
  expect((await guess(code)).status).toBe(200);
  const wrong = await Promise.all(Array.from({ length: 20 }, (_, n) => guess(`BCDFGHJKLMN${'BCDFGHJKLM'[n % 10] ?? ''}`)));
  expect(wrong.map(({ status }) => status)).toEqual(wrong.map(() => 400));
  expect((await guess(code)).status).toBe(400);
  const spent = await Promise.all([0, 1, 2, 3, 4].map((n) => store.findClaim('identifier', `access-failure|${ubrn}|${String(n)}`)));
  expect(spent.filter((claim) => claim !== undefined)).toHaveLength(5);
});
