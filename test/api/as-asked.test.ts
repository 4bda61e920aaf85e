/** Names and numbers in the forms in which clients of e-RS and BaRS send them, and what contradicts itself. */
import { codeIn, ersOf, ifMatch, nhsNumber, parameters, stateIn, told } from '../helpers/ers.js';
import { idsOf, issue, jsonPatch, patchBody } from '../helpers/rest.js';
import { streamsOf } from '../helpers/pdf.js';
import { personOf } from '../helpers/person.js';
import { resourcesOf, suiteServer } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;
const nhs = 'https://fhir.nhs.uk/Id/nhs-number';
const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let service: string;
let slots: readonly Json[];
let advice: string;
let triage: string;
const post = 'PractitionerRole/D82106-021600556514';
beforeAll(async () => {
  ers = ersOf(server);
  // before he asks for anything: what somebody may is remembered for a moment
  const functions = ['REFERRING_CLINICIAN', 'REFERRING_CLINICIAN_ADMIN'].map((code) => ({
    coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-BusinessFunction-1', code }],
  }));
  expect((await server.as('system', 'PUT', post, { ...(await ers.read(post)), code: functions })).status).toBe(200);
  ({ service, slots } = await ers.withSlots());
  advice = String((await ers.services('ADVICE_AND_GUIDANCE'))[0]?.['id']);
  triage = String((await ers.services('REVIEW'))[0]?.['id']);
}, 120_000);
jest.setTimeout(60_000);

const referral = async (): Promise<Json> => ers.refer([service]);
const slotAt = async (from: number): Promise<Json> => (await ers.freeSlots(service, 40)).at(from) ?? {};
const type = (operation: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  ers.post('gp', `ServiceRequest/$ers.${operation}`, body, headers);
const asked = async (): Promise<Json> => {
  const body = parameters(
    ['patient', nhsNumber],
    ['shortlist', `HealthcareService/${advice}`],
    ['adviceRequestText', 'Which tests?'],
    ['providerConversionAuthorisation', 'AUTHORISED_TO_CONVERT'],
  );
  const { json } = await type('createAdviceAndGuidance', body);
  const [first] = json['parameter'] as readonly { readonly resource: Json }[];
  return first?.resource ?? {};
};
it('a patient found by NHS number and birth date is referred, sent for triage and asked about', async () => {
  const identifier = [{ system: nhs, value: '9990999929' }];
  const away = { resourceType: 'Patient', identifier, birthDate: '1980-05-05', generalPractitioner: [{ reference: 'Organization/RCD' }] };
  const { id } = (await ers.post('system', 'Patient', away)).json;
  const more = [['patient', `Patient/${String(id)}`]] as const;
  const sent = parameters(...more, ['shortlist', `HealthcareService/${triage}`], ['intentionToAddReferralLetter', 'NEED_TO_ADD_LATER']);
  const question = parameters(...more, ['shortlist', `HealthcareService/${advice}`], ['adviceRequestText', 'Which tests?']);
  expect((await type('createAdviceAndGuidance', question)).status).toBe(422);
  expect((await server.as('gp', 'GET', `Patient?identifier=${nhs}|9990999929&birthdate=1980-05-05`)).json['total']).toBe(1);
  expect((await type('createReferralAndSendForTriage', sent)).status).toBe(201);
  expect((await type('createAdviceAndGuidance', question)).status).toBe(200);
});

describe('A027', () => {
  const convert = async (id: string, communicationRequest: Json) =>
    ers.on('provider', id, 'createFromCommunicationRequestActionLater', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'communicationRequest', valueReference: communicationRequest },
        { name: 'reviewComments', valueString: 'We will see the patient.' },
      ],
    });

  it('names the request by reference or UBRN, and no other', async () => {
    const { id, identifier } = await asked();
    const ubrn = (identifier as readonly { readonly system: string; readonly value: string }[]).find(({ system }) =>
      system.endsWith('/UBRN'),
    );
    const wrong: readonly Json[] = [
      { identifier: { system: ubrn?.system, value: '000000000000' } },
      { identifier: { system: nhs, value: ubrn?.value } },
      { reference: `ServiceRequest/${String(id)}`, identifier: { system: ubrn?.system, value: '999999999999' } },
      { display: 'the request' },
    ];
    for (const one of wrong) expect([one, codeIn(await convert(String(id), one))]).toEqual([one, 'CONFLICTING_VALUES']);
    const answer = await convert(String(id), { identifier: ubrn });
    expect([answer.status, stateIn(answer.json)]).toEqual([201, 'TRIAGED_PROVIDER_TO_ACTION']);
    const summary = await fetch(`${server.base}/ServiceRequest/${String(answer.json['id'])}/$ers.generateCRI`, {
      method: 'POST',
      headers: {
        authorization: await server.bearer('provider'),
        'NHSD-End-User-Organisation-ODS': 'RCD',
        'NHSD-eRS-Business-Function': 'SERVICE_PROVIDER_CLINICIAN',
      },
    });
    const written = streamsOf(new Uint8Array(await summary.arrayBuffer()))
      .join('')
      .replace(/[^0-9a-f<>]/g, '');
    const shown = [...written.matchAll(/<([0-9a-f]+)>/g)].map(([, digits = '']) => digits).join('');
    expect(shown).toContain(Buffer.from('Which tests?').toString('hex'));
  });

  it('takes a file that was uploaded for its UBRN', async () => {
    const { id, identifier } = await asked();
    const [{ value: ubrn = '' } = {}] = identifier as readonly { readonly value?: string }[];
    const sent = await ers.post('provider', 'Binary', 'We will see the patient.', {
      'content-type': 'text/plain',
      'NHSD-eRS-File-Name': 'reply.txt',
      'NHSD-eRS-Referral-ID': ubrn,
    });
    const url = /Binary\/[^/]+/.exec(sent.headers.get('location') ?? '')?.[0] ?? '';
    const file = { resourceType: 'DocumentReference', status: 'current', content: [{ attachment: { contentType: 'text/plain', url } }] };
    const body = parameters(['reviewComments', 'Seen.'], ['attachment', file]);
    const answer = await ers.on('provider', id, 'createFromCommunicationRequestActionLater', body);
    expect([answer.text, answer.status]).toEqual([expect.any(String), 201]);
  });

  it('makes no referral for who has died since', async () => {
    const patient = resourcesOf((await server.as('gp', 'GET', `Patient?identifier=${nhs}|9912003888`)).json, 'Patient')[0] ?? {};
    const { id } = await asked();
    const url = `Patient/${String(patient['id'])}`;
    const dead = await server.as('system', 'PUT', url, { ...patient, deceasedBoolean: true }, ifMatch(await ers.versionOf(url)));
    expect(dead.status).toBe(200);
    expect(told(await convert(String(id), { reference: `ServiceRequest/${String(id)}` })).slice(0, 2)).toEqual([422, 'PATIENT_ERROR']);
    expect((await server.as('system', 'PUT', url, patient, ifMatch(await ers.versionOf(url)))).status).toBe(200);
  });
});

it('a reply gives no priority that the service does not take', async () => {
  const record = await ers.read(`HealthcareService/${advice}`);
  const reply = parameters(
    ['guidanceOutcome', 'REQUIRE_FURTHER_INFORMATION'],
    ['guidance', 'More, please.'],
    ['updatedPriority', 'TWO_WEEK_WAIT'],
  );
  const answer = await ers.on('provider', (await asked())['id'], 'sendCommunicationToRequester', reply);
  const takes = JSON.stringify(record).includes('TWO_WEEK_WAIT');
  expect(told(answer).slice(0, 2)).toEqual(takes ? [200, ''] : [422, 'UNSUPPORTED_PRIORITY']);
});

describe('an administrator', () => {
  const named = (referringClinician: Json) =>
    type(
      'createReferral',
      {
        resourceType: 'Parameters',
        parameter: [
          ...parameters(['patient', nhsNumber], ['shortlist', `HealthcareService/${service}`]).parameter,
          { name: 'referringClinician', valueReference: referringClinician },
        ],
      },
      { 'NHSD-eRS-Business-Function': 'REFERRING_CLINICIAN_ADMIN' },
    );
  const sds = { system: 'https://fhir.nhs.uk/Id/sds-user-id', value: '021600556514' };

  it('names a clinician by record, post or number, and by two that agree', async () => {
    for (const one of [
      { reference: 'Practitioner/021600556514' },
      { reference: 'PractitionerRole/D82106-021600556514' },
      { identifier: sds },
    ])
      expect([one, (await named(one)).status]).toEqual([one, 201]);
    expect(codeIn(await named({ reference: 'Practitioner/555032006106', identifier: sds }))).toBe('CONFLICTING_VALUES');
    expect(codeIn(await named({ reference: 'Practitioner/nobody', identifier: sds }))).toBe('REFERENCED_USER_NOT_IN_ORG');
  });

  it('names none whose post has ended', async () => {
    const { id: _id, meta: _meta, ...like } = await ers.read(post);
    const identifier = [{ ...sds, value: '555900009990' }];
    const person = await ers.post('system', 'Practitioner', { resourceType: 'Practitioner', identifier });
    const practitioner = { reference: `Practitioner/${String(person.json['id'])}` };
    const held = await ers.post('system', 'PractitionerRole', { ...like, practitioner });
    expect((await named(practitioner)).status).toBe(201);
    const ended = { ...held.json, period: { end: '2020-01-01' } };
    expect((await server.as('system', 'PUT', `PractitionerRole/${String(held.json['id'])}`, ended)).status).toBe(200);
    expect(codeIn(await named(practitioner))).toBe('REFERENCED_USER_IS_NOT_ACTIVE');
  });

  it('of a provider asks whom he may act for before he names one', async () => {
    const headers = {
      ...(await personOf(server)('demo-provider', { user: '555073103100' })),
      'NHSD-End-User-Organisation-ODS': 'RCD',
      'NHSD-eRS-Business-Function': 'SERVICE_PROVIDER_CLINICIAN_ADMIN',
    };
    const ask = (path: string) => server.as('nobody', 'GET', path, undefined, headers);
    const listed = await ask('Practitioner?_query=onBehalfOf');
    expect([listed.status, idsOf(listed)]).toEqual([200, expect.arrayContaining(['555032006106'])]);
    expect((await ask('Practitioner?identifier=555032006106')).status).toBe(403);
  });
});

describe('a booking', () => {
  it('names its slot and referral by number, and is written both ways', async () => {
    const [made, slot] = [await referral(), await slotAt(-1)];
    const number = (resource: Json, system: string) => (resource['identifier'] as readonly Json[]).find((one) => one['system'] === system);
    const usrn = number(slot, 'https://fhir.nhs.uk/Id/unique-slot-reference-number');
    const ubrn = number(made, 'https://fhir.nhs.uk/Id/UBRN');
    const actor = { identifier: { system: 'http://fhir.nhs.net/Id/nhs-number', value: '9912003888' } };
    const answer = await ers.post('gp', 'Appointment', {
      ...ers.appointment(made['id'], ''),
      ...{ slot: [{ identifier: usrn }], basedOn: [{ identifier: ubrn }], participant: [{ actor, status: 'accepted' }] },
    });
    expect([answer.status, answer.json]).toEqual([
      201,
      expect.objectContaining({
        slot: [{ reference: `Slot/${String(slot['id'])}`, identifier: usrn }],
        basedOn: [{ reference: `ServiceRequest/${String(made['id'])}`, identifier: ubrn }],
      }),
    ]);
    const actors = (answer.json['participant'] as readonly { readonly actor: Json }[]).map((one) => one.actor);
    expect(actors.map(({ reference, identifier }) => [reference !== undefined, identifier !== undefined])).toEqual([
      [true, true],
      [true, true],
    ]);
  });

  it('for another patient under an older name is refused', async () => {
    const actor = { identifier: { system: 'http://fhir.nhs.net/Id/nhs-number', value: '9990000174' } };
    const body = ers.appointment((await referral())['id'], (await slotAt(-1))['id'], { participant: [{ actor, status: 'accepted' }] });
    expect((await ers.post('gp', 'Appointment', body)).status).toBe(422);
  });

  it('says both of its times or none', async () => {
    const body = ers.appointment((await referral())['id'], slots[0]?.['id'], { start: slots[0]?.['start'] });
    expect([told(await ers.post('gp', 'Appointment', body))[0], issue(await ers.post('gp', 'Appointment', body))?.code]).toEqual([
      400,
      'invariant',
    ]);
  });

  it('moves by a patch of the reference of its slot', async () => {
    const booked = await ers.book((await referral())['id'], (await slotAt(-1))['id']);
    const next = await slotAt(-1);
    const patch = patchBody({ op: 'replace', path: '/slot/0/reference', value: `Slot/${String(next['id'])}` });
    const moved = await server.as('gp', 'PATCH', `Appointment/${String(booked['id'])}`, patch, { ...jsonPatch, ...ifMatch(1) });
    expect([moved.status, moved.json['start']]).toEqual([200, next['start']]);
  });

  it('is accepted again when the letter changed', async () => {
    const { id } = await referral();
    await ers.book(id, (await slotAt(-1))['id']);
    const attach = async (name: string) =>
      ers.on('gp', id, 'maintainReferralLetter', parameters(['attachment', await ers.upload('gp', name)]));
    expect((await attach('first.txt')).status).toBe(200);
    expect((await ers.on('provider', id, 'acceptReferral')).status).toBe(200);
    expect(codeIn(await ers.on('provider', id, 'acceptReferral'))).toBe('NO_CHANGES_DETECTED');
    expect((await attach('second.txt')).status).toBe(200);
    expect((await ers.on('provider', id, 'acceptReferral')).status).toBe(200);
  });

  it('of a system client under a hold keeps its slot when the hold ends', async () => {
    const { id } = await slotAt(-1);
    const url = `Slot/${String(id)}`;
    expect((await ers.post('patient', `${url}/$hold`)).status).toBe(200);
    const made = await referral();
    expect(
      (await ers.post('system', 'Appointment', { ...ers.appointment(made['id'], id), start: slots[0]?.['start'], end: slots[0]?.['end'] }))
        .status,
    ).toBe(201);
    expect((await ers.post('patient', `${url}/$release`)).status).toBe(200);
    expect((await ers.read(url))['status']).toBe('busy');
  });

  it('is cancelled with a code of the list, whose name is kept with it', async () => {
    const booked = await ers.book((await referral())['id'], (await slotAt(-1))['id']);
    const reason = { ...booked, status: 'cancelled', cancelationReason: { coding: [{ code: 'PATIENT_ILL' }] } };
    const answer = await server.as('gp', 'PUT', `Appointment/${String(booked['id'])}`, reason, ifMatch(1));
    const system = 'https://fhir.nhs.uk/CodeSystem/eRS-AppointmentCancellationReason';
    expect(answer.json['cancelationReason']).toEqual({ coding: [{ system, code: 'PATIENT_ILL' }] });
  });
});

it('a provider comments on a slot that somebody holds', async () => {
  const slot = await slotAt(-2);
  const url = `Slot/${String(slot['id'])}`;
  expect((await ers.post('patient', `${url}/$hold`)).status).toBe(200);
  const held = await ers.read(url);
  const put = async (more: Json) => server.as('provider', 'PUT', url, { ...held, ...more }, ifMatch(await ers.versionOf(url)));
  expect((await put({ comment: 'Bring the scan.' })).status).toBe(200);
  expect(told(await put({ status: 'free' })).slice(0, 2)).toEqual([409, 'SLOT_NOT_AVAILABLE']);
});

it('a correlation id with spaces is echoed, and tells a repeated write', async () => {
  const headers = { 'x-correlation-id': 'ward 4, bed 2', 'x-request-id': crypto.randomUUID() };
  const body = parameters(['patient', nhsNumber], ['shortlist', `HealthcareService/${service}`]);
  const first = await type('createReferral', body, headers);
  expect([first.status, first.headers.get('x-correlation-id')]).toEqual([201, 'ward 4, bed 2']);
  expect((await type('createReferral', body, headers)).status).toBe(409);
});

it('a parameter without a name is told where it stands', async () => {
  const answer = await type('createReferral', { resourceType: 'Parameters', parameter: [{ valueString: 'x' }] });
  expect([answer.status, issue(answer)?.expression]).toEqual([400, expect.arrayContaining([expect.stringContaining('parameter[0]')])]);
});
