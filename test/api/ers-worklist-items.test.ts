import { addWorkingDays, localDayOf } from '../../src/domain/calendar/working-days.js';
import { ersOf, ifMatch, nhsNumber, parameters } from '../helpers/ers.js';
import { resourcesOf, type Role, suiteServer } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;
type Entry = { readonly item: { readonly reference: string }; readonly extension: readonly { readonly extension: readonly Json[] }[] };

const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let clinic: string;
beforeAll(async () => {
  ers = ersOf(server);
  clinic = (await ers.withSlots()).service;
}, 120_000);
jest.setTimeout(60_000);

/** What a list shows of a referral, by name; undefined when it is not on it. */
const itemOf = async (role: Role, list: string, referral: unknown): Promise<Readonly<Record<string, unknown>> | undefined> => {
  const answer = await ers.post(role, 'ServiceRequest/$ers.fetchworklist', parameters(['listType', list], ['count', 1000]));
  const entry = ((answer.json['entry'] ?? []) as readonly Entry[]).find(({ item }) => item.reference.includes(String(referral)));
  return (
    entry &&
    Object.fromEntries((entry.extension[0]?.extension ?? []).map(({ url, ...value }) => [url as string, Object.values(value)[0]] as const))
  );
};

it('REFERRALS_FOR_REVIEW says who has the patient, and whether the clinical information was printed since it changed', async () => {
  const referral = (await ers.refer([clinic], [['intentionToAddReferralLetter', 'NEED_TO_ADD_LATER']]))['id'];
  const [slot] = await ers.freeSlots(clinic, 1);
  const schedule = await ers.read(String((slot?.['schedule'] as Json)['reference']));
  const clinician = (schedule['actor'] as readonly { reference: string }[]).find(({ reference }) => reference.startsWith('Practitioner/'));
  const participant = clinician === undefined ? [] : [{ actor: clinician, status: 'accepted' }];
  const patient = resourcesOf(await ers.read(`Patient?identifier=${nhsNumber}`), 'Patient')[0]?.['id'];
  const booked = await ers.post(
    'gp',
    'Appointment',
    ers.appointment(referral, slot?.['id'], {
      participant: [...participant, { actor: { reference: `Patient/${String(patient)}` }, status: 'accepted' }],
    }),
  );
  expect(booked.status).toBe(201);
  const item = () => itemOf('provider', 'REFERRALS_FOR_REVIEW', referral);
  expect(await item()).toMatchObject({ clinicalInfoPrinted: false, allocatedClinician: { reference: clinician?.reference } });
  const print = (role: Role) => ers.post(role, `ServiceRequest/${String(referral)}/$ers.generateCRI`);
  // the practice prints for itself
  expect((await print('gp')).status).toBe(200);
  expect(await item()).toMatchObject({ clinicalInfoPrinted: false });
  const version = await ers.versionOf(`ServiceRequest/${String(referral)}`);
  expect((await Promise.all([print('provider'), print('provider')])).map(({ status }) => status)).toEqual([200, 200]);
  expect(await item()).toMatchObject({ clinicalInfoPrinted: true });
  // printing is no change of the referral
  expect(await ers.versionOf(`ServiceRequest/${String(referral)}`)).toBe(version);
  const letter = await ers.upload('gp', 'letter.txt');
  expect((await ers.on('gp', referral, 'maintainReferralLetter', parameters(['attachment', letter]))).status).toBe(200);
  expect(await item()).toMatchObject({ clinicalInfoPrinted: false });
  expect((await print('provider')).status).toBe(200);
  expect(await item()).toMatchObject({ clinicalInfoPrinted: true });
});

it('APPOINTMENT_SLOT_ISSUES says when the patient was last contacted', async () => {
  const referral = await ers.refer([clinic]);
  const deferred = await ers.post('gp', 'Appointment', {
    resourceType: 'Appointment',
    status: 'proposed',
    basedOn: [{ reference: `ServiceRequest/${String(referral['id'])}` }],
    reasonCode: [{ coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-ReviewReason', code: 'BOOKING_ATTEMPT_PROBLEM' }] }],
    participant: [{ actor: { reference: `HealthcareService/${clinic}` }, status: 'accepted' }],
  });
  expect(deferred.status).toBe(201);
  const item = () => itemOf('provider', 'APPOINTMENT_SLOT_ISSUES', referral['id']);
  expect((await item())?.['lastContact']).toBeUndefined();
  const contact = (sent: string, more: Json = {}) =>
    server.as('system', 'POST', 'Communication', {
      resourceType: 'Communication',
      status: 'completed',
      basedOn: [{ reference: `ServiceRequest/${String(referral['id'])}` }],
      recipient: [referral['subject']],
      sent,
      ...more,
    });
  expect((await contact('2026-03-02T10:00:00Z')).status).toBe(201);
  expect((await contact('2026-03-01T10:00:00Z')).status).toBe(201);
  expect((await item())?.['lastContact']).toBe('2026-03-02T10:00:00Z');
  // neither what came to nothing, nor what was said to somebody else
  await contact('2026-03-03T10:00:00Z', { status: 'not-done' });
  await contact('2026-03-04T10:00:00Z', { recipient: [{ reference: 'Organization/RCD' }] });
  expect((await item())?.['lastContact']).toBe('2026-03-02T10:00:00Z');
});

it('APPOINTMENT_SLOT_ISSUES says of what triage gave the provider to act on that it comes from triage', async () => {
  const [triage] = await ers.services('REVIEW');
  const shortlist = ['shortlist', `HealthcareService/${String(triage?.['id'])}`] as const;
  const body = parameters(['patient', nhsNumber], shortlist);
  const referral = (await ers.post('gp', 'ServiceRequest/$ers.createReferralAndSendForTriage', body)).json['id'];
  const outcome = parameters(['reviewOutcome', 'ACCEPT_REFER_BOOK_LATER'], ['reviewComments', 'We call.'], ['reviewPriority', 'URGENT']);
  expect((await ers.on('provider', referral, 'recordReviewOutcome', outcome)).status).toBe(200);
  expect(await itemOf('provider', 'APPOINTMENT_SLOT_ISSUES', referral)).toMatchObject({ reason: 'TRIAGE' });
});

it('LETTERS_OUTSTANDING says by when, as the concept of the priority has it, and follows a change of it', async () => {
  const due = async (priority: string): Promise<readonly [unknown, string]> => {
    const referral = await ers.refer(
      [clinic],
      [
        ['priority', priority],
        ['intentionToAddReferralLetter', 'NEED_TO_ADD_LATER'],
      ],
    );
    return [(await itemOf('gp', 'LETTERS_OUTSTANDING', referral['id']))?.['letterDue'], localDayOf(String(referral['authoredOn']))];
  };
  const [routine, day] = await due('ROUTINE');
  expect(routine).toBe(addWorkingDays(day, 3));
  expect((await due('TWO_WEEK_WAIT'))[0]).toBe(addWorkingDays(day, 1));
  const before = await ers.read('CodeSystem/PRIORITY');
  const concept = (before['concept'] as readonly { readonly code: string; readonly property: readonly Json[] }[]).map((one) => ({
    ...one,
    property: one.property.map((property) =>
      one.code === 'ROUTINE' && property['code'] === 'letterDays' ? { ...property, valueInteger: 7 } : property,
    ),
  }));
  const version = (before['meta'] as Json)['versionId'];
  expect((await server.as('system', 'PUT', 'CodeSystem/PRIORITY', { ...before, concept }, ifMatch(version))).status).toBe(200);
  expect((await due('ROUTINE'))[0]).toBe(addWorkingDays(day, 7));
});
