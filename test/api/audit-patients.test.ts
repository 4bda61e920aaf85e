import { randomUUID } from 'node:crypto';
import { operations } from '../../src/operations/operations.js';
import { ersOf, ifMatch, nhsNumber, parameters } from '../helpers/ers.js';
import { resourcesOf, suiteServer, type Answer, type Role } from '../helpers/running-server.js';
import { whenTold } from '../helpers/when-told.js';

// Whoever was shown a patient's record, by whatever way, is found under that patient: every interaction and operation of the table below
// shows (or is made of, or writes) a record of a patient, and the AuditEvents of its request name the patient.
const server = suiteServer();
const ers = ersOf(server);
type Json = Readonly<Record<string, unknown>>;

const family = 'Auditedfamily';
jest.setTimeout(60_000);
const id: Record<'patient' | 'other' | 'referral' | 'document' | 'binary' | 'task' | 'observation' | 'group' | 'list' | 'holder', string> =
  {
    ...{ patient: '', other: '', referral: '', document: '', binary: '', task: '', observation: '', group: '', list: '', holder: '' },
  };

const created = async (type: string, resource: object, role: Role = 'system'): Promise<string> => {
  const answer = await server.as(role, 'POST', type, { resourceType: type, ...resource });
  expect([answer.status, answer.status === 201 ? '' : answer.text]).toEqual([201, '']);
  return String(answer.json['id']);
};

beforeAll(async () => {
  id.patient = await created('Patient', { name: [{ family }], birthDate: '1950-01-02' });
  id.other = await created('Patient', { name: [{ family }], birthDate: '1951-01-02' });
  const subject = { reference: `Patient/${id.patient}` };
  id.referral = await created('ServiceRequest', { status: 'active', intent: 'order', subject });
  const basis = { reference: `ServiceRequest/${id.referral}` };
  id.observation = await created('Observation', { status: 'final', code: { text: 'x' }, subject });
  id.task = await created('Task', { status: 'requested', intent: 'order', focus: basis });
  id.binary = await created('Binary', { contentType: 'text/plain', data: 'YQ==' });
  const attachment = { contentType: 'text/plain', url: `Binary/${id.binary}` };
  id.document = await created('DocumentReference', { status: 'current', content: [{ attachment }], context: { related: [basis] } });
  const member = [{ entity: subject }, { entity: { reference: `Patient/${id.other}` } }];
  id.group = await created('Group', { type: 'person', actual: true, member });
  id.list = await created('List', { status: 'current', mode: 'working', entry: [{ item: subject }] });
  id.holder = await created('ServiceRequest', {
    ...{ status: 'active', intent: 'order', subject, supportingInfo: [{ reference: '#o' }] },
    contained: [{ resourceType: 'Observation', id: 'o', status: 'final', code: { coding: [{ system: 'urn:x', code: 'contained' }] } }],
  });
}, 120_000);

/** The AuditEvents of one correlation id that tell of a success, and the patients that they name. */
const patientsOf = async (correlation: string): Promise<readonly string[]> => {
  const told = await whenTold(
    async () => {
      const { json } = await server.as('system', 'GET', 'AuditEvent?_sort=-date&_count=100');
      return resourcesOf(json, 'AuditEvent').filter((event) => JSON.stringify(event).includes(correlation));
    },
    ({ length }) => length > 0,
  );
  const events = told.filter(({ outcome }) => outcome === '0');
  const named = events.flatMap(({ entity = [] }) =>
    (entity as readonly { readonly what?: { readonly reference?: string } }[]).flatMap(({ what }) => what?.reference ?? []),
  );
  return [...new Set(named.filter((reference) => reference.startsWith('Patient/')))];
};
const asked = async (
  role: Role,
  method: string,
  url: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly answer: Answer; readonly patients: readonly string[] }> => {
  const correlation = randomUUID();
  const answer = await server.as(role, method, url, body, { 'x-correlation-id': correlation, ...headers });
  return { answer, patients: await patientsOf(correlation) };
};

type Way = readonly [
  name: string,
  method: string,
  url: () => string,
  body?: (() => unknown) | undefined,
  headers?: Readonly<Record<string, string>>,
];
const bundle = (type: string, ...urls: readonly string[]) => ({
  resourceType: 'Bundle',
  type,
  entry: urls.map((url) => ({ request: { method: 'GET', url } })),
});
const form = { 'content-type': 'application/x-www-form-urlencoded' };

const interactions: readonly Way[] = [
  ['read of the patient', 'GET', () => `Patient/${id.patient}`],
  ['read without the element that names him', 'GET', () => `ServiceRequest/${id.referral}?_elements=status`],
  ['read of what is fresh', 'GET', () => `ServiceRequest/${id.referral}`, undefined, { 'if-none-match': 'W/"1"' }],
  ['head', 'HEAD', () => `ServiceRequest/${id.referral}`],
  ['read as XML', 'GET', () => `Observation/${id.observation}?_format=xml`],
  ['read of a task, which names his referral alone', 'GET', () => `Task/${id.task}`],
  ['read of a group', 'GET', () => `Group/${id.group}`],
  ['vread', 'GET', () => `ServiceRequest/${id.referral}/_history/1`],
  ['history of one', 'GET', () => `ServiceRequest/${id.referral}/_history`],
  ['history of a type', 'GET', () => 'Observation/_history?_count=5'],
  ['history of all', 'GET', () => '_history?_count=100'],
  ['history of a list', 'GET', () => `Patient/_history?_list=${id.list}`],
  ['search', 'GET', () => `ServiceRequest?_id=${id.referral}`],
  ['search by POST', 'POST', () => 'ServiceRequest/_search', () => `_id=${id.referral}`, form],
  ['search for elements', 'GET', () => `ServiceRequest?_id=${id.referral}&_elements=status`],
  ['search of tasks, which name his referral alone', 'GET', () => `Task?_id=${id.task}`],
  ['search with _include', 'GET', () => `Task?_id=${id.task}&_include=Task:focus&_include:iterate=ServiceRequest:subject`],
  ['search with _revinclude', 'GET', () => `Patient?_id=${id.patient}&_revinclude=Observation:subject`],
  ['search over types', 'GET', () => `?_type=Observation,Task&_id=${id.observation}`],
  ['search of what is contained', 'GET', () => 'Observation?_contained=true&code=urn:x|contained'],
  ['search of what is contained, as such', 'GET', () => 'Observation?_contained=true&_containedType=contained&code=urn:x|contained'],
  ['search of a compartment', 'GET', () => `Patient/${id.patient}/Observation`],
  ['search of a whole compartment', 'GET', () => `Patient/${id.patient}/*`],
  ['computed search', 'GET', () => `Task?focus=ServiceRequest/${id.referral}&intent=proposal&status=ready`],
  ['document', 'GET', () => `Binary/${id.binary}`],
  ['document as FHIR', 'GET', () => `Binary/${id.binary}`, undefined, { accept: 'application/fhir+json' }],
  ['batch', 'POST', () => '', () => bundle('batch', `Task/${id.task}`)],
  ['transaction', 'POST', () => '', () => bundle('transaction', `Task/${id.task}`)],
  ['update', 'PUT', () => `Task/${id.task}`, () => ({ ...task(), description: 'again' })],
  ['update that changes nothing', 'PUT', () => `Task/${id.task}`, () => ({ ...task(), description: 'again' })],
  ['create that finds him', 'POST', () => 'Patient', () => ({ resourceType: 'Patient' }), { 'if-none-exist': 'birthdate=1950-01-02' }],
];
const task = () => ({
  ...{ resourceType: 'Task', id: id.task, status: 'requested', intent: 'order' },
  focus: { reference: `ServiceRequest/${id.referral}` },
});

it.each(interactions.map((way) => [way[0], way] as const))('%s: named', async (_, [, method, url, body, headers]) => {
  const { answer, patients } = await asked('system', method, url(), body?.(), headers);
  expect([answer.status < 305, answer.text.slice(0, 300)]).toEqual([true, answer.text.slice(0, 300)]);
  expect(patients).toContain(`Patient/${id.patient}`);
});

it('every patient of a page is named, and a count names nobody', async () => {
  const { answer, patients } = await asked('system', 'GET', 'Patient?_count=150');
  const shown = resourcesOf(answer.json).map((patient) => `Patient/${String(patient['id'])}`);
  expect(shown.length).toBe(150);
  expect([...patients].sort()).toEqual([...shown].sort());
  expect((await asked('system', 'GET', 'Patient?_summary=count')).patients).toEqual([]);
});

it('all members of a group are named', async () => {
  const { patients } = await asked('system', 'GET', `Group/${id.group}`);
  expect([...patients].sort()).toEqual([`Patient/${id.other}`, `Patient/${id.patient}`].sort());
});

it('who is named by his NHS number alone is found under his record', async () => {
  const subject = { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9912003888' } };
  const observation = await created('Observation', { status: 'final', code: { text: 'logical' }, subject });
  const correlation = randomUUID();
  await server.as('system', 'GET', `Observation/${observation}`, undefined, { 'x-correlation-id': correlation });
  const [patient] = resourcesOf((await server.as('system', 'GET', `Patient?identifier=${nhsNumber}`)).json);
  const url = `AuditEvent?patient=Patient/${String(patient?.['id'])}&_sort=-date&_count=5`;
  const told = await whenTold(
    async () => (await server.as('system', 'GET', url)).text,
    (text) => text.includes(correlation),
  );
  expect(told).toContain(correlation);
});

it('a delete names him whose record it was', async () => {
  const gone = await created('Observation', { status: 'final', code: { text: 'x' }, subject: { reference: `Patient/${id.patient}` } });
  expect((await asked('system', 'DELETE', `Observation/${gone}`)).patients).toEqual([`Patient/${id.patient}`]);
});

const done = async (job: string): Promise<Answer> => {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await server.as('system', 'GET', job);
    if (answer.status !== 202) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the job does not end');
};

it('a search that is answered later names him, under the ids of the request', async () => {
  const correlation = randomUUID();
  const headers = { prefer: 'respond-async', 'x-correlation-id': correlation };
  const begun = await server.as('system', 'GET', `Task?_id=${id.task}`, undefined, headers);
  expect(begun.status).toBe(202);
  await done(String(begun.headers.get('content-location')));
  expect(await patientsOf(correlation)).toEqual([`Patient/${id.patient}`]);
});

it('the files of an export name whose records are in them, by the job and number under which they are fetched', async () => {
  const url = `Patient/$export?_type=Patient,Task,ServiceRequest&patient=Patient/${id.patient}`;
  const begun = await server.as('system', 'GET', url);
  const job = String(begun.headers.get('content-location'));
  expect((await done(job)).status).toBe(200);
  const name = `${job.slice(job.indexOf('_job/') + 5)}/0`;
  await server.as('system', 'GET', `${job}/0`);
  const named = async () => {
    const { json } = await server.as('system', 'GET', 'AuditEvent?_sort=-date&_count=20');
    return resourcesOf(json).filter((event) => JSON.stringify(event).includes(Buffer.from(name).toString('base64')));
  };
  const events = await whenTold(named, ({ length }) => length > 1);
  expect(events.map((event) => JSON.stringify(event['entity']).includes(`Patient/${id.patient}`)).sort()).toEqual([false, true]);
});

describe('every operation', () => {
  let subject = '';
  let service = '';
  let triage = '';
  let advice = '';
  let slots: string[] = [];
  beforeAll(async () => {
    const [patient] = resourcesOf((await server.as('system', 'GET', `Patient?identifier=${nhsNumber}`)).json);
    subject = `Patient/${String(patient?.['id'])}`;
    const direct = await ers.withSlots();
    service = direct.service;
    slots = (await ers.freeSlots(service, 20)).map((slot) => String(slot['id']));
    triage = String((await ers.services('REVIEW'))[0]?.['id']);
    advice = String((await ers.services('ADVICE_AND_GUIDANCE'))[0]?.['id']);
  }, 60_000);

  type Pairs = readonly (readonly [string, unknown])[];
  const patient = ['patient', nhsNumber] as const;
  const shortlisted = (one: string) => ['shortlist', `HealthcareService/${one}`] as const;
  const on = async (role: Role, id: unknown, operation: string, ...pairs: Pairs) => {
    const at = `ServiceRequest/${String(id)}`;
    return asked(role, 'POST', `${at}/$ers.${operation}`, parameters(...pairs), ifMatch(await ers.versionOf(at)));
  };
  const onType = (role: Role, path: string, ...pairs: Pairs) => asked(role, 'POST', path, parameters(...pairs));
  const referred = async (): Promise<unknown> => (await ers.refer([service]))['id'];
  const lettered = async (): Promise<unknown> => {
    const referral = await referred();
    await ers.on('gp', referral, 'maintainReferralLetter', parameters(['attachment', await ers.upload('gp', 'letter.txt')]));
    return referral;
  };
  const booked = async (): Promise<unknown> => {
    const referral = await lettered();
    await ers.book(referral, slots.shift());
    return referral;
  };
  const triaged = async (): Promise<unknown> => {
    const body = parameters(patient, shortlisted(triage));
    return (await ers.post('gp', 'ServiceRequest/$ers.createReferralAndSendForTriage', body)).json['id'];
  };
  const adviceAsked: Pairs = [
    ['adviceRequestText', 'Which tests?'],
    ['providerConversionAuthorisation', 'AUTHORISED_TO_CONVERT'],
  ];
  const conversation = async (): Promise<unknown> => {
    const body = parameters(patient, shortlisted(advice), ...adviceAsked);
    const { json } = await ers.post('gp', 'ServiceRequest/$ers.createAdviceAndGuidance', body);
    return (json['parameter'] as readonly { resource: Json }[])[0]?.resource['id'];
  };
  const labels = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ system: 'urn:x', code: 'audited' }] } }] };
  const searched = [
    { name: 'priority', valueCode: 'ROUTINE' },
    { name: 'specialty', valueCode: 'CARDIOLOGY' },
    { name: 'clinicType', valueCode: 'HEART_FAILURE' },
  ];

  /** By the operation's code: a call that succeeds, on a record of the demo patient. */
  const calls: Readonly<Record<string, () => Promise<{ readonly answer: Answer; readonly patients: readonly string[] }>>> = {
    everything: () => asked('system', 'GET', `${subject}/$everything?_count=5`),
    meta: async () => asked('system', 'GET', `ServiceRequest/${String(await referred())}/$meta`),
    'meta-add': async () => asked('system', 'POST', `ServiceRequest/${String(await referred())}/$meta-add`, labels),
    'meta-delete': async () => asked('system', 'POST', `ServiceRequest/${String(await referred())}/$meta-delete`, labels),
    validate: async () => asked('system', 'GET', `ServiceRequest/${String(await referred())}/$validate`),
    'ers.searchHealthcareServicesForPatient': () =>
      onType('gp', 'HealthcareService/$ers.searchHealthcareServicesForPatient', ['requestType', 'APPOINTMENT_REQUEST'], patient, [
        'searchCriteria',
        searched,
      ]),
    'ers.fetchworklist': async () => {
      await referred();
      return onType('gp', 'ServiceRequest/$ers.fetchworklist', ['listType', 'AWAITING_BOOKING'], ['count', 1000]);
    },
    'ers.createReferral': () => onType('gp', 'ServiceRequest/$ers.createReferral', patient, shortlisted(service)),
    'ers.createReferralAndSendForTriage': () =>
      onType('gp', 'ServiceRequest/$ers.createReferralAndSendForTriage', patient, shortlisted(triage)),
    'ers.createAdviceAndGuidance': () =>
      onType('gp', 'ServiceRequest/$ers.createAdviceAndGuidance', patient, shortlisted(advice), ...adviceAsked),
    'ers.generateCRI': async () => on('gp', await referred(), 'generateCRI'),
    'ers.generatePatientLetter': async () => on('gp', await referred(), 'generatePatientLetter'),
    'ers.maintainReferralLetter': async () =>
      on('gp', await referred(), 'maintainReferralLetter', ['attachment', await ers.upload('gp', 'letter.txt')]),
    'ers.acceptReferral': async () => on('provider', await booked(), 'acceptReferral'),
    'ers.rejectReferral': async () => on('provider', await booked(), 'rejectReferral', ['rejectionReason', 'SERVICE_INAPPROPRIATE']),
    'ers.cancelAppointmentActionLater': async () =>
      on('provider', await booked(), 'cancelAppointmentActionLater', ['comments', 'We call the patient.'], ['priority', 'URGENT']),
    'ers.recordReviewOutcome': async () =>
      on(
        'provider',
        await triaged(),
        'recordReviewOutcome',
        ['reviewOutcome', 'RETURN_TO_REFERRER_WITH_ADVICE'],
        ['reviewComments', 'These.'],
      ),
    'ers.sendCommunicationToRequester': async () =>
      on(
        'provider',
        await conversation(),
        'sendCommunicationToRequester',
        ['guidance', 'These.'],
        ['guidanceOutcome', 'REQUIRE_FURTHER_INFORMATION'],
      ),
    'ers.createFromCommunicationRequestActionLater': async () =>
      on(
        'provider',
        await conversation(),
        'createFromCommunicationRequestActionLater',
        ['reviewComments', 'We see.'],
        ['guidance', 'Come.'],
      ),
    'ers.changeShortlist': async () => {
      const other = (await ers.services('DIRECTLY_BOOKABLE')).map(({ id: one }) => String(one)).find((one) => one !== service) ?? '';
      return on('gp', await referred(), 'changeShortlist', shortlisted(other));
    },
    'ers.changeShortlistAndSendForTriage': async () => on('gp', await referred(), 'changeShortlistAndSendForTriage', shortlisted(triage)),
    'ers.cancelReferral': async () => on('gp', await referred(), 'cancelReferral', ['cancellationReason', 'INTEND_PRIVATE']),
  };
  /** about no patient; an export is told of above, an import by what it writes */
  const without = ['versions', 'expand', 'lookup', 'validate-code', 'translate', 'subsumes', 'export', 'import', 'hold', 'release'];

  it('is in the table', () => {
    const codes = operations.map(({ definition }) => definition.code);
    expect([...Object.keys(calls), ...without].sort()).toEqual([...new Set(codes)].sort());
  });

  it.each(Object.entries(calls))('%s: named', async (_, call) => {
    const { answer, patients } = await call();
    const what = answer.text.slice(0, 500);
    expect([answer.status < 300, what]).toEqual([true, what]);
    expect(patients).toContain(subject);
  });
});
