import { codeIn, ersOf, ifMatch, nhsNumber, parameters } from '../helpers/ers.js';
import { suiteServer, type Answer } from '../helpers/running-server.js';

// A trust that also refers, a practice that also provides, several trusts on one shortlist: whoever sees a referral from one side does not act
// on it from the other, nor for another organisation of his own side.
const server = suiteServer();
const ers = ersOf(server);
jest.setTimeout(60_000);
type Json = Readonly<Record<string, unknown>>;
type Pairs = readonly (readonly [string, unknown])[];

const headersOf = (ods: string, businessFunction: string) => ({
  'NHSD-End-User-Organisation-ODS': ods,
  'NHSD-eRS-Business-Function': businessFunction,
});
const referringAtTrust = headersOf('RCD', 'REFERRING_CLINICIAN');
const providingAtPractice = headersOf('D82106', 'SERVICE_PROVIDER_CLINICIAN');
const providingElsewhere = headersOf('R69', 'SERVICE_PROVIDER_CLINICIAN');

let direct: { readonly service: string; readonly slots: readonly Json[] };
let elsewhere: string;
let slots: string[];
const alsoHolds = async (id: string, businessFunction: string): Promise<void> => {
  const role = (await server.as('system', 'GET', `PractitionerRole/${id}`)).json;
  const coding = [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-BusinessFunction-1', code: businessFunction }];
  const put = await server.as('system', 'PUT', `PractitionerRole/${id}`, {
    ...role,
    code: [...(role['code'] as readonly Json[]), { coding }],
  });
  expect([put.status, put.text]).toEqual([200, put.text]);
};
beforeAll(async () => {
  await alsoHolds('RCD-555032006106', 'REFERRING_CLINICIAN');
  await alsoHolds('D82106-021600556514', 'SERVICE_PROVIDER_CLINICIAN');
  direct = await ers.withSlots();
  slots = (await ers.freeSlots(direct.service, 20)).map(({ id }) => String(id));
  elsewhere = String((await ers.services('DIRECTLY_BOOKABLE', 'R69'))[0]?.['id']);
}, 120_000);

const on = async (role: 'gp' | 'provider', headers: Json, id: unknown, operation: string, ...pairs: Pairs): Promise<Answer> => {
  const path = `ServiceRequest/${String(id)}`;
  const sent = { ...ifMatch(await ers.versionOf(path)), ...headers } as Readonly<Record<string, string>>;
  return server.as(role, 'POST', `${path}/$ers.${operation}`, parameters(...pairs), sent);
};
const stranger = (answer: Answer): void => {
  expect([answer.status, codeIn(answer), answer.text]).toEqual([403, 'NO_RELATIONSHIP', answer.text]);
};
const shortlist = (id: string) => ['shortlist', `HealthcareService/${id}`] as const;

describe('who refers at the trust that is asked', () => {
  it('prints no letter of the practice’s patient, and learns no access code', async () => {
    const { id } = await ers.refer([direct.service]);
    const answer = await on('provider', referringAtTrust, id, 'generatePatientLetter');
    stranger(answer);
    expect((await on('gp', {}, id, 'generatePatientLetter')).status).toBe(200);
  });

  it.each<[string, () => Promise<Pairs>]>([
    ['changeShortlist', () => Promise.resolve([shortlist(elsewhere)])],
    ['changeShortlistAndSendForTriage', async () => [shortlist(String((await ers.services('REVIEW'))[0]?.['id']))]],
    ['maintainReferralLetter', () => Promise.resolve([])],
    ['cancelReferral', () => Promise.resolve([['cancellationReason', 'INTEND_PRIVATE']])],
  ])('does not %s', async (operation, pairs) => {
    const { id } = await ers.refer([direct.service]);
    if (operation === 'maintainReferralLetter')
      await ers.on('gp', id, operation, parameters(['attachment', await ers.upload('gp', 'letter.txt')]));
    stranger(await on('provider', referringAtTrust, id, operation, ...(await pairs())));
  });

  it('books, moves and cancels nothing, and A029 offers none of it', async () => {
    const { id } = await ers.refer([direct.service]);
    const actions = async () =>
      (
        await server.as(
          'provider',
          'GET',
          `Task?focus=ServiceRequest/${String(id)}&intent=proposal&status=ready`,
          undefined,
          referringAtTrust,
        )
      ).json['total'];
    expect(await actions()).toBe(0);
    stranger(await server.as('provider', 'POST', 'Appointment', ers.appointment(id, slots.shift()), referringAtTrust));
    const booked = await ers.book(id, slots.shift());
    const path = `Appointment/${String(booked['id'])}`;
    const put = (change: Json) => server.as('provider', 'PUT', path, { ...booked, ...change }, { ...referringAtTrust, ...ifMatch(1) });
    const coding = [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-AppointmentCancellationReason', code: 'PATIENT_HOLIDAY' }];
    stranger(await put({ status: 'cancelled', cancelationReason: { coding } }));
    stranger(await put({ slot: [{ reference: `Slot/${slots.shift() ?? ''}` }] }));
    expect(await actions()).toBe(0);
  });

  it('changes and ends no request for advice of the practice', async () => {
    const service = String((await ers.services('ADVICE_AND_GUIDANCE'))[0]?.['id']);
    const body = parameters(['patient', nhsNumber], shortlist(service), ['adviceRequestText', 'Which tests?']);
    const { json } = await ers.post('gp', 'ServiceRequest/$ers.createAdviceAndGuidance', body);
    const id = (json['parameter'] as readonly { resource: Json }[])[0]?.resource['id'];
    stranger(await on('provider', referringAtTrust, id, 'cancelReferral', ['cancellationReason', 'RAISED_IN_ERROR']));
    stranger(await on('provider', referringAtTrust, id, 'maintainReferralLetter', ['attachment', await ers.upload('provider', 'a.txt')]));
  });

  it('acts on what it refers itself', async () => {
    const [patient] = await Promise.all([
      server.as('system', 'POST', 'Patient', {
        ...{ resourceType: 'Patient', name: [{ family: 'Ofthetrust' }], birthDate: '1950-01-02' },
        generalPractitioner: [{ reference: 'Organization/RCD' }],
      }),
    ]);
    const body = parameters(['patient', `Patient/${String(patient.json['id'])}`], shortlist(elsewhere));
    const made = await server.as('provider', 'POST', 'ServiceRequest/$ers.createReferral', body, referringAtTrust);
    expect([made.status, made.text]).toEqual([201, made.text]);
    const answer = await on('provider', referringAtTrust, made.json['id'], 'changeShortlist', shortlist(direct.service));
    expect([answer.status, answer.text]).toEqual([200, answer.text]);
  });
});

describe('who provides at the practice that refers', () => {
  it.each<[string, Pairs]>([
    ['acceptReferral', []],
    ['rejectReferral', [['rejectionReason', 'SERVICE_INAPPROPRIATE']]],
    ['cancelAppointmentActionLater', [['comments', 'x']]],
    ['cancelReferral', [['cancellationReason', 'TRIAGE_ENDED']]],
  ])('does not %s what is booked at the trust', async (operation, pairs) => {
    const { id } = await ers.refer([direct.service]);
    await ers.on('gp', id, 'maintainReferralLetter', parameters(['attachment', await ers.upload('gp', 'letter.txt')]));
    await ers.book(id, slots.shift());
    stranger(await on('gp', providingAtPractice, id, operation, ...pairs));
  });
});

describe('another trust on the same shortlist', () => {
  it('ends neither what is booked with the first nor what both are asked for', async () => {
    const { id } = await ers.refer([direct.service, elsewhere]);
    const cancel = () => on('provider', providingElsewhere, id, 'cancelReferral', ['cancellationReason', 'TRIAGE_ENDED']);
    stranger(await cancel());
    await ers.book(id, slots.shift());
    stranger(await cancel());
  });
});
