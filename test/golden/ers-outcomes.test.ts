/**
 * What each rule of e-RS says to who breaks it, as files to review: status and OperationOutcome, operation by operation (e-RS facts, A004 to
 * A044). `UPDATE_GOLDEN=1` writes them anew.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ersOf, ifMatch, nhsNumber, parameters } from '../helpers/ers.js';
import { type Answer, type Role, suiteServer } from '../helpers/running-server.js';

const folder = path.join(__dirname, 'outcomes', 'ers');
const updates = process.env['UPDATE_GOLDEN'] === '1';

type Json = Readonly<Record<string, unknown>>;
type Pair = readonly [string, unknown];
type World = {
  readonly clinic: string;
  readonly slots: readonly Json[];
  readonly otherSlot: unknown;
  readonly triage: string;
  readonly advice: string;
  readonly specialty: string;
  readonly clinicType: string;
};

const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let world: World;

const codeOf = (resource: Json | undefined, element: string, system: string): string =>
  (resource?.[element] as readonly { coding: readonly { system: string; code: string }[] }[])
    .flatMap(({ coding }) => coding)
    .find((coding) => coding.system.endsWith(system))?.code ?? '';

beforeAll(async () => {
  ers = ersOf(server);
  const { service: clinic } = await ers.withSlots();
  // the last of many: bookings on the way take the first
  const slots = (await ers.freeSlots(clinic, 40)).slice(-3);
  const resource = await ers.read(`HealthcareService/${clinic}`);
  const others = (await ers.services('DIRECTLY_BOOKABLE')).filter(({ id }) => id !== clinic);
  const otherSlots = await Promise.all(others.map(({ id }) => ers.freeSlots(String(id), 1)));
  world = {
    clinic,
    slots,
    otherSlot: otherSlots.flat()[0]?.['id'],
    triage: String((await ers.services('REVIEW'))[0]?.['id']),
    advice: String((await ers.services('ADVICE_AND_GUIDANCE'))[0]?.['id']),
    specialty: codeOf(resource, 'specialty', 'eRS-Specialty'),
    clinicType: codeOf(resource, 'category', 'eRS-ClinicType'),
  };
}, 120_000);
jest.setTimeout(60_000);

const shown = ({ status, text, json }: Answer): string =>
  `${JSON.stringify({ status, body: text === '' ? '' : json }, null, 2)
    .replaceAll(server.base, '[base]')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '[uuid]')}\n`;

const shortlist = (...ids: readonly string[]): readonly Pair[] => ids.map((id) => ['shortlist', `HealthcareService/${id}`] as const);
const patient: Pair = ['patient', nhsNumber];
const long = (length: number) => 'x'.repeat(length);

const onType = (role: Role, operation: string, ...pairs: readonly Pair[]) =>
  ers.post(role, `ServiceRequest/$ers.${operation}`, parameters(...pairs));
const refer = async (...more: readonly Pair[]) => (await ers.refer([world.clinic], more))['id'];
const booked = async (...more: readonly Pair[]) => {
  const id = await refer(...more);
  const [slot] = await ers.freeSlots(world.clinic, 1);
  return { id, appointment: await ers.book(id, slot?.['id']) };
};
const triaged = async () => (await onType('gp', 'createReferralAndSendForTriage', patient, ...shortlist(world.triage))).json['id'];
const asked = async (...more: readonly Pair[]) => {
  const answer = await onType(
    'gp',
    'createAdviceAndGuidance',
    patient,
    ...shortlist(world.advice),
    ['adviceRequestText', 'Which?'],
    ...more,
  );
  return (answer.json['parameter'] as readonly { resource: Json }[])[0]?.resource['id'];
};

const code = (name: string, valueCode: string) => ({ name, valueCode });
const search = (criteria: readonly Json[], ...more: readonly Pair[]) =>
  ers.post(
    'gp',
    'HealthcareService/$ers.searchHealthcareServicesForPatient',
    parameters(['requestType', 'APPOINTMENT_REQUEST'], patient, ['searchCriteria', [code('priority', 'ROUTINE'), ...criteria]], ...more),
  );
const clinicCriteria = () => [code('specialty', world.specialty), code('clinicType', world.clinicType)];

const defer = async (reason: string | undefined, more: Json = {}, id?: unknown) =>
  ers.post('gp', 'Appointment', {
    resourceType: 'Appointment',
    status: 'proposed',
    basedOn: [{ reference: `ServiceRequest/${String(id ?? (await refer()))}` }],
    ...(reason === undefined
      ? {}
      : { reasonCode: [{ coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-ReviewReason', code: reason }] }] }),
    participant: [{ actor: { reference: `HealthcareService/${world.clinic}` }, status: 'accepted' }],
    ...more,
  });
const book = async (more: Json, slot = world.slots[0]?.['id']) => ers.post('gp', 'Appointment', ers.appointment(await refer(), slot, more));
const actor = (value: Json) => ({ participant: [{ actor: value, status: 'accepted' }] });
const change = async (more: Json) => {
  const { appointment } = await booked();
  return server.as('gp', 'PUT', `Appointment/${String(appointment['id'])}`, { ...appointment, ...more }, ifMatch(1));
};
const why = (reason: string) => ({
  status: 'cancelled',
  cancelationReason: { coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-AppointmentCancellationReason', code: reason }] },
});
const reply = async (...pairs: readonly Pair[]) => ers.on('provider', await asked(), 'sendCommunicationToRequester', parameters(...pairs));
const review = async (...pairs: readonly Pair[]) => ers.on('provider', await triaged(), 'recordReviewOutcome', parameters(...pairs));
const comments: Pair = ['reviewComments', 'x'];

const cases: Readonly<Record<string, () => Promise<Answer>>> = {
  'A004-unknown': () => server.as('gp', 'GET', 'CodeSystem/NONSENSE'),
  'A008-no-list': () => onType('gp', 'fetchworklist'),
  'A008-unknown-list': () => onType('gp', 'fetchworklist', ['listType', 'NONSENSE']),
  'A008-of-the-other-side': () => onType('gp', 'fetchworklist', ['listType', 'REFERRALS_FOR_REVIEW']),
  'A008-app-without-service': () => onType('app', 'fetchworklist', ['listType', 'REFERRALS_FOR_REVIEW']),
  'A008-unknown-service': () =>
    onType('provider', 'fetchworklist', ['listType', 'REFERRALS_FOR_REVIEW'], ['service', 'HealthcareService/no']),
  'A008-unknown-location': () => onType('provider', 'fetchworklist', ['listType', 'REFERRALS_FOR_REVIEW'], ['location', 'Location/no']),
  'A008-unknown-specialty': () => onType('provider', 'fetchworklist', ['listType', 'REFERRALS_FOR_REVIEW'], ['specialty', 'MAGIC']),
  'A008-assigned-indicator': () =>
    onType('provider', 'fetchworklist', ['listType', 'REFERRALS_FOR_REVIEW'], ['clinicianAssignedIndicator', 'MAYBE']),
  'A008-clinician-of-the-unassigned': () =>
    onType(
      'provider',
      'fetchworklist',
      ['listType', 'REFERRALS_FOR_REVIEW'],
      ['clinicianAssignedIndicator', 'NOT_ASSIGNED'],
      ['clinician', 'Practitioner/555032006106'],
    ),
  'A008-filter-of-a-referrer': () =>
    onType('gp', 'fetchworklist', ['listType', 'AWAITING_BOOKING'], ['service', `HealthcareService/${world.clinic}`]),
  'A010-no-priority': () =>
    ers.post(
      'gp',
      'HealthcareService/$ers.searchHealthcareServicesForPatient',
      parameters(['requestType', 'APPOINTMENT_REQUEST'], patient, ['searchCriteria', clinicCriteria()]),
    ),
  'A010-nothing-to-search-by': () => search([]),
  'A010-specialty-alone': () => search([code('specialty', world.specialty)]),
  'A010-clinic-type-alone': () => search([code('clinicType', world.clinicType)]),
  'A010-specialty-over': () => search([code('specialty', 'ADULT_MENTAL_ILLNESS'), code('clinicType', world.clinicType)]),
  'A010-clinic-type-code': () => search([code('specialty', world.specialty), code('clinicType', 'MAGIC')]),
  'A010-clinical-term': () => search([code('clinicalTerm', '12345')]),
  'A010-bookable-type': () => search([...clinicCriteria(), code('bookableType', 'MAYBE')]),
  'A010-request-flow': () => search([...clinicCriteria(), code('requestFlowType', 'MAYBE')]),
  'A010-flow-of-advice': () => search([...clinicCriteria(), code('requestFlowType', 'ADVICE_AND_GUIDANCE')]),
  'A010-distance-without-postcode': () => search([...clinicCriteria(), { name: 'distanceLimit', valueUnsignedInt: 5 }]),
  'A010-negative-distance': () => search([...clinicCriteria(), { name: 'distanceLimit', valueInteger: -5 }]),
  'A010-postcode': () => search([...clinicCriteria(), { name: 'postcode', valueString: 'ZZ99 9ZZ' }]),
  'A010-wait-of-two-weeks': () =>
    ers.post(
      'gp',
      'HealthcareService/$ers.searchHealthcareServicesForPatient',
      parameters(['requestType', 'APPOINTMENT_REQUEST'], patient, [
        'searchCriteria',
        [code('priority', 'TWO_WEEK_WAIT'), ...clinicCriteria(), { name: 'indicativeAppointmentWaitTimeLimit', valueUnsignedInt: 5 }],
      ]),
    ),
  'A010-sort': () => search(clinicCriteria(), ['sortBy', 'NAME']),
  'A010-clinician-names-another': () => search(clinicCriteria(), ['referringClinician', 'Practitioner/021600556514']),
  'A010-commissioner': () => search(clinicCriteria(), ['commissioningRuleOrganisation', 'Organization/NOPE']),
  'A011-no-patient': () => onType('gp', 'createReferral', ...shortlist(world.clinic)),
  'A011-unknown-patient': () => onType('gp', 'createReferral', ['patient', 'Patient/nobody'], ...shortlist(world.clinic)),
  'A011-unknown-service': () => onType('gp', 'createReferral', patient, ...shortlist('nothing')),
  'A011-service-twice': () => onType('gp', 'createReferral', patient, ...shortlist(world.clinic, world.clinic)),
  'A011-service-for-advice': () => onType('gp', 'createReferral', patient, ...shortlist(world.advice)),
  'A011-too-many-services': () => onType('gp', 'createReferral', patient, ...shortlist(...Array.from({ length: 21 }, () => world.clinic))),
  'A011-priority': () => onType('gp', 'createReferral', patient, ...shortlist(world.clinic), ['priority', 'SOON']),
  'A011-intention': () => onType('gp', 'createReferral', patient, ...shortlist(world.clinic), ['intentionToAddReferralLetter', 'MAYBE']),
  'A011-pathway-in-the-future': () =>
    ers.post('gp', 'ServiceRequest/$ers.createReferral', {
      resourceType: 'Parameters',
      parameter: [
        ...parameters(patient, ...shortlist(world.clinic)).parameter,
        { name: 'eReferralPathwayStart', valueDateTime: '2099-01-01T00:00:00Z' },
      ],
    }),
  'A011-priority-against-the-search': () =>
    onType(
      'gp',
      'createReferral',
      patient,
      ...shortlist(world.clinic),
      ['priority', 'URGENT'],
      ['searchCriteria', [code('priority', 'ROUTINE'), ...clinicCriteria()]],
    ),
  'A011-not-in-results': () =>
    onType('gp', 'createReferral', patient, ...shortlist(world.clinic), [
      'searchCriteria',
      [...clinicCriteria(), { name: 'organisation', valueReference: { identifier: { value: 'R69' } } }],
    ]),
  'A011-ubrn-of-the-client': () =>
    ers.post('gp', 'ServiceRequest', {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/UBRN', value: '000000070002' }],
      subject: { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9912003888' } },
    }),
  'A012-no-attachment': async () => ers.on('gp', await refer(), 'maintainReferralLetter', parameters()),
  'A012-of-an-executable': async () =>
    ers.on('gp', await refer(), 'maintainReferralLetter', parameters(['attachment', await ers.upload('gp', 'a.exe')])),
  'A012-of-another-type': async () =>
    ers.on('gp', await refer(), 'maintainReferralLetter', parameters(['attachment', await ers.upload('gp', 'a.pdf')])),
  'A012-names-twice': async () => {
    const one = await ers.upload('gp', 'a.txt');
    const two = await ers.upload('gp', 'a.txt');
    return ers.on('gp', await refer(), 'maintainReferralLetter', parameters(['attachment', one], ['attachment', two]));
  },
  'A013-not-booked': async () => ers.on('provider', await refer(), 'acceptReferral'),
  'A013-without-the-letter': async () =>
    ers.on('provider', (await booked(['intentionToAddReferralLetter', 'NEED_TO_ADD_LATER'])).id, 'acceptReferral'),
  'A013-no-if-match': async () => ers.post('provider', `ServiceRequest/${String(await refer())}/$ers.acceptReferral`),
  'A013-stale': async () => ers.post('provider', `ServiceRequest/${String(await refer())}/$ers.acceptReferral`, undefined, ifMatch(99)),
  'A013-of-advice': async () => ers.on('provider', await asked(), 'acceptReferral'),
  'A014-reason-of-a-patient': async () =>
    ers.on('provider', (await booked()).id, 'rejectReferral', parameters(['rejectionReason', 'PATIENT_ILL'])),
  'A014-cancelled-in-pas': async () =>
    ers.on(
      'provider',
      (await booked()).id,
      'rejectReferral',
      parameters(['rejectionReason', 'OTHER'], ['appointmentCancelledInPAS', true]),
    ),
  'A014-long-comment': async () =>
    ers.on('provider', (await booked()).id, 'rejectReferral', parameters(['rejectionReason', 'OTHER'], ['rejectionComments', long(2001)])),
  'A016-no-referral': () => ers.post('gp', 'Appointment', ers.appointment('r.none', world.slots[0]?.['id'])),
  'A016-stale-referral': async () => book({ basedOn: [{ reference: `ServiceRequest/${String(await refer())}/_history/9` }] }),
  'A016-unknown-slot': () => book({}, 'none'),
  'A016-slot-off-the-shortlist': () => book({}, world.otherSlot),
  'A016-other-start': () => book({ start: '2026-01-01T09:00:00Z', end: '2026-01-01T09:30:00Z' }),
  'A016-other-clinician': () => book(actor({ reference: 'Practitioner/021600556514' })),
  'A016-other-service-by-number': () => book(actor({ identifier: { system: 'https://fhir.nhs.uk/Id/ers-service', value: world.triage } })),
  'A016-unknown-number': () => book(actor({ identifier: { system: 'https://fhir.nhs.uk/Id/ers-service', value: '999999' } })),
  'A016-status': () => book({ status: 'pending' }),
  'A016-of-advice': async () => ers.post('gp', 'Appointment', ers.appointment(await asked(), world.slots[0]?.['id'])),
  'A016-already-booked': async () => ers.post('gp', 'Appointment', ers.appointment((await booked()).id, world.slots[0]?.['id'])),
  'A016-defer-without-reason': () => defer(undefined),
  'A016-defer-unknown-reason': () => defer('WHY_NOT'),
  'A016-defer-while-there-are-slots': () => defer('NO_SLOTS_AT_SERVICE'),
  'A016-defer-with-a-slot': () => defer('NO_SLOTS_AT_SERVICE', { slot: [{ reference: `Slot/${String(world.slots[1]?.['id'])}` }] }),
  'A016-defer-for-a-free-slot': () => defer('SLOT_NOT_AVAILABLE', { slot: [{ reference: `Slot/${String(world.slots[1]?.['id'])}` }] }),
  'A016-defer-for-no-slot': () => defer('SLOT_NOT_AVAILABLE', { slot: [{ reference: 'Slot/none' }] }),
  'A016-defer-for-the-slot-of-another': () => defer('SLOT_NOT_AVAILABLE', { slot: [{ reference: `Slot/${String(world.otherSlot)}` }] }),
  'A016-defer-long-comment': () => defer('BOOKING_ATTEMPT_PROBLEM', { comment: long(1001) }),
  'A016-triage-where-none-is-done': () => defer('TRIAGE'),
  'A016-triage-twice': async () => defer('TRIAGE', actor({ reference: `HealthcareService/${world.triage}` }), await triaged()),
  'A019-of-advice': async () => ers.post('gp', `ServiceRequest/${String(await asked())}/$ers.generatePatientLetter`),
  'A021-no-triage-service': () => onType('gp', 'createReferralAndSendForTriage', patient, ...shortlist(world.clinic)),
  'A022-long-comment': async () =>
    ers.on('provider', (await booked()).id, 'cancelAppointmentActionLater', parameters(['comments', long(2001)])),
  'A022-priority': async () =>
    ers.on('provider', (await booked()).id, 'cancelAppointmentActionLater', parameters(['comments', 'x'], ['priority', 'SOON'])),
  'A026-outcome': () => reply(['guidance', 'x'], ['guidanceOutcome', 'MAYBE']),
  'A026-no-recommendation': () => reply(['guidance', 'x'], ['guidanceOutcome', 'RETURN_TO_REFERRER_WITH_ADVICE']),
  'A026-recommendation': () =>
    reply(['guidance', 'x'], ['guidanceOutcome', 'RETURN_TO_REFERRER_WITH_ADVICE'], ['guidanceIntendedRecommendation', 'MAYBE']),
  'A026-recommendation-not-asked': () =>
    reply(['guidance', 'x'], ['guidanceOutcome', 'REQUIRE_FURTHER_INFORMATION'], ['guidanceIntendedRecommendation', 'OTHER']),
  'A026-unauthorised-conversion': () => reply(['guidance', 'x'], ['guidanceOutcome', 'PROVIDER_CONVERTED']),
  'A026-of-a-referral': async () =>
    ers.on(
      'provider',
      await refer(),
      'sendCommunicationToRequester',
      parameters(['guidance', 'x'], ['guidanceOutcome', 'REQUIRE_FURTHER_INFORMATION']),
    ),
  'A027-unauthorised': async () => ers.on('provider', await asked(), 'createFromCommunicationRequestActionLater', parameters(comments)),
  'A027-unsupported-priority': async () =>
    ers.on(
      'provider',
      await asked(['providerConversionAuthorisation', 'AUTHORISED_TO_CONVERT']),
      'createFromCommunicationRequestActionLater',
      parameters(comments, ['newReferralPriority', 'TWO_WEEK_WAIT']),
    ),
  'A027-of-another-request': async () =>
    ers.on(
      'provider',
      await asked(['providerConversionAuthorisation', 'AUTHORISED_TO_CONVERT']),
      'createFromCommunicationRequestActionLater',
      parameters(comments, ['communicationRequest', 'ServiceRequest/a.other']),
    ),
  'A028-outcome': () => review(['reviewOutcome', 'CANCEL_APPOINTMENT_ACTION_LATER'], comments),
  'A028-no-priority': () => review(['reviewOutcome', 'ACCEPT_REFER_BOOK_LATER'], comments),
  'A028-priority-not-current': () => review(['reviewOutcome', 'RETURN_TO_REFERRER_WITH_ADVICE'], comments, ['reviewPriority', 'URGENT']),
  'A029-no-focus': () => server.as('gp', 'GET', 'Task?intent=proposal&status=ready'),
  'A029-stale': async () =>
    server.as('gp', 'GET', `Task?focus=ServiceRequest/${String(await refer())}/_history/9&intent=proposal&status=ready`),
  'A031-same': async () => ers.on('gp', await refer(), 'changeShortlist', parameters(...shortlist(world.clinic))),
  'A031-booked': async () => ers.on('gp', (await booked()).id, 'changeShortlist', parameters(...shortlist(world.triage))),
  'A032-same': async () => ers.on('gp', await triaged(), 'changeShortlistAndSendForTriage', parameters(...shortlist(world.triage))),
  'A032-no-triage-service': async () =>
    ers.on('gp', await refer(), 'changeShortlistAndSendForTriage', parameters(...shortlist(world.clinic))),
  'A034-no-reason': () => change({ status: 'cancelled' }),
  'A034-reason-of-a-provider': () => change(why('SERVICE_INAPPROPRIATE')),
  'A034-comment-missing': () => change(why('PATIENT_OTHER_ENGAGEMENT')),
  'A034-nothing-changes': () => change({}),
  'A036-unknown-reason': async () => ers.on('gp', await refer(), 'cancelReferral', parameters(['cancellationReason', 'NONSENSE'])),
  'A036-reason-of-triage': async () =>
    ers.on('provider', await triaged(), 'cancelReferral', parameters(['cancellationReason', 'TRIAGE_ENDED'])),
  'A036-comment-missing': async () =>
    ers.on('gp', await refer(), 'cancelReferral', parameters(['cancellationReason', 'PATIENT_REQUEST_CANCELLATION_OTHER'])),
  'A040-not-an-administrator': () => server.as('gp', 'GET', 'Practitioner?_query=onBehalfOf'),
  'A044-two-services': () =>
    onType('gp', 'createAdviceAndGuidance', patient, ...shortlist(world.advice, world.advice), ['adviceRequestText', 'x']),
  'A044-long-text': () => onType('gp', 'createAdviceAndGuidance', patient, ...shortlist(world.advice), ['adviceRequestText', long(8001)]),
  'A044-authorisation': () =>
    onType(
      'gp',
      'createAdviceAndGuidance',
      patient,
      ...shortlist(world.advice),
      ['adviceRequestText', 'x'],
      ['providerConversionAuthorisation', 'MAYBE'],
    ),
  'hold-twice': async () => {
    const [slot] = await ers.freeSlots(world.clinic, 1);
    const url = `Slot/${String(slot?.['id'])}`;
    for (const _ of [1, 2]) await ers.post('patient', `${url}/$hold`);
    return ers.post('patient', `${url}/$hold`);
  },
};

it.each(Object.entries(cases))('%s', async (name, ask) => {
  const answer = await ask();
  expect(answer.status).toBeGreaterThanOrEqual(400);
  const text = shown(answer).replaceAll(/r\.\[uuid\]|a\.\[uuid\]/g, '[request]');
  const file = path.join(folder, `${name}.json`);
  if (updates) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, text);
  }
  expect(text).toBe(existsSync(file) ? readFileSync(file, 'utf8') : '');
});
