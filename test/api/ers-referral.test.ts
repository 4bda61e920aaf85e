import { codeIn, ersOf, ifMatch, nhsNumber, parameters, stateIn, told } from '../helpers/ers.js';
import { resourcesOf, suiteServer } from '../helpers/running-server.js';

const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let direct: { readonly service: string; readonly slots: readonly Readonly<Record<string, unknown>>[] };
let triage: string;
let advice: string;
let indirect: string;
beforeAll(async () => {
  ers = ersOf(server);
  direct = await ers.withSlots();
  triage = String((await ers.services('REVIEW'))[0]?.['id']);
  advice = String((await ers.services('ADVICE_AND_GUIDANCE'))[0]?.['id']);
  indirect = String((await ers.services('INDIRECTLY_BOOKABLE'))[0]?.['id']);
}, 120_000);

const shortlist = (...ids: readonly string[]) => ids.map((id) => ['shortlist', `HealthcareService/${id}`] as const);

describe('A011 createReferral', () => {
  it('makes a referral with a UBRN, not booked', async () => {
    const answer = await ers.post(
      'gp',
      'ServiceRequest/$ers.createReferral',
      parameters(
        ['patient', nhsNumber],
        ...shortlist(direct.service),
        ['priority', 'URGENT'],
        ['intentionToAddReferralLetter', 'NEED_TO_ADD_LATER'],
      ),
    );
    expect(answer.status).toBe(201);
    expect(answer.headers.get('etag')).toBe('W/"1"');
    expect(answer.json['id']).toMatch(/^r\./);
    expect(answer.json['priority']).toBe('urgent');
    expect(stateIn(answer.json)).toBe('NOT_BOOKED');
    expect(answer.text).toMatch(/"value":"[0-9]{12}"/);
    expect(answer.text).toContain('PractitionerRole/D82106-021600556514');
  });

  const good = ['patient', nhsNumber] as const;
  it.each([
    ['a missing patient', () => [...shortlist(direct.service)], 400, 'MISSING_PARAMETER'],
    ['an unknown parameter', () => [good, ...shortlist(direct.service), ['nonsense', 'x']], 400, 'UNEXPECTED_FIELD'],
    ['a boolean for a code', () => [good, ...shortlist(direct.service), ['priority', true]], 400, 'INVALID_VALUE'],
    ['a patient that is not there', () => [['patient', 'Patient/nobody'], ...shortlist(direct.service)], 422, 'REFERENCE_NOT_FOUND'],
    ['a service that is not there', () => [good, ...shortlist('nothing')], 422, 'REFERENCE_NOT_FOUND'],
    ['a service twice', () => [good, ...shortlist(direct.service, direct.service)], 422, 'DUPLICATE_SERVICE'],
    ['a service for advice', () => [good, ...shortlist(advice)], 422, 'INAPPROPRIATE_VALUE'],
    ['more than 20 services', () => [good, ...shortlist(...Array.from({ length: 21 }, () => direct.service))], 422, 'TOO_MANY_ITEMS'],
    ['an unknown priority', () => [good, ...shortlist(direct.service), ['priority', 'SOON']], 422, 'INVALID_CODE'],
    [
      'a clinician named by a clinician',
      () => [good, ...shortlist(direct.service), ['referringClinician', 'Practitioner/021600556514']],
      422,
      'FIELD_NOT_PERMITTED',
    ],
    [
      'a search that does not find the service',
      () => [
        good,
        ...shortlist(direct.service),
        [
          'searchCriteria',
          [
            { name: 'priority', valueCode: 'ROUTINE' },
            { name: 'namedClinician', valueIdentifier: { value: '000000000000' } },
          ],
        ],
      ],
      422,
      'SHORTLISTED_SERVICE_NOT_IN_RESULTS',
    ],
  ] as const)('refuses %s', async (_, pairs, status, code) => {
    const answer = await ers.post('gp', 'ServiceRequest/$ers.createReferral', parameters(...(pairs() as [])));
    expect([answer.status, codeIn(answer)]).toEqual([status, code]);
  });

  it('is not for providers', async () => {
    expect((await ers.post('provider', 'ServiceRequest/$ers.createReferral', parameters(good, ...shortlist(direct.service)))).status).toBe(
      403,
    );
  });

  it('refuses what the demographics say against', async () => {
    const dead = await server.as('system', 'POST', 'Patient', {
      resourceType: 'Patient',
      deceasedBoolean: true,
      generalPractitioner: [{ reference: 'Organization/D82106' }],
    });
    const homeless = await server.as('system', 'POST', 'Patient', {
      resourceType: 'Patient',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990999937' }],
      name: [{ family: 'Nopractice' }],
      birthDate: '1950-01-02',
    });
    const refer = (id: unknown) =>
      ers.post('gp', 'ServiceRequest/$ers.createReferral', parameters(['patient', `Patient/${String(id)}`], ...shortlist(direct.service)));
    expect(codeIn(await refer(dead.json['id']))).toBe('PATIENT_ERROR');
    expect(codeIn(await refer(homeless.json['id']))).toBe('NO_REG_GP_PRACTICE');
    // a practice sees its own patients alone: that of another one is not there for it
    const stranger = await server.as('system', 'POST', 'Patient', {
      resourceType: 'Patient',
      generalPractitioner: [{ reference: 'Organization/RCD' }],
    });
    expect(codeIn(await refer(stranger.json['id']))).toBe('REFERENCE_NOT_FOUND');
  });
});

it('A016, A013, A014: booked, accepted once, rejected with a reason of the reference data, the slot free again', async () => {
  const slot = direct.slots[0]?.['id'];
  const referral = await ers.refer([direct.service], [['intentionToAddReferralLetter', 'NEED_TO_ADD_LATER']]);
  const id = referral['id'];
  const early = await ers.on('provider', id, 'acceptReferral');
  expect([early.status, codeIn(early)]).toEqual([422, 'INVALID_STATE']);
  await ers.book(id, slot);
  const unlettered = await ers.on('provider', id, 'acceptReferral');
  expect([unlettered.status, codeIn(unlettered)]).toEqual([422, 'INVALID_REQUEST_STATE']);
  const letter = await ers.upload('gp', 'letter.txt');
  expect((await ers.on('gp', id, 'maintainReferralLetter', parameters(['attachment', letter]))).status).toBe(200);
  expect(codeIn(await ers.on('gp', id, 'maintainReferralLetter', parameters(['attachment', letter])))).toBe('NO_CHANGES_DETECTED');
  expect((await ers.post('provider', `ServiceRequest/${String(id)}/$ers.acceptReferral`)).status).toBe(400);
  expect((await ers.post('provider', `ServiceRequest/${String(id)}/$ers.acceptReferral`, undefined, ifMatch(99))).status).toBe(412);
  expect((await ers.on('provider', id, 'acceptReferral')).status).toBe(200);
  expect(codeIn(await ers.on('provider', id, 'acceptReferral'))).toBe('NO_CHANGES_DETECTED');
  expect(codeIn(await ers.on('provider', id, 'rejectReferral', parameters(['rejectionReason', 'PATIENT_ILL'])))).toBe('INVALID_CODE');
  expect(codeIn(await ers.on('provider', id, 'rejectReferral', parameters(['rejectionReason', 'NONSENSE'])))).toBe('INVALID_CODE');
  expect(
    codeIn(await ers.on('provider', id, 'rejectReferral', parameters(['rejectionReason', 'OTHER'], ['appointmentCancelledInPAS', true]))),
  ).toBe('FIELD_NOT_PERMITTED');
  const rejected = await ers.on('provider', id, 'rejectReferral', parameters(['rejectionReason', 'SERVICE_INAPPROPRIATE']));
  expect(rejected.status).toBe(200);
  expect(stateIn(rejected.json)).toBe('REJECTED');
  expect((await ers.read(`Slot/${String(slot)}`))['status']).toBe('free');
  const appointments = resourcesOf(await ers.read(`Appointment?based-on=ServiceRequest/${String(id)}`), 'Appointment');
  expect(appointments.map(({ status }) => status)).toEqual(['cancelled']);
}, 60_000);

it('A022: the provider cancels and acts later; a deferral says by when', async () => {
  const referral = await ers.refer([direct.service]);
  await ers.book(referral['id'], direct.slots[0]?.['id']);
  const answer = await ers.on(
    'provider',
    referral['id'],
    'cancelAppointmentActionLater',
    parameters(['comments', 'We call the patient.'], ['priority', 'URGENT']),
  );
  expect(answer.status).toBe(200);
  expect(stateIn(answer.json)).toBe('TRIAGED_PROVIDER_TO_ACTION');
  expect(answer.json['priority']).toBe('urgent');
  const [task] = resourcesOf(await ers.read(`Task?focus=ServiceRequest/${String(referral['id'])}`), 'Task');
  expect(JSON.stringify(task)).toContain('APPOINTMENT_DEFERRAL');
  expect((task?.['restriction'] as { period: { end: string } }).period.end).toMatch(/^\d{4}-\d{2}-\d{2}$/);
});

it('A034: cancelled with a coded reason, moved to another slot, and refused otherwise', async () => {
  const referral = await ers.refer([direct.service]);
  const [first, second] = direct.slots;
  const booked = await ers.book(referral['id'], first?.['id']);
  const path = `Appointment/${String(booked['id'])}`;
  const put = async (change: Readonly<Record<string, unknown>>, role: 'gp' | 'patient' | 'provider' = 'gp') => {
    const current = await ers.read(path);
    return server.as(role, 'PUT', path, { ...current, ...change }, ifMatch((current['meta'] as { versionId: string }).versionId));
  };
  const reason = (code: string) => ({
    status: 'cancelled',
    cancelationReason: { coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-AppointmentCancellationReason', code }] },
  });
  expect(codeIn(await put({}))).toBe('NO_CHANGES_DETECTED');
  expect(codeIn(await put({ status: 'cancelled' }))).toBe('MISSING_VALUE');
  expect(codeIn(await put(reason('SERVICE_INAPPROPRIATE')))).toBe('INVALID_CODE');
  expect(codeIn(await put(reason('PATIENT_OTHER_ENGAGEMENT')))).toBe('MISSING_VALUE');
  expect((await put({ status: 'noshow' })).status).toBe(403);
  expect(codeIn(await put({ status: 'noshow' }, 'provider'))).toBe('INVALID_REQUEST_STATE');
  const moved = await put({ slot: [{ reference: `Slot/${String(second?.['id'])}` }] }, 'patient');
  expect(moved.status).toBe(200);
  expect(moved.json['start']).toBe(second?.['start']);
  expect((await ers.read(`Slot/${String(first?.['id'])}`))['status']).toBe('free');
  expect((await put(reason('PATIENT_HOLIDAY'))).status).toBe(200);
  expect(stateIn(await ers.read(`ServiceRequest/${String(referral['id'])}`))).toBe('APPT_CANCELLED_BY_PATIENT');
  expect((await ers.read(`Slot/${String(second?.['id'])}`))['status']).toBe('free');
  expect(codeIn(await put(reason('PATIENT_HOLIDAY')))).toBe('INVALID_STATE');
}, 60_000);

it('A016 as a deferral: refused while there are slots, a Task otherwise', async () => {
  const defer = (id: unknown, code: string, more: Readonly<Record<string, unknown>> = {}) =>
    ers.post('gp', 'Appointment', {
      resourceType: 'Appointment',
      status: 'proposed',
      basedOn: [{ reference: `ServiceRequest/${String(id)}` }],
      reasonCode: [{ coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-ReviewReason', code }] }],
      participant: [{ status: 'accepted', type: [{ text: 'patient' }] }],
      ...more,
    });
  const referral = await ers.refer([direct.service]);
  expect(codeIn(await defer(referral['id'], 'NO_SLOTS_AT_SERVICE'))).toBe('SLOTS_CURRENTLY_AVAILABLE');
  const free = { slot: [{ reference: `Slot/${String(direct.slots[2]?.['id'])}` }] };
  expect(codeIn(await defer(referral['id'], 'SLOT_NOT_AVAILABLE', free))).toBe('THIS_SLOT_IS_AVAILABLE');
  expect(codeIn(await defer(referral['id'], 'TRIAGE'))).toBe('INAPPROPRIATE_VALUE');
  expect(codeIn(await defer(referral['id'], 'WHY_NOT'))).toBe('INVALID_CODE');
  const times = { start: '2030-01-07T09:00:00Z', end: '2030-01-07T09:30:00Z' };
  expect(told(await defer(referral['id'], 'NO_SLOTS_AT_SERVICE', times))).toEqual([422, 'FIELD_NOT_PERMITTED', 'Appointment.start']);
  const done = await defer(referral['id'], 'BOOKING_ATTEMPT_PROBLEM', { comment: 'The system was down.' });
  expect([done.status, done.json['resourceType']]).toEqual([201, 'Task']);
  expect(stateIn(await ers.read(`ServiceRequest/${String(referral['id'])}`))).toBe('DEFERRED_TO_PROVIDER');
  expect(codeIn(await defer(referral['id'], 'BOOKING_ATTEMPT_PROBLEM'))).toBe('INVALID_STATE');
}, 60_000);

it('a deferral for want of slots looks for those that A015 shows for the priority', async () => {
  const urgent = async () => {
    const query = `Slot?schedule.actor:HealthcareService=${direct.service}&appointmentType=URGENT&status=free&start=ge${new Date().toISOString()}`;
    return resourcesOf((await server.as('system', 'GET', `${query}&_count=100`)).json, 'Slot');
  };
  const defer = async () =>
    ers.post('gp', 'Appointment', {
      resourceType: 'Appointment',
      status: 'proposed',
      basedOn: [{ reference: `ServiceRequest/${String((await ers.refer([direct.service], [['priority', 'URGENT']]))['id'])}` }],
      reasonCode: [{ coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-ReviewReason', code: 'NO_SLOTS_AT_SERVICE' }] }],
      participant: [{ status: 'accepted', type: [{ text: 'patient' }] }],
    });
  const kept = await urgent();
  expect(kept.length).toBeGreaterThan(0);
  expect(codeIn(await defer())).toBe('SLOTS_CURRENTLY_AVAILABLE');
  for (const slot of kept)
    expect((await server.as('system', 'PUT', `Slot/${String(slot['id'])}`, { ...slot, status: 'busy-unavailable' })).status).toBe(200);
  expect(await urgent()).toEqual([]);
  expect((await defer()).status).toBe(201);
  for (const slot of kept) await server.as('system', 'PUT', `Slot/${String(slot['id'])}`, slot);
}, 60_000);

it('an appointment is no longer than its slot', async () => {
  const slot = (await ers.freeSlots(direct.service, 20)).at(-1);
  const { id } = await ers.refer([direct.service]);
  const long = await ers.post('gp', 'Appointment', ers.appointment(id, slot?.['id'], { minutesDuration: 500 }));
  expect(told(long)).toEqual([422, 'INVALID_VALUE', 'Appointment.minutesDuration']);
  expect((await ers.post('gp', 'Appointment', ers.appointment(id, slot?.['id'], { minutesDuration: 5 }))).status).toBe(201);
});

it('an indirectly bookable service is not booked here', async () => {
  const referral = await ers.refer([indirect, direct.service]);
  expect(stateIn(referral)).toBe('NOT_BOOKED');
  const wrong = await ers.post(
    'gp',
    'Appointment',
    ers.appointment(referral['id'], direct.slots[2]?.['id'], { start: '2020-01-01T09:00:00Z', end: '2020-01-01T09:20:00Z' }),
  );
  expect([wrong.status, codeIn(wrong)]).toEqual([422, 'INAPPROPRIATE_SLOT']);
});

it('A021, A028, A029, A036: triage, its outcome, and the actions that follow from the table', async () => {
  const answer = await ers.post(
    'gp',
    'ServiceRequest/$ers.createReferralAndSendForTriage',
    parameters(['patient', nhsNumber], ...shortlist(triage)),
  );
  expect(answer.status).toBe(201);
  const id = answer.json['id'];
  const actions = async (role: 'gp' | 'provider'): Promise<readonly string[]> => {
    const found = await server.as(role, 'GET', `Task?focus=ServiceRequest/${String(id)}&intent=proposal&status=ready`);
    expect(found.status).toBe(200);
    return resourcesOf(found.json, 'Task').map(({ code }) => String((code as { coding: { code: string }[] }).coding[0]?.code));
  };
  expect(await actions('gp')).toEqual(['CHANGE_SHORTLIST', 'CHANGE_SHORTLIST_AND_SEND_FOR_TRIAGE', 'CANCEL_REFERRAL']);
  expect(await actions('provider')).toEqual(['RECORD_REVIEW_OUTCOME', 'CANCEL_REFERRAL']);
  const review = (...pairs: readonly (readonly [string, unknown])[]) => ers.on('provider', id, 'recordReviewOutcome', parameters(...pairs));
  expect(codeIn(await review(['reviewOutcome', 'MAYBE'], ['reviewComments', 'x']))).toBe('INVALID_CODE');
  expect(codeIn(await review(['reviewOutcome', 'ACCEPT_REFER_BOOK_LATER'], ['reviewComments', 'x']))).toBe('MISSING_VALUE');
  expect(
    codeIn(await review(['reviewOutcome', 'RETURN_TO_REFERRER_WITH_ADVICE'], ['reviewComments', 'x'], ['reviewPriority', 'URGENT'])),
  ).toBe('PRIORITY_NOT_CURRENT');
  expect(codeIn(await ers.on('provider', id, 'cancelReferral', parameters(['cancellationReason', 'TRIAGE_ENDED'])))).toBe(
    'INAPPROPRIATE_VALUE',
  );
  const accepted = await review(['reviewOutcome', 'ACCEPT_REFER_BOOK_LATER'], ['reviewComments', 'We call.'], ['reviewPriority', 'URGENT']);
  expect([accepted.status, stateIn(accepted.json)]).toEqual([200, 'TRIAGED_PROVIDER_TO_ACTION']);
  expect(await actions('provider')).toEqual(['CANCEL_REFERRAL']);
  const cancelled = await ers.on('provider', id, 'cancelReferral', parameters(['cancellationReason', 'TRIAGE_ENDED']));
  expect([cancelled.status, cancelled.json['resourceType']]).toEqual([200, 'Parameters']);
  expect(await actions('gp')).toEqual([]);
  const open = resourcesOf(await ers.read(`Task?focus=ServiceRequest/${String(id)}&status=requested`), 'Task');
  expect(open).toEqual([]);
}, 60_000);

it('A031: another shortlist, the same one refused, none while booked', async () => {
  const referral = await ers.refer([direct.service]);
  const change = (...ids: readonly string[]) => ers.on('gp', referral['id'], 'changeShortlist', parameters(...shortlist(...ids)));
  expect(codeIn(await change(direct.service))).toBe('NO_CHANGES_DETECTED');
  expect((await change(direct.service, triage)).status).toBe(200);
  await ers.book(referral['id'], direct.slots[2]?.['id']);
  expect(codeIn(await change(direct.service))).toBe('INVALID_STATE');
  const cancelled = await ers.on('gp', referral['id'], 'cancelReferral', parameters(['cancellationReason', 'INTEND_PRIVATE']));
  expect(cancelled.status).toBe(200);
  expect(cancelled.text).toContain('updatedAppointment');
  expect((await ers.read(`Slot/${String(direct.slots[2]?.['id'])}`))['status']).toBe('free');
}, 60_000);

it('holds: busy for others, booked by the holder, renewed once, released', async () => {
  const slot = String(direct.slots[1]?.['id']);
  expect((await ers.post('patient', `Slot/${slot}/$hold`)).status).toBe(200);
  expect((await ers.read(`Slot/${slot}`))['status']).toBe('busy-tentative');
  const referral = await ers.refer([direct.service]);
  const other = await ers.post('gp', 'Appointment', ers.appointment(referral['id'], slot));
  expect([other.status, codeIn(other)]).toEqual([409, 'SLOT_NOT_AVAILABLE']);
  expect((await ers.post('gp', `Slot/${slot}/$hold`)).status).toBe(409);
  expect(codeIn(await ers.post('gp', `Slot/${slot}/$release`))).toBe('INVALID_STATE');
  expect((await ers.post('patient', `Slot/${slot}/$hold`)).status).toBe(200);
  expect((await ers.post('patient', `Slot/${slot}/$hold`)).status).toBe(409);
  expect((await ers.post('patient', 'Appointment', ers.appointment(referral['id'], slot))).status).toBe(201);
  await ers.on('gp', referral['id'], 'cancelReferral', parameters(['cancellationReason', 'RAISED_IN_ERROR']));
  expect((await ers.read(`Slot/${slot}`))['status']).toBe('free');
  expect((await ers.post('gp', `Slot/${slot}/$hold`)).status).toBe(200);
  expect((await ers.post('gp', `Slot/${slot}/$release`)).status).toBe(200);
  expect((await ers.read(`Slot/${slot}`))['status']).toBe('free');
}, 60_000);

it('A012: names are unique and fit their type', async () => {
  const referral = await ers.refer([direct.service]);
  const [one, two, wrong, odd] = await Promise.all([
    ers.upload('gp', 'a.txt'),
    ers.upload('gp', 'a.txt'),
    ers.upload('gp', 'a.pdf'),
    ers.upload('gp', 'a.exe'),
  ]);
  const maintain = (...documents: readonly unknown[]) =>
    ers.on('gp', referral['id'], 'maintainReferralLetter', parameters(...documents.map((document) => ['attachment', document] as const)));
  expect(codeIn(await maintain())).toBe('MISSING_VALUE');
  expect(codeIn(await maintain(one, two))).toBe('DUPLICATE_FILENAME');
  expect(codeIn(await maintain(wrong))).toBe('CONFLICTING_VALUES');
  expect(codeIn(await maintain(odd))).toBe('INVALID_VALUE');
  expect((await maintain(one)).status).toBe(200);
}, 60_000);

it('A007 and A019: PDFs; no code without an access code', async () => {
  const referral = await ers.refer([direct.service]);
  const cri = await ers.post('provider', `ServiceRequest/${String(referral['id'])}/$ers.generateCRI`);
  expect([cri.status, cri.headers.get('content-type')]).toEqual([200, 'application/pdf']);
  expect(cri.text.startsWith('%PDF-')).toBe(true);
  expect((await ers.post('gp', `ServiceRequest/${String(referral['id'])}/$ers.generatePatientLetter`)).status).toBe(200);
  expect((await ers.post('provider', `ServiceRequest/${String(referral['id'])}/$ers.generatePatientLetter`)).status).toBe(403);
}, 60_000);
