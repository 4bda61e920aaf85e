/** What e-RS's operations are given: codes of other lists, resources that cannot be read, numbers and dates at their edges, persons mixed up. */
import { codeIn, ersOf, ifMatch, nhsNumber, parameters, told } from '../helpers/ers.js';
import { suiteServer, type Answer } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;

const system = (name: string): string => `https://fhir.nhs.uk/CodeSystem/${name}`;

const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let service: string;
let slots: readonly Json[];
let patient: string;
let other: { readonly id: string; readonly number: string };
beforeAll(async () => {
  ers = ersOf(server);
  // before he asks for anything: what a user may do is remembered a while
  const post = await ers.read('PractitionerRole/D82106-021600556514');
  const functions = ['REFERRING_CLINICIAN', 'REFERRING_CLINICIAN_ADMIN'].map((code) => ({
    coding: [{ system: system('eRS-BusinessFunction-1'), code }],
  }));
  expect((await server.as('system', 'PUT', 'PractitionerRole/D82106-021600556514', { ...post, code: functions })).status).toBe(200);
  ({ service } = await ers.withSlots());
  slots = await ers.freeSlots(service, 20);
  const found = await ers.read(`Patient?identifier=${nhsNumber}`);
  patient = String(((found['entry'] as readonly { resource: Json }[])[0]?.resource ?? {})['id']);
  const all = (await ers.read('Patient?general-practitioner=Organization/D82106&_count=5'))['entry'] as readonly { resource: Json }[];
  const second = all.find(({ resource }) => resource['id'] !== patient)?.resource ?? {};
  other = { id: String(second['id']), number: String((second['identifier'] as readonly Json[])[0]?.['value']) };
}, 120_000);

const extension = (name: string): string => `https://fhir.nhs.uk/StructureDefinition/Extension-${name}`;
const asked = (...more: readonly object[]): Json => ({
  resourceType: 'Parameters',
  parameter: [
    { name: 'patient', valueReference: { reference: `Patient/${patient}` } },
    { name: 'shortlist', valueReference: { reference: `HealthcareService/${service}` } },
    { name: 'intentionToAddReferralLetter', valueCode: 'NEED_TO_ADD_LATER' },
    ...more,
  ],
});
const create = (...more: readonly object[]): Promise<Answer> => ers.post('gp', 'ServiceRequest/$ers.createReferral', asked(...more));
const plain = (more: Json): Promise<Answer> =>
  ers.post('gp', 'ServiceRequest', {
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    priority: 'routine',
    subject: { reference: `Patient/${patient}` },
    performer: [{ reference: `HealthcareService/${service}` }],
    ...more,
  });
const seen = (answer: Answer): readonly [number, string] => [answer.status, answer.status < 300 ? '' : codeIn(answer)];

describe('a code', () => {
  const coded = (...coding: readonly object[]) => ({ name: 'priority', valueCodeableConcept: { coding } });
  it.each([
    ['of its code system', coded({ system: system('eRS-Priority'), code: 'URGENT' }), 201, ''],
    ['of its code system in STU3', coded({ system: 'https://fhir.nhs.uk/STU3/CodeSystem/eRS-Priority-1', code: 'URGENT' }), 201, ''],
    ['without a system', coded({ code: 'URGENT' }), 201, ''],
    [
      'beside one of another',
      coded({ system: 'http://loinc.org', code: 'X' }, { system: system('eRS-Priority'), code: 'URGENT' }),
      201,
      '',
    ],
    ['of another code system', coded({ system: 'http://loinc.org', code: 'URGENT' }), 422, 'INVALID_CODE'],
  ])('%s', async (_, priority, status, code) => {
    const answer = await create(priority);
    expect(seen(answer)).toEqual([status, code]);
    if (status === 201) expect(answer.json['priority']).toBe('urgent');
  });

  it('of another code system is no clinical term', async () => {
    const searched = await ers.post('gp', 'HealthcareService/$ers.searchHealthcareServicesForPatient', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'requestType', valueCode: 'APPOINTMENT_REQUEST' },
        { name: 'patient', valueReference: { reference: `Patient/${patient}` } },
        {
          name: 'searchCriteria',
          part: [
            { name: 'priority', valueCode: 'ROUTINE' },
            { name: 'clinicalTerm', valueCoding: { system: 'http://loinc.org', code: '80313002' } },
          ],
        },
      ],
    });
    expect(seen(searched)).toEqual([422, 'SNOMED_NOT_FOUND']);
  });

  it('of another code system is no reason to cancel an appointment', async () => {
    const { id } = await ers.refer([service]);
    const booked = await ers.book(id, slots[0]?.['id']);
    const cancel = (of: string) =>
      server.as(
        'gp',
        'PUT',
        `Appointment/${String(booked['id'])}`,
        { ...booked, status: 'cancelled', cancelationReason: { coding: [{ system: of, code: 'PATIENT_ILL' }] } },
        ifMatch(1),
      );
    expect(seen(await cancel('http://loinc.org'))).toEqual([422, 'INVALID_CODE']);
    expect((await cancel(system('eRS-AppointmentCancellationReason'))).status).toBe(200);
  });

  const review = { system: system('eRS-ReviewReason'), code: 'BOOKING_ATTEMPT_PROBLEM' };
  const ofAnother = { system: 'http://loinc.org', code: 'BOOKING_ATTEMPT_PROBLEM' };
  it.each([
    ['of its code system', [review], 201, ''],
    ['of its code system in STU3', [{ ...review, system: 'https://fhir.nhs.uk/STU3/CodeSystem/eRS-ReviewReason-1' }], 201, ''],
    ['without a system', [{ code: review.code }], 201, ''],
    ['beside one of another', [ofAnother, review], 201, ''],
    ['of another code system', [ofAnother], 422, 'INVALID_CODE'],
    ['that is not there', [{ system: review.system }], 422, 'MISSING_VALUE'],
  ])('%s, as the reason of a deferral', async (_, coding, status, code) => {
    const { id } = await ers.refer([service]);
    const proposed = { status: 'proposed', slot: undefined, reasonCode: [{ coding }], comment: 'The system was down.' };
    expect(seen(await ers.post('gp', 'Appointment', ers.appointment(id, '', proposed)))).toEqual([status, code]);
  });

  it('of another code system is no priority of a referral that is made by a plain create', async () => {
    const url = extension('ServiceRequest-Priority');
    const answer = await plain({ extension: [{ url, valueCoding: { system: 'http://loinc.org', code: 'URGENT' } }] });
    expect(seen(answer)).toEqual([422, 'INVALID_CODE']);
  });

  it('is bound, in its OperationDefinition, to a value set that is served', async () => {
    const found = (await ers.read('OperationDefinition?code=ers.createReferral'))['entry'] as readonly { resource: Json }[];
    const declared = (found[0]?.resource['parameter'] ?? []) as readonly {
      name: string;
      binding?: { strength: string; valueSet: string };
    }[];
    const { binding } = declared.find(({ name }) => name === 'priority') ?? {};
    expect(binding?.strength).toBe('required');
    expect((await ers.read(`ValueSet?url=${binding?.valueSet ?? ''}`))['total']).toBe(1);
  });
});

describe('a resource among the inputs', () => {
  const entry = [{ item: { reference: 'HealthcareService/11001' } }];
  const list = (more: Json) => ({ name: 'shortlist', resource: { resourceType: 'List', status: 'current', mode: 'working', ...more } });
  const criteria = (parameter: unknown) => ({ entry, contained: [{ resourceType: 'Parameters', parameter }] });
  const dangling = [{ url: extension('eRS-Shortlist-SearchCriteria'), valueReference: { reference: '#nothing' } }];
  it.each([
    ['entries that are no list', list({ entry: entry[0] }), 400],
    ['an entry that is null', list({ entry: [null] }), 400],
    ['a reference that is a number', list({ entry: [{ item: { reference: 5 } }] }), 400],
    ['what it contains being null', list({ entry, contained: [null] }), 400],
    ['criteria that are no list', list(criteria({})), 400],
    ['a postcode that is a number', list(criteria([{ name: 'postcode', valueString: 5 }])), 400],
    ['an unknown element', list({ entry, foo: 1 }), 400],
    ['an unknown status', list({ entry, status: 'nope' }), 400],
    ['criteria that are not in it', list({ entry: [{ ...entry[0], extension: dangling }] }), 400],
    ['no entry', list({}), 422],
    ['an empty list of entries', list({ entry: [] }), 422],
  ])('a List with %s', async (_, shortlist, status) => {
    const body = parameters(['patient', nhsNumber]);
    const answer = await ers.post('gp', 'ServiceRequest/$ers.createReferral', { ...body, parameter: [...body.parameter, shortlist] });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain('"expression":["Parameters.parameter');
  });

  it('a List for a patient is for the one who is referred', async () => {
    const subjects = ['Patient/another', 'https://fhir.nhs.uk/Id/nhs-number|9990000018', nhsNumber].map((text) => {
      const [system, value] = text.split('|');
      return value === undefined ? { reference: text } : { identifier: { system, value } };
    });
    const send = (subject: Json) => {
      const body = parameters(['patient', nhsNumber]);
      const shortlist = list({ subject, entry: [{ item: { reference: `HealthcareService/${service}` } }] });
      return ers.post('gp', 'ServiceRequest/$ers.createReferral', { ...body, parameter: [...body.parameter, shortlist] });
    };
    for (const subject of subjects.slice(0, 2)) expect(told(await send(subject)).slice(0, 2)).toEqual([422, 'CONFLICTING_VALUES']);
    const made = await send(subjects[2] ?? {});
    expect(made.status).toBe(201);
    const change = parameters(['shortlist', list({ subject: subjects[0], entry }).resource]);
    expect(told(await ers.on('gp', made.json['id'], 'changeShortlist', change)).slice(0, 2)).toEqual([422, 'CONFLICTING_VALUES']);
  });

  it.each([
    ['no content', {}, 422],
    ['content without a file', { content: [{}] }, 422],
    ['content that is text', { content: ['x'] }, 400],
    ['a name that is a number', { content: [{ attachment: { url: 'Binary/x', title: 5 } }] }, 400],
    ['extensions that are text', { extension: 'x', content: [{ attachment: { url: 'Binary/x', title: 'a.txt' } }] }, 400],
  ])('a DocumentReference with %s', async (_, more, status) => {
    const { id } = await ers.refer([service]);
    const letter = parameters(['attachment', { resourceType: 'DocumentReference', status: 'current', ...more }]);
    expect((await ers.on('gp', id, 'maintainReferralLetter', letter)).status).toBe(status);
  });
});

describe('numbers and dates at their edges', () => {
  it('a reminder further ahead than the calendar goes', async () => {
    const answer = await create({ name: 'firstReminderLetterFollowUpDays', valueUnsignedInt: 2_147_483_647 });
    expect(answer.status).toBe(201);
    const listed = await ers.post('gp', 'ServiceRequest/$ers.fetchworklist', parameters(['listType', 'AWAITING_BOOKING'], ['count', 1000]));
    expect(listed.text).toContain('"url":"reminderDue","valueDateTime":"9999-12-31"');
  });

  const day = (days: number): string =>
    new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/London' }).format(Date.now() + days * 86_400_000);
  it.each([
    ['today', day(0), 201],
    ['365 days ago', day(-365), 201],
    ['366 days ago', day(-366), 422],
    ['tomorrow', day(1), 422],
  ])('a pathway that began %s, of a referral by operation and by plain create', async (_, start, status) => {
    expect((await create({ name: 'eReferralPathwayStart', valueDateTime: start })).status).toBe(status);
    const made = await plain({ extension: [{ url: extension('eRS-eReferralPathwayStart'), valueDateTime: start }] });
    expect([made.status, made.status === 422 ? codeIn(made) : '']).toEqual([status, status === 422 ? 'INVALID_VALUE' : '']);
  });
});

describe('who and what is meant', () => {
  it('a version of the patient that is not the current one is 409', async () => {
    const answer = await plain({ subject: { reference: `Patient/${patient}/_history/99` } });
    expect(answer.status).toBe(409);
  });

  it('a reference to one patient with the NHS number of another is refused', async () => {
    const identifier = { system: 'https://fhir.nhs.uk/Id/nhs-number', value: other.number };
    expect(seen(await plain({ subject: { reference: `Patient/${patient}`, identifier } }))).toEqual([422, 'CONFLICTING_VALUES']);
  });

  it('a service that is not to be done is not referred to', async () => {
    expect(seen(await plain({ doNotPerform: true }))).toEqual([422, 'INAPPROPRIATE_VALUE']);
  });

  it('an appointment is of one referral', async () => {
    const [first, second] = [await ers.refer([service]), await ers.refer([service])];
    const basedOn = [first, second].map(({ id }) => ({ reference: `ServiceRequest/${String(id)}` }));
    const answer = await ers.post('gp', 'Appointment', ers.appointment(first['id'], slots[1]?.['id'], { basedOn }));
    expect(seen(answer)).toEqual([422, 'TOO_MANY_ITEMS']);
  });

  it('a letter about another patient goes to no referral, by operation or by plain create', async () => {
    const { id } = await ers.refer([service]);
    const letter = { ...(await ers.upload('gp', 'letter.txt')), subject: { reference: `Patient/${other.id}` } };
    expect(seen(await ers.on('gp', id, 'maintainReferralLetter', parameters(['attachment', letter])))).toEqual([422, 'CONFLICTING_VALUES']);
    const related = { ...letter, context: { related: [{ reference: `ServiceRequest/${String(id)}` }] } };
    expect(seen(await ers.post('gp', 'DocumentReference', related))).toEqual([422, 'CONFLICTING_VALUES']);
    const record = await ers.read(`Patient/${patient}`);
    const replaced = (link: readonly object[], version: unknown) =>
      server.as('system', 'PUT', `Patient/${patient}`, { ...record, ...(link.length === 0 ? {} : { link }) }, ifMatch(version));
    const before = (record['meta'] as Json)['versionId'];
    const superseded = await replaced([{ type: 'replaced-by', other: { reference: `Patient/${other.id}` } }], before);
    expect((await ers.on('gp', id, 'maintainReferralLetter', parameters(['attachment', letter]))).status).toBe(200);
    const url = (letter as { readonly content?: readonly { readonly attachment: { readonly url: string } }[] }).content?.[0]?.attachment
      .url;
    const called = (title: string) => ({ ...related, content: [{ attachment: { url, contentType: 'text/plain', title } }] });
    expect((await ers.post('gp', 'DocumentReference', called('again.txt'))).status).toBe(201);
    expect((await replaced([], (superseded.json['meta'] as Json)['versionId'])).status).toBe(200);
    const own = { ...(await ers.upload('gp', 'own.txt')), context: related.context, subject: { reference: `Patient/${patient}` } };
    expect((await ers.post('gp', 'DocumentReference', own)).status).toBe(201);
  });

  it('an administrator refers for a clinician, by plain create too', async () => {
    const admin = { 'NHSD-eRS-Business-Function': 'REFERRING_CLINICIAN_ADMIN' };
    const refer = (requester: string) =>
      ers.post(
        'gp',
        'ServiceRequest',
        {
          resourceType: 'ServiceRequest',
          status: 'active',
          intent: 'order',
          subject: { reference: `Patient/${patient}` },
          performer: [{ reference: `HealthcareService/${service}` }],
          requester: { reference: requester },
        },
        admin,
      );
    expect(seen(await refer('PractitionerRole/D82106-555900000001'))).toEqual([422, 'REFERENCED_USER_IS_NOT_RC_AT_ORG']);
    expect(seen(await refer('Organization/D82106'))).toEqual([422, 'REFERENCED_USER_NOT_IN_ORG']);
    expect((await refer('PractitionerRole/D82106-021600556514')).status).toBe(201);
    const named = (reference: string) =>
      ers.post('gp', 'ServiceRequest/$ers.createReferral', asked({ name: 'referringClinician', valueReference: { reference } }), admin);
    expect((await named('Practitioner/021600556514')).status).toBe(201);
    expect(seen(await named('Patient/021600556514'))).toEqual([422, 'REFERENCED_USER_NOT_IN_ORG']);
  });
});

it.each(['generateCRI', 'generatePatientLetter'])('%s comes to who asks for a PDF', async (operation) => {
  const { id } = await ers.refer([service]);
  const url = `ServiceRequest/${String(id)}/$ers.${operation}`;
  const answer = await ers.post('gp', url, undefined, { accept: 'application/pdf' });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/pdf']);
  expect((await ers.post('gp', url, undefined, { accept: 'text/csv' })).status).toBe(406);
  const missing = await ers.post('gp', `ServiceRequest/r.nothing/$ers.${operation}`, undefined, { accept: 'application/pdf' });
  expect([missing.status, missing.json['resourceType']]).toEqual([404, 'OperationOutcome']);
  expect((await server.as('gp', 'GET', `HealthcareService/${service}`, undefined, { accept: 'application/pdf' })).status).toBe(406);
});
