/** What a reference, a version or a change says beside what it is for is looked at too: nothing of it is passed over. */
import { codeIn, ersOf, ifMatch, parameters, stateIn, told } from '../helpers/ers.js';
import { issue, jsonPatch, patchBody } from '../helpers/rest.js';
import { resourcesOf, suiteServer, type Answer, type Role } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;
const nhs = 'https://fhir.nhs.uk/Id/nhs-number';
const serviceId = 'https://fhir.nhs.uk/Id/ers-service';

const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let service: string;
let slots: readonly string[];
beforeAll(async () => {
  ers = ersOf(server);
  const found = await ers.withSlots();
  service = found.service;
  slots = found.slots.map(({ id }) => String(id));
}, 120_000);

const referral = async (shortlist = [service]): Promise<string> => String((await ers.refer(shortlist))['id']);
const patient = async (): Promise<Json> =>
  resourcesOf((await server.as('gp', 'GET', `Patient?identifier=${nhs}|9912003888`)).json, 'Patient')[0] ?? {};
const actor = (reference: Json): Json => ({ actor: reference, status: 'accepted' });

describe('a booking', () => {
  const booking = async (more: Json): Promise<Answer> => ers.post('gp', 'Appointment', ers.appointment(await referral(), slots[0], more));

  it('of one patient by reference and another by NHS number is of neither', async () => {
    const reference = `Patient/${String((await patient())['id'])}`;
    const participant = [actor({ reference, identifier: { system: nhs, value: '9990000018' } })];
    expect(told(await booking({ participant }))).toEqual([422, 'CONFLICTING_VALUES', 'Appointment.participant[0].actor']);
  });

  it.each([
    ['slot', 'Appointment.slot[0]', () => ({ slot: [{ reference: `Slot/${slots[0] ?? ''}/_history/99` }] })],
    [
      'service',
      'Appointment.participant[0].actor',
      () => ({ participant: [actor({ reference: `HealthcareService/${service}/_history/99` })] }),
    ],
  ])('of a version of the %s that is not the current one is refused', async (_, expression, more) => {
    expect(told(await booking(more()))).toEqual([409, 'INVALID_STATE', expression]);
  });

  it('of a slot that has begun is refused, and so is its hold', async () => {
    const current = await ers.read(`Slot/${slots[1] ?? ''}`);
    const [start, end] = [-3, -2].map((minutes) => new Date(Date.now() + minutes * 60_000).toISOString());
    const { id: _id, meta: _meta, identifier: _identifier, ...rest } = current;
    const made = await ers.post('system', 'Slot', { ...rest, start, end });
    const id = String(made.json['id']);
    const booked = await ers.post('gp', 'Appointment', ers.appointment(await referral(), id));
    expect(told(booked)).toEqual([422, 'INAPPROPRIATE_SLOT', 'Appointment.slot[0]']);
    expect(told(await ers.post('patient', `Slot/${id}/$hold`))).toEqual([422, 'INAPPROPRIATE_SLOT', 'Slot.start']);
  });

  it('of a system client has its slot, whatever the slot says', async () => {
    // not one of the first, which other tests take
    const slot = (await ers.freeSlots(service, 20)).at(-1);
    const id = String(slot?.['id']);
    const made = await ers.post('system', 'Appointment', {
      ...ers.appointment(await referral(), id),
      start: slot?.['start'],
      end: slot?.['end'],
      participant: [actor({ reference: `HealthcareService/${service}` })],
    });
    expect([made.status, made.text]).toEqual([201, made.text]);
    expect(told(await ers.post('patient', `Slot/${id}/$hold`))).toEqual([409, 'SLOT_NOT_AVAILABLE', 'Slot.status']);
    const waiting = await ers.post('gp', 'Appointment', {
      resourceType: 'Appointment',
      status: 'proposed',
      basedOn: [{ reference: `ServiceRequest/${await referral()}` }],
      slot: [{ reference: `Slot/${id}` }],
      reasonCode: [{ coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-ReviewReason', code: 'SLOT_NOT_AVAILABLE' }] }],
      participant: [actor({ reference: `HealthcareService/${service}` })],
    });
    expect([waiting.status, codeIn(waiting)]).toEqual([201, '']);
  });

  it('takes those who take part by their current versions', async () => {
    const { id, meta } = await patient();
    const reference = `Patient/${String(id)}/_history/${String((meta as Json)['versionId'])}`;
    const answer = await booking({ participant: [actor({ reference })] });
    expect(answer.status).toBe(201);
    const { version, id: booked } = { version: '1', id: String(answer.json['id']) };
    const ended = patchBody({ op: 'replace', path: '/status', value: 'cancelled' });
    expect((await server.as('patient', 'PATCH', `Appointment/${booked}`, ended, { ...jsonPatch, ...ifMatch(version) })).status).toBe(200);
  });
});

describe('a deferral', () => {
  const deferral = async (more: Json): Promise<Answer> =>
    ers.post('gp', 'Appointment', {
      resourceType: 'Appointment',
      status: 'proposed',
      basedOn: [{ reference: `ServiceRequest/${await referral()}` }],
      reasonCode: [{ coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-ReviewReason', code: 'BOOKING_ATTEMPT_PROBLEM' }] }],
      participant: [actor({ reference: `HealthcareService/${service}` })],
      ...more,
    });

  it('is of the patient of the referral', async () => {
    const others = resourcesOf((await server.as('gp', 'GET', 'Patient?_count=5')).json, 'Patient');
    const own = (await patient())['id'];
    const other = `Patient/${String(others.find(({ id }) => id !== own)?.['id'])}`;
    const participant = [actor({ reference: other }), actor({ reference: `HealthcareService/${service}` })];
    expect(told(await deferral({ participant }))).toEqual([422, 'INAPPROPRIATE_VALUE', 'Appointment.participant']);
  });

  it('is for one service', async () => {
    const [first, second] = (await ers.services('DIRECTLY_BOOKABLE')).map(({ id }) =>
      actor({ reference: `HealthcareService/${String(id)}` }),
    );
    expect(told(await deferral({ participant: [first, second] }))).toEqual([422, 'TOO_MANY_ITEMS', 'Appointment.participant']);
  });
});

it('an entry of a shortlist is one service, in its current version', async () => {
  const [one, other] = await ers.services('DIRECTLY_BOOKABLE');
  const number = ((other?.['identifier'] ?? []) as readonly Json[]).find(({ system }) => system === serviceId)?.['value'];
  const make = (valueReference: Json) =>
    ers.post('gp', 'ServiceRequest/$ers.createReferral', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'patient', valueIdentifier: { system: nhs, value: '9912003888' } },
        { name: 'shortlist', valueReference },
      ],
    });
  const reference = `HealthcareService/${String(one?.['id'])}`;
  const both = await make({ reference, identifier: { system: serviceId, value: number } });
  expect([both.status, codeIn(both)]).toEqual([422, 'CONFLICTING_VALUES']);
  const stale = await make({ reference: `${reference}/_history/99` });
  expect([stale.status, codeIn(stale)]).toEqual([409, 'INVALID_STATE']);
});

describe('a change of an appointment', () => {
  it('says nothing else than what it is for', async () => {
    const id = await referral();
    const appointment = await ers.book(id, slots[2]);
    const url = `Appointment/${String(appointment['id'])}`;
    const put = (change: Json, role: Role = 'gp') => server.as(role, 'PUT', url, { ...appointment, ...change }, ifMatch(1));
    const cancelled = { status: 'cancelled', cancelationReason: { text: 'On holiday' } };
    for (const [name, value] of Object.entries({
      description: 'Something else',
      patientInstruction: 'Bring it',
      start: '2030-01-07T09:00:00Z',
      slot: [{ reference: `Slot/${slots[0] ?? ''}` }],
      participant: [actor({ reference: 'Patient/somebody-else' })],
    })) {
      const answer = await put({ ...cancelled, [name]: value }, 'patient');
      expect([name, ...told(answer)]).toEqual([name, 422, 'FIELD_NOT_PERMITTED', `Appointment.${name}`]);
    }
    const moved = { slot: [{ reference: `Slot/${slots[1] ?? ''}` }] };
    expect(told(await put({ ...moved, description: 'Something else' }))).toEqual([422, 'FIELD_NOT_PERMITTED', 'Appointment.description']);
    expect(told(await put({ ...moved, start: '2030-01-07T09:00:00Z' }))).toEqual([422, 'INAPPROPRIATE_SLOT', 'Appointment.start']);
    expect((await ers.read(url))['status']).toBe('booked');
    // as little as R4 lets it say
    const { resourceType, id: own, participant } = appointment;
    expect((await server.as('patient', 'PUT', url, { resourceType, id: own, participant, ...cancelled }, ifMatch(1))).status).toBe(200);
  });

  it('names the one version that was read', async () => {
    const appointment = await ers.book(await referral(), slots[0]);
    const url = `Appointment/${String(appointment['id'])}`;
    for (const tags of ['*', 'W/"1", W/"2"', 'x']) {
      const answer = await server.as('patient', 'PUT', url, { ...appointment, status: 'cancelled' }, { 'If-Match': tags });
      expect([tags, answer.status, issue(answer)?.code, issue(answer)?.expression]).toEqual([tags, 400, 'value', ['If-Match']]);
    }
    expect((await server.as('patient', 'PUT', url, { ...appointment, status: 'cancelled' }, ifMatch(1))).status).toBe(200);
  });
});

it('what one provider accepted is for another to accept when the appointment moves there', async () => {
  const elsewhere = await Promise.all(
    (await ers.services('DIRECTLY_BOOKABLE', 'R69')).map(async ({ id }) => ({ id: String(id), slots: await ers.freeSlots(String(id), 1) })),
  );
  const there = elsewhere.find((one) => one.slots.length > 0);
  const own = await ers.freeSlots(service, 1);
  const id = await referral([service, there?.id ?? '']);
  expect((await ers.on('gp', id, 'maintainReferralLetter', parameters(['attachment', await ers.upload('gp', 'letter.txt')]))).status).toBe(
    200,
  );
  const appointment = await ers.book(id, own[0]?.['id']);
  expect((await ers.on('provider', id, 'acceptReferral')).status).toBe(200);
  const url = `Appointment/${String(appointment['id'])}`;
  const move = patchBody({ op: 'replace', path: '/slot/0', value: { reference: `Slot/${String(there?.slots[0]?.['id'])}` } });
  expect((await server.as('gp', 'PATCH', url, move, { ...jsonPatch, ...ifMatch(1) })).status).toBe(200);
  expect(stateIn(await ers.read(`ServiceRequest/${id}`))).toBe('BOOKED');
  const asOther = { 'NHSD-End-User-Organisation-ODS': 'R69' };
  const list = await ers.post(
    'provider',
    'ServiceRequest/$ers.fetchworklist',
    parameters(['listType', 'REFERRALS_FOR_REVIEW'], ['count', 1000]),
    asOther,
  );
  expect(list.text).toContain(`ServiceRequest/${id}/`);
  expect(list.text).toContain('NEVER_REVIEWED');
  const version = ifMatch(await ers.versionOf(`ServiceRequest/${id}`));
  expect((await ers.post('provider', `ServiceRequest/${id}/$ers.acceptReferral`, undefined, { ...version, ...asOther })).status).toBe(200);
});

it('an appointment booked with the provider, which ends when it starts, is cancelled here once it is cancelled there', async () => {
  const [indirect] = await ers.services('INDIRECTLY_BOOKABLE');
  const id = await referral([String(indirect?.['id'])]);
  const url = `ServiceRequest/${id}`;
  const booked = JSON.parse(JSON.stringify(await ers.read(url)).replace('"NOT_BOOKED"', '"BOOKED"')) as Json;
  expect((await server.as('system', 'PUT', url, booked, ifMatch(await ers.versionOf(url)))).status).toBe(200);
  const start = new Date(Date.now() + 7 * 86_400_000).toISOString();
  const made = await ers.post('system', 'Appointment', {
    resourceType: 'Appointment',
    status: 'booked',
    start,
    end: start,
    basedOn: [{ reference: url }],
    participant: [actor({ reference: `HealthcareService/${String(indirect?.['id'])}` })],
  });
  expect([made.status, made.text]).toEqual([201, made.text]);
  const reject = (cancelled: boolean) =>
    ers.on(
      'provider',
      id,
      'rejectReferral',
      parameters(['rejectionReason', 'SERVICE_INAPPROPRIATE'], ['appointmentCancelledInPAS', cancelled]),
    );
  const refused = await reject(false);
  expect([refused.status, codeIn(refused)]).toEqual([422, 'INAPPROPRIATE_VALUE']);
  expect((await reject(true)).status).toBe(200);
});

describe('a file', () => {
  it('is of one patient', async () => {
    const file = await ers.upload('gp', 'letter.txt');
    const attach = async (id: string) => ers.on('gp', id, 'maintainReferralLetter', parameters(['attachment', file]));
    const first = await referral();
    expect((await attach(first)).status).toBe(200);
    const others = resourcesOf((await server.as('gp', 'GET', 'Patient?_count=20')).json, 'Patient');
    const body = (id: unknown) => parameters(['patient', `Patient/${String(id)}`], ['shortlist', `HealthcareService/${service}`]);
    const own = (await patient())['id'];
    const made = await Promise.all(
      others.filter(({ id }) => id !== own).map(({ id }) => ers.post('gp', 'ServiceRequest/$ers.createReferral', body(id))),
    );
    const second = String(made.find(({ status }) => status === 201)?.json['id']);
    expect((await attach(second)).status).toBe(422);
    expect(codeIn(await attach(second))).toBe('INAPPROPRIATE_VALUE');
  });

  it('is one of a document', async () => {
    const file = await ers.upload('gp', 'letter.txt');
    const [content] = file['content'] as readonly Json[];
    const attachment = { ...file, content: [content, content] };
    const answer = await ers.on('gp', await referral(), 'maintainReferralLetter', parameters(['attachment', attachment]));
    expect([answer.status, codeIn(answer)]).toEqual([422, 'TOO_MANY_ITEMS']);
  });
});

describe('what a patient writes', () => {
  const response = { resourceType: 'QuestionnaireResponse', status: 'completed' };

  it.each(['9990000018', '9990000026', '9990548609'])('about the NHS number %s, which is not his, is refused', async (value) => {
    const answer = await ers.post('patient', 'QuestionnaireResponse', { ...response, subject: { identifier: { system: nhs, value } } });
    expect([answer.status, issue(answer)?.code, issue(answer)?.expression]).toEqual([
      422,
      'not-found',
      ['QuestionnaireResponse.subject.identifier'],
    ]);
  });

  it('about himself is taken by either name', async () => {
    for (const subject of [
      { reference: `Patient/${String((await patient())['id'])}` },
      { identifier: { system: nhs, value: '9912003888' } },
    ]) {
      const answer = await ers.post('patient', 'QuestionnaireResponse', { ...response, subject });
      expect(answer.status).toBe(201);
      expect((await server.as('patient', 'GET', `QuestionnaireResponse/${String(answer.json['id'])}`)).status).toBe(200);
    }
  });

  it('says whose it is, as he could not read it otherwise', async () => {
    const answer = await ers.post('patient', 'QuestionnaireResponse', response);
    expect([answer.status, issue(answer)?.code, issue(answer)?.expression]).toEqual([422, 'required', ['QuestionnaireResponse.subject']]);
  });
});
