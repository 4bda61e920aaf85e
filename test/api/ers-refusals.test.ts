/** What e-RS refuses late: of patients who died, of versions that moved on, of organisations that are not there, of guesses. */
import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { accessCodeType } from '../../src/auth/subjects.js';
import { fetchToken } from '../../src/auth/client-token.js';
import { findAccessCode } from '../../src/domain/patient-access/access-code.js';
import { codeIn, ersOf, ifMatch, parameters } from '../helpers/ers.js';
import { issue, link, maker } from '../helpers/rest.js';
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

it('a requester named by SDS user id is written as the post in which he refers', async () => {
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
  expect(referral.json['requester']).toEqual({ ...requester, reference: 'PractitionerRole/D82106-021600556514' });
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
  const referral = await ers.refer([clinic]);
  const ubrn = ubrnIn(referral);
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
  // the next letter has another code, so that the one before is worth nothing
  const id = String(referral['id']);
  const letters = await Promise.all([1, 2].map(() => ers.post('gp', `ServiceRequest/${id}/$ers.generatePatientLetter`)));
  expect(letters.map(({ status }) => status)).toEqual([200, 200]);
  const fresh = (await findAccessCode((kind, key) => store.findClaim(kind, key), ubrn)) ?? '';
  expect(fresh).not.toBe(code);
  expect((await guess(code)).status).toBe(400);
  expect((await guess(fresh)).status).toBe(200);
  expect((await ers.post('gp', `ServiceRequest/${id}/$ers.generatePatientLetter`)).status).toBe(200);
  expect(await findAccessCode((kind, key) => store.findClaim(kind, key), ubrn)).toBe(fresh);
  expect((await ers.on('gp', id, 'cancelReferral', parameters(['cancellationReason', 'RAISED_IN_ERROR']))).status).toBe(200);
  const ended = await ers.post('gp', `ServiceRequest/${id}/$ers.generatePatientLetter`);
  expect([ended.status, codeIn(ended)]).toEqual([422, 'INVALID_STATE']);
});

describe('A029 and A040 as searches', () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  let focus: string;
  beforeAll(async () => {
    focus = String((await ers.refer([clinic]))['id']);
  });
  const tasks = (query: string, headers = {}) => server.as('gp', 'GET', `Task?${query}&intent=proposal&status=ready`, undefined, headers);

  it.each(['foo=1', '_count=1', '_summary=true', '_elements=code', '_total=none', '_sort=code', 'code=CANCEL_REFERRAL', 'focus:Task=1'])(
    'A029 knows no %s',
    async (more) => {
      const name = more.split('=')[0] ?? '';
      const refused = await tasks(`focus=ServiceRequest/${focus}&${more}`);
      expect([refused.status, issue(refused)?.code, issue(refused)?.expression]).toEqual([400, 'not-supported', [name]]);
      expect(issue(refused)?.details.text).toContain('focus, focus:ServiceRequest, intent, status, _format, _pretty');
      const passed = await tasks(`focus=ServiceRequest/${focus}&${more}`, { prefer: 'handling=lenient' });
      expect([passed.status, link(passed, 'self')]).toEqual([200, expect.not.stringContaining(encodeURIComponent(name))]);
      expect(passed.json['total']).toBe((await tasks(`focus=ServiceRequest/${focus}`)).json['total']);
    },
  );

  it('A040 knows no other parameter either', async () => {
    const asked = (more: string) =>
      server.as('provider', 'GET', `Practitioner?_query=onBehalfOf${more}`, undefined, {
        'NHSD-End-User-Organisation-ODS': 'RCD',
        'NHSD-eRS-Business-Function': 'SERVICE_PROVIDER_CLINICIAN',
      });
    const refused = await asked('&name=Smith');
    expect([refused.status, issue(refused)?.expression]).toEqual([400, ['name']]);
  });

  it('A029 takes the forms of a reference to one ServiceRequest, by GET, HEAD and POST', async () => {
    const shown = (answer: Awaited<ReturnType<typeof tasks>>) => resourcesOf(answer.json, 'Task').map(({ id }) => id);
    const plain = await tasks(`focus=ServiceRequest/${focus}`);
    expect(shown(plain).length).toBeGreaterThan(0);
    for (const other of [`focus:ServiceRequest=${focus}`, `focus=${focus}`, `focus:ServiceRequest=ServiceRequest/${focus}`])
      expect(shown(await tasks(other))).toEqual(shown(plain));
    for (const wrong of [`focus=Task/${focus}`, 'focus=', `focus=${focus}&focus=${focus}`]) expect((await tasks(wrong)).status).toBe(400);
    const posted = await server.as(
      'gp',
      'POST',
      'Task/_search',
      `focus=ServiceRequest/${focus}&intent=proposal&status=ready&_format=json`,
      form,
    );
    expect([posted.status, shown(posted)]).toEqual([200, shown(plain)]);
    const refused = await server.as('gp', 'POST', 'Task/_search', `focus=${focus}&intent=proposal&status=ready&foo=1`, form);
    expect([refused.status, issue(refused)?.expression]).toEqual([400, ['foo']]);
    const xml = await tasks(`focus=${focus}&_format=xml&_pretty=true`);
    expect([xml.status, xml.text]).toEqual([200, expect.stringMatching(/^<(\?xml|Bundle)/)]);
    const headed = await server.as('gp', 'HEAD', `Task?focus=${focus}&intent=proposal&status=ready&foo=1`);
    expect(headed.status).toBe(400);
  });
});

it('an operation knows no parameter of the query but its inputs, and the format', async () => {
  const body = parameters(['patient', 'https://fhir.nhs.uk/Id/nhs-number|9912003888'], ['shortlist', `HealthcareService/${clinic}`]);
  const { id } = await ers.refer([clinic]);
  const version = ifMatch(await ers.versionOf(`ServiceRequest/${String(id)}`));
  const asked = (query: string, headers = {}): readonly (readonly [string, () => ReturnType<typeof server.as>])[] => [
    ['createReferral', () => ers.post('gp', `ServiceRequest/$ers.createReferral${query}`, body, headers)],
    [
      'changeShortlist',
      () => ers.post('gp', `ServiceRequest/${String(id)}/$ers.changeShortlist${query}`, parameters(), { ...version, ...headers }),
    ],
    ['hold', () => ers.post('gp', `Slot/${String(slots[0])}/$hold${query}`, undefined, headers)],
    ['fetchworklist', () => ers.post('gp', `ServiceRequest/$ers.fetchworklist${query}`, parameters(['listType', 'UNBOOKED']), headers)],
    ['$meta-add', () => server.as('system', 'POST', `ServiceRequest/${String(id)}/$meta-add${query}`, parameters(), headers)],
    ['$validate', () => server.as('system', 'POST', `Patient/$validate${query}`, { resourceType: 'Patient' }, headers)],
    ['$meta', () => server.as('system', 'GET', `ServiceRequest/${String(id)}/$meta${query}`, undefined, headers)],
  ];
  for (const [name, ask] of asked('?foo=1')) {
    const refused = await ask();
    expect([name, refused.status, issue(refused)?.code, issue(refused)?.expression]).toEqual([name, 400, 'not-supported', ['foo']]);
  }
  for (const [name, ask] of [...asked('?_format=json&_pretty=true'), ...asked('?foo=1', { prefer: 'handling=lenient' })])
    expect([name, issue(await ask())?.expression]).not.toEqual([name, ['foo']]);
  const made = await ers.post('gp', 'ServiceRequest/$ers.createReferral?foo=1&_pretty=true', body, { prefer: 'handling=lenient' });
  expect(made.status).toBe(201);
});
