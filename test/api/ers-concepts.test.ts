/** A concept of the reference data that is changed changes the rule that reads it: nothing of it stands in code beside. */
import { codeIn, ersOf, ifMatch, nhsNumber, parameters, stateIn } from '../helpers/ers.js';
import { resourcesOf, suiteServer } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;
type Concept = { readonly code: string; readonly property?: readonly Json[] };

const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let bookable: string;
let advice: string;
beforeAll(async () => {
  ers = ersOf(server);
  bookable = (await ers.withSlots()).service;
  advice = String((await ers.services('ADVICE_AND_GUIDANCE'))[0]?.['id']);
}, 120_000);

const changed: (readonly [string, Json])[] = [];
afterEach(async () => {
  for (const [id, before] of changed.splice(0))
    await server.as('system', 'PUT', `CodeSystem/${id}`, before, ifMatch(await ers.versionOf(`CodeSystem/${id}`)));
});

/** Gives a code other values of a property, for one test. */
const change = async (id: string, code: string, name: string, ...values: readonly Json[]): Promise<void> => {
  const before = await ers.read(`CodeSystem/${id}`);
  changed.push([id, before]);
  const concept = (before['concept'] as readonly Concept[]).map(({ property = [], ...one }) => {
    if (one.code !== code) return { ...one, ...(property.length === 0 ? {} : { property }) };
    const next = [...property.filter((kept) => kept['code'] !== name), ...values.map((value) => ({ code: name, ...value }))];
    return { ...one, ...(next.length === 0 ? {} : { property: next }) };
  });
  const answer = await server.as(
    'system',
    'PUT',
    `CodeSystem/${id}`,
    { ...before, concept },
    ifMatch(await ers.versionOf(`CodeSystem/${id}`)),
  );
  expect([answer.status, answer.text]).toEqual([200, answer.text]);
};

const plain = (priority: string) =>
  ers.post('gp', 'ServiceRequest', {
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    priority,
    subject: { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9912003888' } },
    performer: [{ reference: `HealthcareService/${bookable}` }],
  });
const ersPriority = (request: Json): string => {
  const found = (request['extension'] as readonly Json[]).find(({ url }) => String(url).endsWith('Extension-ServiceRequest-Priority'));
  return String((found?.['valueCoding'] as Json)['code']);
};

describe('PRIORITY', () => {
  it.each([
    ['routine', 'ROUTINE'],
    ['urgent', 'URGENT'],
    ['asap', 'TWO_WEEK_WAIT'],
    ['stat', 'TWO_WEEK_WAIT'],
  ])('requestPriority: %s is %s', async (priority, code) => {
    const made = await plain(priority);
    expect([made.status, ersPriority(made.json), made.json['priority']]).toEqual([201, code, priority === 'stat' ? 'asap' : priority]);
  });

  it('requestPriority of another code: the plain request gets that code', async () => {
    await change('PRIORITY', 'TWO_WEEK_WAIT', 'requestPriority', { valueCode: 'stat' });
    await change('PRIORITY', 'URGENT', 'requestPriority', { valueCode: 'asap' });
    expect(ersPriority((await plain('asap')).json)).toBe('URGENT');
    const none = await plain('urgent');
    expect([none.status, codeIn(none)]).toEqual([422, 'INVALID_CODE']);
  });

  it('waitLimit: a search limits the wait where the concept lets it', async () => {
    const searched = (code: string) =>
      ers.post(
        'gp',
        'HealthcareService/$ers.searchHealthcareServicesForPatient',
        parameters(
          ['requestType', 'APPOINTMENT_REQUEST'],
          ['sortBy', 'IWT'],
          ['patient', nhsNumber],
          [
            'searchCriteria',
            [
              { name: 'priority', valueCode: code },
              { name: 'ageAndGenderAppropriate', valueBoolean: false },
              { name: 'specialty', valueCode: 'CARDIOLOGY' },
              { name: 'clinicType', valueCode: 'ARRHYTHMIA' },
              { name: 'indicativeAppointmentWaitTimeLimit', valueUnsignedInt: 100 },
            ],
          ],
        ),
      );
    expect(codeIn(await searched('TWO_WEEK_WAIT'))).toBe('CONFLICTING_VALUES');
    await change('PRIORITY', 'TWO_WEEK_WAIT', 'waitLimit');
    await change('PRIORITY', 'URGENT', 'waitLimit', { valueBoolean: false });
    expect((await searched('TWO_WEEK_WAIT')).status).toBe(200);
    expect(codeIn(await searched('URGENT'))).toBe('CONFLICTING_VALUES');
  });

  it('triageContactDays: the day of contact follows', async () => {
    await change('PRIORITY', 'ROUTINE', 'triageContactDays');
    const triage = String((await ers.services('REVIEW'))[0]?.['id']);
    const body = parameters(['patient', nhsNumber], ['shortlist', `HealthcareService/${triage}`]);
    const made = await ers.post('gp', 'ServiceRequest/$ers.createReferralAndSendForTriage', body);
    const url = `Task?focus=ServiceRequest/${String(made.json['id'])}&status=requested`;
    const [task] = resourcesOf((await server.as('system', 'GET', url)).json, 'Task');
    expect([task?.['status'], task?.['restriction']]).toEqual(['requested', undefined]);
  });
});

it('fromState of a type of cancellation reasons: a referral of any state ends with it once the type names none', async () => {
  const { id } = await ers.refer([bookable]);
  const body = parameters(['cancellationReason', 'TRIAGE_ENDED']);
  expect(codeIn(await ers.on('provider', id, 'cancelReferral', body))).toBe('INAPPROPRIATE_VALUE');
  await change('eRS-AppointmentRequestCancellationReasonType', 'PROVIDER_TRIAGE', 'fromState');
  expect((await ers.on('provider', id, 'cancelReferral', body)).status).toBe(200);
});

it('commentIsMandatory, businessFunction and referrerUsage of a cancellation reason', async () => {
  const { id } = await ers.refer([bookable]);
  const cancel = () => ers.on('gp', id, 'cancelReferral', parameters(['cancellationReason', 'RAISED_IN_ERROR']));
  await change('REFERRAL-CANCELLATION-REASON', 'RAISED_IN_ERROR', 'commentIsMandatory', { valueBoolean: true });
  expect(codeIn(await cancel())).toBe('MISSING_VALUE');
  await change('REFERRAL-CANCELLATION-REASON', 'RAISED_IN_ERROR', 'businessFunction');
  expect(codeIn(await cancel())).toBe('INAPPROPRIATE_VALUE');
  await change('REFERRAL-CANCELLATION-REASON', 'RAISED_IN_ERROR', 'referrerUsage');
  expect(codeIn(await cancel())).toBe('INVALID_CODE');
});

it('businessFunction of a worklist: who is taken off its concept may not fetch it, who is put there may', async () => {
  const fetch = (role: 'gp' | 'provider') =>
    ers.post(role, 'ServiceRequest/$ers.fetchworklist', parameters(['listType', 'AWAITING_BOOKING']));
  expect([(await fetch('gp')).status, (await fetch('provider')).status]).toEqual([200, 403]);
  const system = 'https://fhir.nhs.uk/CodeSystem/eRS-BusinessFunction-1';
  await change('eRS-ReferralListSelector', 'AWAITING_BOOKING', 'businessFunction', {
    valueCoding: { system, code: 'SERVICE_PROVIDER_CLINICIAN' },
  });
  expect([(await fetch('gp')).status, (await fetch('provider')).status]).toEqual([403, 200]);
});

it('requestStatus of a state of advice: the status of the request follows', async () => {
  await change('eRS-AdviceAndGuidanceStatus', 'REFERRER_TO_SUBMIT_FURTHER_INFORMATION', 'requestStatus', { valueCode: 'on-hold' });
  const asked = await ers.post(
    'gp',
    'ServiceRequest/$ers.createAdviceAndGuidance',
    parameters(['patient', nhsNumber], ['shortlist', `HealthcareService/${advice}`], ['adviceRequestText', 'Which?']),
  );
  const id = (asked.json['parameter'] as readonly { readonly resource: Json }[])[0]?.resource['id'];
  const reply = parameters(['guidance', 'Send the ECG.'], ['guidanceOutcome', 'REQUIRE_FURTHER_INFORMATION']);
  expect((await ers.on('provider', id, 'sendCommunicationToRequester', reply)).status).toBe(200);
  const now = await ers.read(`ServiceRequest/${String(id)}`);
  expect([stateIn(now), now['status']]).toEqual(['REFERRER_TO_SUBMIT_FURTHER_INFORMATION', 'on-hold']);
});
