/** The patient-care API (e-RS facts 4.1): what an application shows a patient of his referrals, and what he does with them. */
import { codeIn, ersOf, ifMatch, nhsNumber, stateIn } from '../helpers/ers.js';
import { resourcesOf, suiteServer } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;

const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let clinic: string;
let booked: { readonly referral: string; readonly slot: Json };
let deferred: string;
beforeAll(async () => {
  ers = ersOf(server);
  const found = await ers.withSlots();
  clinic = found.service;
  const [slot] = found.slots;
  booked = { referral: String((await ers.refer([clinic], [['priority', 'TWO_WEEK_WAIT']]))['id']), slot: slot as Json };
  await ers.book(booked.referral, slot?.['id']);
  deferred = String((await ers.refer([clinic]))['id']);
  const proposed = await ers.post('gp', 'Appointment', {
    resourceType: 'Appointment',
    status: 'proposed',
    basedOn: [{ reference: `ServiceRequest/${deferred}` }],
    reasonCode: [{ coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-ReviewReason', code: 'BOOKING_ATTEMPT_PROBLEM' }] }],
    participant: [{ actor: { reference: `HealthcareService/${clinic}` }, status: 'accepted' }],
  });
  expect(proposed.status).toBe(201);
}, 120_000);
jest.setTimeout(60_000);

const [system = ''] = nhsNumber.split('|');
const query = (number = nhsNumber) =>
  `ServiceRequest?patient:identifier=${number}&category=http://snomed.info/sct|3457005&_revinclude=Appointment:based-on&_revinclude=Task:focus&_count=100`;
const identifierOf = (value: unknown): Json => (value as { identifier: Json }).identifier;

it('A001: referrals with their appointments and tasks, as the API publishes them', async () => {
  const answer = await server.as('patient', 'GET', query());
  expect(answer.status).toBe(200);
  const of = (type: string, has: (one: Json) => boolean): Json => resourcesOf(answer.json, type).find(has) ?? {};
  const referral = of('ServiceRequest', ({ id }) => id === booked.referral);
  expect(referral).toMatchObject({
    status: 'active',
    intent: 'order',
    priority: 'asap',
    identifier: [{ system: 'https://fhir.nhs.uk/Id/UBRN' }],
    category: [{ coding: [{ system: 'http://snomed.info/sct', code: '3457005' }, {}] }],
  });
  expect(identifierOf(referral['subject'])).toEqual({ system, value: '9912003888' });
  expect(stateIn(referral)).toBe('BOOKED');
  const extension = (name: string): Json | undefined =>
    (referral['extension'] as readonly Json[]).find(({ url }) => url === `https://fhir.nhs.uk/StructureDefinition/Extension-${name}`);
  const [ubrn] = referral['identifier'] as readonly { value: string }[];
  expect(extension('Portal-Link')?.['valueUrl']).toBe(`https://refer.nhs.uk/nhslogin?ubrn=${ubrn?.value ?? ''}`);
  expect(extension('ServiceRequest-Priority')?.['valueCoding']).toMatchObject({ code: 'TWO_WEEK_WAIT' });
  expect((referral['performerType'] as { coding: Json[] }).coding.some((one) => String(one['system']).endsWith('eRS-Specialty'))).toBe(
    true,
  );

  const appointment = of('Appointment', (one) => JSON.stringify(one['basedOn']).includes(booked.referral));
  const [slotNumber] = booked.slot['identifier'] as readonly Json[];
  expect(appointment).toMatchObject({ status: 'booked', start: booked.slot['start'], end: booked.slot['end'] });
  expect((appointment['slot'] as Json[]).map(identifierOf)).toEqual([slotNumber]);
  expect(slotNumber?.['system']).toBe('https://fhir.nhs.uk/Id/unique-slot-reference-number');
  const actors = (appointment['participant'] as readonly { actor?: Json }[]).flatMap(({ actor }) => (actor ? [identifierOf(actor)] : []));
  expect(actors.map((one) => one['system']).sort()).toEqual(['https://fhir.nhs.uk/Id/ers-service', system]);

  const task = of('Task', ({ focus }) => (focus as { reference: string }).reference === `ServiceRequest/${deferred}`);
  expect(task).toMatchObject({
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/Workflow-Code', code: 'APPOINTMENT_DEFERRAL' }] },
    owner: { identifier: { system: 'https://fhir.nhs.uk/Id/ers-service' } },
    for: { identifier: { system, value: '9912003888' } },
  });
  expect((task['restriction'] as { period: { end: string } }).period.end).toMatch(/^\d{4}-\d{2}-\d{2}$/);
});

it('A001: the search parameters that were asked for stand in the self link, the entries say how they came', async () => {
  const { json } = await server.as('patient', 'GET', query());
  const [self] = json['link'] as readonly { relation: string; url: string }[];
  for (const name of ['patient%3Aidentifier=', 'category=', '_revinclude=Appointment%3Abased-on', '_revinclude=Task%3Afocus'])
    expect(self?.url).toContain(name);
  const modes = new Set(
    (json['entry'] as readonly { resource: Json; search: { mode: string } }[]).map(
      ({ resource, search }) => `${String(resource['resourceType'])} ${search.mode}`,
    ),
  );
  expect([...modes].sort()).toEqual(['Appointment include', 'ServiceRequest match', 'Task include']);
});

it('A001: nobody finds what is of another patient', async () => {
  const other = (await ers.read('Patient?_count=20'))['entry'] as readonly { resource: { identifier?: { value: string }[] } }[];
  const numbers = other.flatMap(({ resource }) => resource.identifier?.[0]?.value ?? []).filter((number) => number !== '9912003888');
  expect(numbers.length).toBeGreaterThan(0);
  for (const number of numbers.slice(0, 5)) {
    const answer = await server.as('patient', 'GET', query(`${system}|${number}`));
    expect([answer.status, resourcesOf(answer.json)]).toEqual([200, []]);
  }
});

it('A002: a service as the API publishes it', async () => {
  const { status, json } = await server.as('patient', 'GET', `HealthcareService/${clinic}`);
  expect([status, json]).toMatchObject([
    200,
    {
      id: clinic,
      identifier: [{ system: 'https://fhir.nhs.uk/Id/ers-service', value: clinic }],
      providedBy: { identifier: { value: 'RCD' } },
    },
  ]);
  for (const element of ['name', 'specialty', 'type', 'location']) expect(json[element]).toBeDefined();
  expect((await server.as('patient', 'GET', 'HealthcareService/none')).status).toBe(404);
});

it('a patient books, changes and cancels his own appointment, without a code for why', async () => {
  const referral = String((await ers.refer([clinic]))['id']);
  const [first, second] = await ers.freeSlots(clinic, 2);
  const made = await ers.post('patient', 'Appointment', ers.appointment(referral, first?.['id']));
  expect(made.status).toBe(201);
  const path = `Appointment/${String(made.json['id'])}`;
  const patch = JSON.stringify([{ op: 'replace', path: '/slot', value: [{ reference: `Slot/${String(second?.['id'])}` }] }]);
  const moved = await server.as('patient', 'PATCH', path, patch, { ...ifMatch(1), 'content-type': 'application/json-patch+json' });
  expect([moved.status, moved.json['start']]).toEqual([200, second?.['start']]);
  expect((moved.json['slot'] as Json[]).map(identifierOf)).toEqual(second?.['identifier']);
  const cancelled = await server.as('patient', 'PUT', path, { ...moved.json, status: 'cancelled', comment: 'Away.' }, ifMatch(2));
  expect(cancelled.status).toBe(200);
  expect(stateIn(await ers.read(`ServiceRequest/${referral}`, 'patient'))).toBe('APPT_CANCELLED_BY_PATIENT');
});

it.each([
  ['send for triage', 'TRIAGE', 403],
  ['be deferred while there are slots', 'NO_SLOTS_AT_SERVICE', 422],
] as const)('a patient cannot %s', async (_, reason, status) => {
  const triage = String((await ers.services('REVIEW'))[0]?.['id']);
  const referral = String((await ers.refer([clinic, triage]))['id']);
  const answer = await ers.post('patient', 'Appointment', {
    resourceType: 'Appointment',
    status: 'proposed',
    basedOn: [{ reference: `ServiceRequest/${referral}` }],
    reasonCode: [{ coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-ReviewReason', code: reason }] }],
    participant: [{ actor: { reference: `HealthcareService/${reason === 'TRIAGE' ? triage : clinic}` }, status: 'accepted' }],
  });
  expect([answer.status, codeIn(answer)]).toEqual([status, status === 403 ? 'REC_FORBIDDEN' : 'SLOTS_CURRENTLY_AVAILABLE']);
});

it.each(['createReferral', 'createAdviceAndGuidance', 'fetchworklist'])('a patient has no $ers.%s', async (operation) => {
  expect((await ers.post('patient', `ServiceRequest/$ers.${operation}`, { resourceType: 'Parameters' })).status).toBe(403);
});
