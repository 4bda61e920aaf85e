/** Two providers on one shortlist: each acts on what is with it, and what one has looked at is new to the other. */
import { ersOf, ifMatch, parameters, told } from '../helpers/ers.js';
import { jsonPatch, patchBody } from '../helpers/rest.js';
import { suiteServer, type Role } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;
type Clinic = { readonly id: string; readonly slots: readonly string[] };

const server = suiteServer();
const asOther = { 'NHSD-End-User-Organisation-ODS': 'R69' };
let ers: ReturnType<typeof ersOf>;
let here: Clinic;
let there: Clinic;
let indirect: string;
beforeAll(async () => {
  ers = ersOf(server);
  const clinicOf = async (ods: string): Promise<Clinic> => {
    for (const { id } of await ers.services('DIRECTLY_BOOKABLE', ods)) {
      const slots = await ers.freeSlots(String(id), 10);
      if (slots.length === 10) return { id: String(id), slots: slots.map((slot) => String(slot['id'])) };
    }
    throw new Error(`no clinic of ${ods} has ten free slots`);
  };
  [here, there] = [await clinicOf('RCD'), await clinicOf('R69')];
  indirect = String((await ers.services('INDIRECTLY_BOOKABLE'))[0]?.['id']);
}, 120_000);
jest.setTimeout(60_000);

const refer = async (): Promise<string> => String((await ers.refer([here.id, there.id]))['id']);
const itemOf = async (referral: string, headers: Readonly<Record<string, string>>): Promise<string> => {
  const asked = parameters(['listType', 'REFERRALS_FOR_REVIEW'], ['count', 1000]);
  const { json } = await ers.post('provider', 'ServiceRequest/$ers.fetchworklist', asked, headers);
  const items = ((json['entry'] ?? []) as readonly Json[]).map((entry) => JSON.stringify(entry));
  return items.find((one) => one.includes(referral)) ?? '';
};
const addLetter = async (referral: string, name: string) =>
  ers.on('gp', referral, 'maintainReferralLetter', parameters(['attachment', await ers.upload('gp', name)]));

it('a provider moves an appointment within its own diaries alone', async () => {
  const { id } = await ers.book(await refer(), here.slots[0]);
  const move = (role: Role, slot: string | undefined) =>
    server.as(
      role,
      'PATCH',
      `Appointment/${String(id)}`,
      patchBody({ op: 'replace', path: '/slot/0', value: { reference: `Slot/${String(slot)}` } }),
      {
        ...jsonPatch,
        ...ifMatch(1),
      },
    );
  expect(told(await move('provider', there.slots[0]))).toEqual([422, 'INAPPROPRIATE_SLOT', 'Appointment.slot[0]']);
  expect((await ers.read(`Slot/${String(there.slots[0])}`))['status']).toBe('free');
  expect((await move('provider', here.slots[1])).status).toBe(200);
});

it('what one provider reviewed is new to the next, and to itself when it is booked again', async () => {
  const referral = await refer();
  expect((await addLetter(referral, 'letter.txt')).status).toBe(200);
  await ers.book(referral, here.slots[2]);
  expect((await ers.on('provider', referral, 'acceptReferral')).status).toBe(200);
  const reason = parameters(['rejectionReason', 'SERVICE_INAPPROPRIATE']);
  expect((await ers.on('provider', referral, 'rejectReferral', reason)).status).toBe(200);
  await ers.book(referral, there.slots[1]);
  expect(await itemOf(referral, asOther)).toContain('NEVER_REVIEWED');
  const version = await ers.versionOf(`ServiceRequest/${referral}`);
  const rejected = await ers.post('provider', `ServiceRequest/${referral}/$ers.rejectReferral`, reason, {
    ...asOther,
    ...ifMatch(version),
  });
  expect(rejected.status).toBe(200);
  await ers.book(referral, here.slots[3]);
  expect(await itemOf(referral, {})).toContain('NEVER_REVIEWED');
});

it('what one provider printed is not printed for the other', async () => {
  const referral = await refer();
  expect((await addLetter(referral, 'letter.txt')).status).toBe(200);
  await ers.book(referral, there.slots[2]);
  const print = (headers: Readonly<Record<string, string>>) =>
    ers.post('provider', `ServiceRequest/${referral}/$ers.generateCRI`, undefined, headers);
  expect((await print({})).status).toBe(200);
  expect(await itemOf(referral, asOther)).toContain('"url":"clinicalInfoPrinted","valueBoolean":false');
  expect((await print(asOther)).status).toBe(200);
  expect(await itemOf(referral, asOther)).toContain('"url":"clinicalInfoPrinted","valueBoolean":true');
});

it('a file that the practice uploaded for a referral is its own until it is linked', async () => {
  const request = await ers.refer([here.id, there.id]);
  const ubrn = (request['identifier'] as readonly { value: string }[])[0]?.value ?? '';
  const sent = await ers.post('gp', 'Binary', 'Dear colleague', {
    'content-type': 'text/plain',
    'NHSD-eRS-File-Name': 'letter.txt',
    'NHSD-eRS-Referral-ID': ubrn,
  });
  expect(sent.status).toBe(201);
  const url = /Binary\/[^/]+/.exec(sent.headers.get('location') ?? '')?.[0] ?? '';
  const statuses = () =>
    Promise.all((['gp', 'provider', 'app', 'patient'] as const).map(async (role) => (await server.as(role, 'GET', url)).status));
  expect(await statuses()).toEqual([200, 404, 404, 404]);
  const document = { resourceType: 'DocumentReference', status: 'current', content: [{ attachment: { contentType: 'text/plain', url } }] };
  const related = { context: { related: [{ reference: `ServiceRequest/${String(request['id'])}` }] } };
  expect((await ers.post('provider', 'DocumentReference', { ...document, ...related })).status).toBe(422);
  const other = String((await ers.refer([here.id]))['id']);
  const letter = parameters(['attachment', document]);
  expect(told(await ers.on('gp', other, 'maintainReferralLetter', letter)).slice(0, 2)).toEqual([422, 'INAPPROPRIATE_VALUE']);
  expect((await ers.on('gp', request['id'], 'maintainReferralLetter', letter)).status).toBe(200);
  expect(await statuses()).toEqual([200, 200, 200, 200]);
});

it('a slot has a number of its own', async () => {
  const [theirs, own] = [await ers.read(`Slot/${String(there.slots[3])}`), await ers.read(`Slot/${String(here.slots[4])}`)];
  const [number] = theirs['identifier'] as readonly Json[];
  const { id: _id, meta: _meta, ...like } = own;
  for (const system of [number?.['system'], 'https://fhir.nhs.uk/Id/USRN']) {
    const answer = await ers.post('provider', 'Slot', { ...like, identifier: [{ ...number, system }] });
    expect(told(answer)).toEqual([409, 'REC_CONFLICT', 'Slot.identifier[0].value']);
  }
  const renamed = await server.as('provider', 'PUT', `Slot/${String(own['id'])}`, { ...own, identifier: [number] }, ifMatch(1));
  expect(told(renamed)).toEqual([409, 'REC_CONFLICT', 'Slot.identifier[0].value']);
  const kept = await server.as('provider', 'PUT', `Slot/${String(own['id'])}`, { ...own, comment: 'Room 4' }, ifMatch(1));
  expect(kept.status).toBe(200);
  const fresh = {
    ...like,
    start: '2030-01-07T09:00:00Z',
    end: '2030-01-07T09:30:00Z',
    identifier: [{ ...number, value: 'USRN-of-its-own' }],
  };
  expect((await ers.post('provider', 'Slot', fresh)).status).toBe(201);
});

it('an appointment that was booked by phone is cancelled by the operations that say so', async () => {
  const id = String((await ers.refer([indirect]))['id']);
  const url = `ServiceRequest/${id}`;
  const booked = JSON.parse(JSON.stringify(await ers.read(url)).replace('"NOT_BOOKED"', '"BOOKED"')) as Json;
  expect((await server.as('system', 'PUT', url, booked, ifMatch(await ers.versionOf(url)))).status).toBe(200);
  const start = new Date(Date.now() + 7 * 86_400_000).toISOString();
  const made = await ers.post('system', 'Appointment', {
    ...ers.appointment(id, ''),
    slot: undefined,
    start,
    end: start,
    participant: [{ actor: { reference: `HealthcareService/${indirect}` }, status: 'accepted' }],
  });
  expect([made.text, made.status]).toEqual([expect.any(String), 201]);
  const cancelled = {
    ...made.json,
    status: 'cancelled',
    cancelationReason: {
      coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-AppointmentCancellationReason', code: 'CLINIC_CANCELLED' }],
    },
  };
  const refused = await server.as('provider', 'PUT', `Appointment/${String(made.json['id'])}`, cancelled, ifMatch(1));
  expect(told(refused).slice(0, 2)).toEqual([422, 'UNABLE_TO_CANCEL_APPOINTMENT']);
  const later = parameters(['comments', 'The clinic is closed.'], ['appointmentCancelledInPAS', true]);
  expect((await ers.on('provider', id, 'cancelAppointmentActionLater', later)).status).toBe(200);
});

it('a deferral for want of slots looks for none where appointments are made by phone', async () => {
  const referral = String((await ers.refer([indirect]))['id']);
  const diary = await ers.post('provider', 'Schedule', {
    resourceType: 'Schedule',
    actor: [{ reference: `HealthcareService/${indirect}` }],
  });
  const slot = {
    resourceType: 'Slot',
    status: 'free',
    schedule: { reference: `Schedule/${String(diary.json['id'])}` },
    start: '2030-01-07T09:00:00Z',
    end: '2030-01-07T09:30:00Z',
  };
  expect((await ers.post('provider', 'Slot', slot)).status).toBe(201);
  const reasonCode = [{ coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-ReviewReason', code: 'NO_SLOTS_AT_SERVICE' }] }];
  const { slot: _slot, ...proposed } = ers.appointment(referral, '', { status: 'proposed', reasonCode });
  expect((await ers.post('gp', 'Appointment', proposed)).status).toBe(201);
});
