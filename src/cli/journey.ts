import type {
  Appointment,
  Bundle,
  FhirResource,
  DocumentReference,
  HealthcareService,
  List,
  Patient,
  ServiceRequest,
  Slot,
} from 'fhir/r4.js';
import { Client } from 'fhir-kit-client';
import { fetchToken } from '../auth/client-token.js';
import { stateOf, ubrnOf } from '../domain/referral/referral.js';

type Options = {
  readonly baseUrl: string;
  /** folder of the demo clients' keys */ readonly keys: string;
  readonly say: (line: string) => void;
};
type Role = { readonly clientId: string; readonly organisation?: string; readonly businessFunction?: string };

const roles = {
  referrer: { clientId: 'demo-gp', organisation: 'D82106', businessFunction: 'REFERRING_CLINICIAN' },
  provider: { clientId: 'demo-provider', organisation: 'RCD', businessFunction: 'SERVICE_PROVIDER_CLINICIAN' },
  patient: { clientId: 'demo-patient-app' },
} as const satisfies Readonly<Record<string, Role>>;

const must = <T>(value: T | undefined, what: string): T => {
  if (value === undefined) throw new Error(what);
  return value;
};

const check = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what);
};

type Found = Extract<FhirResource, { resourceType: 'Patient' | 'HealthcareService' | 'Slot' | 'DocumentReference' | 'Appointment' }>;
const resources = <K extends Found['resourceType']>(bundle: unknown, type: K): readonly Extract<Found, { resourceType: K }>[] =>
  ((bundle as Bundle).entry ?? []).flatMap(({ resource }) =>
    resource?.resourceType === type ? [resource as Extract<Found, { resourceType: K }>] : [],
  );

/** A system that acts for one of the three sides, with its own token. */
const connect = async ({ baseUrl, keys }: Options, role: Role) => {
  const token = await fetchToken({
    clientId: role.clientId,
    keyFile: `${keys}/${role.clientId}.jwk.json`,
    tokenUrl: `${baseUrl}/oauth2/token`,
  });
  const headers = {
    ...(role.organisation === undefined ? {} : { 'NHSD-End-User-Organisation-ODS': role.organisation }),
    ...(role.businessFunction === undefined ? {} : { 'NHSD-eRS-Business-Function': role.businessFunction }),
  };
  const client = new Client({ baseUrl: `${baseUrl}/FHIR/R4`, customHeaders: headers });
  client.bearerToken = token;
  return { client, headers: { ...headers, authorization: `Bearer ${token}` } };
};

const etag = (resource: { readonly meta?: { readonly versionId?: string | undefined } | undefined }) => ({
  'If-Match': `W/"${resource.meta?.versionId ?? ''}"`,
});
const soon = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

/** Plays the main job against a running server, each step checked; throws an Error that says which promise was not kept. */
export const playJourney = async (options: Options): Promise<void> => {
  const { say } = options;
  let number = 0;
  const step = (title: string, sent: string, came: string): void => {
    say(`${String(++number)}. ${title}`);
    say(`   sent  ${sent}`);
    say(`   came  ${came}`);
  };
  say(`Server ${options.baseUrl}`);
  const gp = await connect(options, roles.referrer);
  step('The practice signs a JWT and gets a token', 'POST /oauth2/token (client_credentials, RS512 assertion)', 'an access token');

  const patients = resources(
    await gp.client.search({ resourceType: 'Patient', searchParams: { identifier: 'https://fhir.nhs.uk/Id/nhs-number|9912003888' } }),
    'Patient',
  );
  const patient = must(patients[0], 'the practice must find its patient 9912003888');
  step('finds its patient', 'GET Patient?identifier=…nhs-number|9912003888', `Patient/${patient.id ?? ''}`);

  const { service, slots, found } = await findService(gp.client, patient);
  const serviceName = service.name ?? service.id ?? '';
  step(
    'finds services with free slots',
    'POST HealthcareService/$ers.searchHealthcareServicesForPatient (Palpitations, ROUTINE, RCD), GET Slot?schedule.actor=…&status=free&start=ge…',
    `${String(found)} ${found === 1 ? 'service' : 'services'}; ${serviceName}, ${String(slots.length)} free slots`,
  );

  const referral = (await gp.client.create({
    resourceType: 'ServiceRequest',
    body: {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      priority: 'routine',
      subject: { reference: `Patient/${patient.id ?? ''}` },
      requester: { reference: 'PractitionerRole/D82106-021600556514' },
      performer: [{ reference: `HealthcareService/${service.id ?? ''}` }],
      reasonCode: [{ text: 'Palpitations on exertion for six weeks' }],
    },
  })) as unknown as ServiceRequest;
  const ubrn = must(ubrnOf(referral), 'the server must give a UBRN');
  check(stateOf(referral) === 'NOT_BOOKED', 'a new referral must be NOT_BOOKED');
  step('refers with a shortlist', 'POST ServiceRequest', `${referral.id ?? ''}, UBRN ${ubrn}, NOT_BOOKED`);

  await attachLetter(options, gp, referral, patient, step);

  const first = must(slots[0], 'a free slot');
  const booked = (await gp.client.create({
    resourceType: 'Appointment',
    body: {
      resourceType: 'Appointment',
      status: 'booked',
      slot: [{ reference: `Slot/${first.id ?? ''}` }],
      basedOn: [{ reference: `ServiceRequest/${referral.id ?? ''}` }],
      participant: [{ actor: { reference: `Patient/${patient.id ?? ''}` }, status: 'accepted' }],
    },
  })) as unknown as Appointment;
  check(booked.status === 'booked', 'the appointment must be booked');
  step('books a slot', 'POST Appointment', `Appointment/${booked.id ?? ''} on ${booked.start ?? ''}`);

  await refusedTwice(gp.client, first, referral, patient, step);
  await review(options, referral, step);
  await patientChanges(options, { booked, referral, other: must(slots[1], 'a second free slot') }, step);
  say('\nThe whole journey worked.');
};

type Step = (title: string, sent: string, came: string) => void;
/** What A010 is asked: clinics of the trust RCD for palpitations, which book here. */
const searchFor = (patient: Patient) => ({
  resourceType: 'Parameters',
  parameter: [
    { name: 'requestType', valueCode: 'APPOINTMENT_REQUEST' },
    { name: 'sortBy', valueCode: 'IWT' },
    { name: 'patient', valueReference: { reference: `Patient/${patient.id ?? ''}` } },
    {
      name: 'searchCriteria',
      part: [
        { name: 'priority', valueCode: 'ROUTINE' },
        { name: 'ageAndGenderAppropriate', valueBoolean: true },
        { name: 'clinicalTerm', valueCoding: { system: 'http://snomed.info/sct', code: '80313002', display: 'Palpitations' } },
        {
          name: 'organisation',
          valueReference: { identifier: { system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'RCD' } },
        },
        { name: 'bookableType', valueCode: 'DIRECTLY_BOOKABLE' },
      ],
    },
  ],
});

/** A clinic for the patient that has at least two free slots, and how many the search found. */
const findService = async (
  client: Client,
  patient: Patient,
): Promise<{ readonly service: HealthcareService; readonly slots: readonly Slot[]; readonly found: number }> => {
  const list = (await client.operation({
    name: 'ers.searchHealthcareServicesForPatient',
    resourceType: 'HealthcareService',
    input: searchFor(patient),
  })) as unknown as List;
  const services = (list.entry ?? []).map(({ item }): HealthcareService => ({
    resourceType: 'HealthcareService',
    id: item.reference?.split('/')[1] ?? '',
    ...(item.display === undefined ? {} : { name: item.display }),
  }));
  for (const service of services) {
    const found = await client.search({
      resourceType: 'Slot',
      searchParams: {
        'schedule.actor': `HealthcareService/${service.id ?? ''}`,
        status: 'free',
        start: `ge${soon(1)}`,
        _sort: 'start',
        _count: 5,
      },
    });
    const slots = resources(found, 'Slot');
    if (slots.length > 1) return { service, slots, found: services.length };
  }
  throw new Error('no cardiology clinic of RCD has two free slots left: remove the data folder and start again');
};

const attachLetter = async (
  { baseUrl }: Options,
  gp: { readonly client: Client; readonly headers: Record<string, string> },
  referral: ServiceRequest,
  patient: Patient,
  step: Step,
): Promise<void> => {
  const letter = Buffer.from('Dear colleague,\n\nplease see this patient.\n');
  const upload = await fetch(`${baseUrl}/FHIR/R4/Binary`, {
    method: 'POST',
    headers: { ...gp.headers, 'content-type': 'text/plain' },
    body: letter,
  });
  check(upload.status === 201, `the upload must be 201, it is ${String(upload.status)}`);
  const binary = must(/Binary\/[^/]+/.exec(upload.headers.get('location') ?? '')?.[0], 'the upload must say where it is');
  const document = (await gp.client.create({
    resourceType: 'DocumentReference',
    body: {
      resourceType: 'DocumentReference',
      status: 'current',
      description: 'Referral letter',
      subject: { reference: `Patient/${patient.id ?? ''}` },
      content: [{ attachment: { contentType: 'text/plain', url: binary, title: 'letter.txt' } }],
      context: { related: [{ reference: `ServiceRequest/${referral.id ?? ''}` }] },
    },
  })) as unknown as DocumentReference;
  const back = Buffer.from(await (await fetch(`${baseUrl}/FHIR/R4/${binary}`, { headers: gp.headers })).arrayBuffer());
  check(back.equals(letter), 'the letter must come back byte for byte');
  step(
    'attaches the letter',
    `POST Binary (${String(letter.length)} bytes), POST DocumentReference`,
    `DocumentReference/${document.id ?? ''}; the bytes come back the same`,
  );
};

const refusedTwice = async (client: Client, slot: Slot, referral: ServiceRequest, patient: Patient, step: Step): Promise<void> => {
  const again = {
    resourceType: 'Appointment',
    status: 'booked',
    slot: [{ reference: `Slot/${slot.id ?? ''}` }],
    basedOn: [{ reference: `ServiceRequest/${referral.id ?? ''}` }],
    participant: [{ actor: { reference: `Patient/${patient.id ?? ''}` }, status: 'accepted' }],
  };
  const refused = await client.create({ resourceType: 'Appointment', body: again }).then(
    () => undefined,
    (error: unknown) => (error as { response?: { status?: number } }).response?.status,
  );
  check(refused === 409 || refused === 422, `a second booking must be refused, the answer is ${String(refused)}`);
  step('cannot book it twice', 'POST Appointment, the same again', String(refused));
};

const review = async (options: Options, referral: ServiceRequest, step: Step): Promise<void> => {
  const provider = await connect(options, roles.provider);
  const seen = (await provider.client.read({ resourceType: 'ServiceRequest', id: referral.id ?? '' })) as unknown as ServiceRequest;
  check(stateOf(seen) === 'BOOKED', 'the provider must see the referral BOOKED');
  const letters = resources(
    await provider.client.search({ resourceType: 'DocumentReference', searchParams: { related: `ServiceRequest/${referral.id ?? ''}` } }),
    'DocumentReference',
  );
  check(letters.length === 1, 'the provider must see the letter');
  step('The hospital opens the referral and its letter', 'GET ServiceRequest/…, GET DocumentReference?related=…', 'BOOKED, 1 letter');
  const response = await fetch(`${options.baseUrl}/FHIR/R4/ServiceRequest/${referral.id ?? ''}/$ers.acceptReferral`, {
    method: 'POST',
    headers: { ...provider.headers, ...etag(seen) },
  });
  check(response.status === 200, `accepting must be 200, it is ${String(response.status)}: ${await response.clone().text()}`);
  const accepted = (await response.json()) as ServiceRequest;
  step('accepts it', 'POST ServiceRequest/…/$ers.acceptReferral with If-Match', `version ${accepted.meta?.versionId ?? ''}`);
};

const patientChanges = async (
  options: Options,
  { booked, referral, other }: { readonly booked: Appointment; readonly referral: ServiceRequest; readonly other: Slot },
  step: Step,
): Promise<void> => {
  const app = await connect(options, roles.patient);
  const mine = resources(
    await app.client.search({ resourceType: 'Appointment', searchParams: { 'based-on': `ServiceRequest/${referral.id ?? ''}` } }),
    'Appointment',
  );
  const appointment = must(
    mine.find(({ id }) => id === booked.id),
    'the patient must see the booking',
  );
  step('The patient sees the booking in the app', 'GET Appointment?based-on=…', `on ${appointment.start ?? ''}`);
  const moved = (await app.client.update({
    resourceType: 'Appointment',
    id: appointment.id ?? '',
    body: { ...appointment, slot: [{ reference: `Slot/${other.id ?? ''}` }], start: other.start, end: other.end },
    options: { headers: etag(appointment) },
  })) as unknown as Appointment;
  check(moved.start === other.start, 'the appointment must have moved');
  step('moves it to another slot', 'PUT Appointment/… with If-Match', `on ${moved.start ?? ''}`);
  const cancelled = (await app.client.update({
    resourceType: 'Appointment',
    id: moved.id ?? '',
    body: { ...moved, status: 'cancelled', cancelationReason: { text: 'On holiday' } },
    options: { headers: etag(moved) },
  })) as unknown as Appointment;
  check(cancelled.status === 'cancelled', 'the appointment must be cancelled');
  const left = (await app.client.read({ resourceType: 'ServiceRequest', id: referral.id ?? '' })) as unknown as ServiceRequest;
  check(stateOf(left) === 'APPT_CANCELLED_BY_PATIENT', 'the referral must know that the patient cancelled');
  step('cancels it', 'PUT Appointment/…, status cancelled', 'the slot is free again; the referral is APPT_CANCELLED_BY_PATIENT');
};
