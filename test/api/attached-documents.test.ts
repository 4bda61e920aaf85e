/** A document that a caller posts himself is a file of a request, under the rules of the files that operations attach. */
import { ersOf, ifMatch, nhsNumber, parameters, told } from '../helpers/ers.js';
import { issue, jsonPatch, patchBody } from '../helpers/rest.js';
import { resourcesOf, suiteServer, type Answer, type Role } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;
type Coded = { readonly coding: readonly { readonly system: string; readonly code: string }[] };

const typeSystem = 'https://fhir.nhs.uk/CodeSystem/eRS-AttachmentType';
const attachedBy = 'https://fhir.nhs.uk/StructureDefinition/Extension-eRS-AttachedBy';
const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let service: string;
let slots: readonly string[];
beforeAll(async () => {
  ers = ersOf(server);
  const found = await ers.withSlots();
  service = found.service;
  slots = found.slots.map(({ id }) => String(id));
}, 120_000);
jest.setTimeout(60_000);

const relatedTo = (request: unknown) => ({ context: { related: [{ reference: `ServiceRequest/${String(request)}` }] } });
const typed = (code: string) => ({ type: { coding: [{ system: typeSystem, code }] } });
const referral = async (): Promise<string> =>
  String((await ers.refer([service], [['intentionToAddReferralLetter', 'NEED_TO_ADD_LATER']]))['id']);
/** A patient uploads for a UBRN alone: his files are elsewhere here. */
const fileOf = async (role: Role, name: string): Promise<Json> => {
  const content = [{ attachment: { contentType: 'text/plain', url: 'https://elsewhere.example/file', title: name } }];
  return role === 'patient' ? { resourceType: 'DocumentReference', status: 'current', content } : ers.upload(role, name);
};
const post = async (role: Role, request: string, more: Json = {}, name = `${role}.txt`): Promise<Answer> =>
  ers.post(role, 'DocumentReference', { ...(await fileOf(role, name)), ...relatedTo(request), ...more });
const attachedTypes = ({ json }: Answer): readonly string[] =>
  ((json['type'] as Coded | undefined)?.coding ?? []).filter(({ system }) => system === typeSystem).map(({ code }) => code);
const extensionsOf = ({ json }: Answer, url: string): readonly unknown[] =>
  ((json['extension'] ?? []) as readonly Json[]).filter((one) => one['url'] === url).map(({ valueReference }) => valueReference);
const advice = async (): Promise<string> => {
  const body = parameters(
    ['patient', nhsNumber],
    ['shortlist', `HealthcareService/${String((await ers.services('ADVICE_AND_GUIDANCE'))[0]?.['id'])}`],
    ['adviceRequestText', 'Which tests?'],
  );
  const { json } = await ers.post('gp', 'ServiceRequest/$ers.createAdviceAndGuidance', body);
  const [first] = json['parameter'] as readonly { readonly resource: Json }[];
  return String(first?.resource['id']);
};

describe('a posted document', () => {
  it('has the type of its side, and says who attached it, whatever it said itself', async () => {
    const request = await referral();
    const forged = {
      extension: [
        { url: attachedBy, valueReference: { identifier: { system: 'https://fhir.nhs.uk/Id/sds-user-id', value: '555032006106' } } },
      ],
    };
    const [practice, provider, patient] = [
      await post('gp', request, forged),
      await post('provider', request),
      await post('patient', request),
    ];
    expect([practice, provider, patient].map(attachedTypes)).toEqual([['REFERRER'], ['PROVIDER'], []]);
    expect(extensionsOf(practice, attachedBy)).toMatchObject([{ identifier: { value: '021600556514' } }]);
    expect(extensionsOf(patient, attachedBy)).toMatchObject([{ identifier: { value: '9912003888' } }]);
    const asked = await advice();
    expect([await post('gp', asked), await post('provider', asked)].map(attachedTypes)).toEqual([
      ['ADVICE_REQUEST'],
      ['GUIDANCE_RESPONSE'],
    ]);
  });

  it.each([
    ['gp', 'PROVIDER'],
    ['gp', 'FOO'],
    ['provider', 'REFERRER'],
    ['app', 'REFERRER'],
  ] as const)('of %s is not of the type %s', async (role, code) => {
    expect(told(await post(role, await referral(), typed(code)))).toEqual([422, 'INAPPROPRIATE_VALUE', 'DocumentReference.type']);
  });

  it('is no referrer’s letter when the patient or the provider wrote it', async () => {
    const request = await referral();
    await ers.book(request, slots[0]);
    for (const role of ['patient', 'provider'] as const) expect((await post(role, request)).status).toBe(201);
    expect(told(await ers.on('provider', request, 'acceptReferral')).slice(0, 2)).toEqual([422, 'INVALID_REQUEST_STATE']);
    expect((await post('gp', request)).status).toBe(201);
    expect((await ers.on('provider', request, 'acceptReferral')).status).toBe(200);
  });

  it('is for one request that is there, and has not ended', async () => {
    const [request, other] = [await referral(), await referral()];
    const loose = await ers.post('gp', 'DocumentReference', await ers.upload('gp', 'loose.txt'));
    expect(told(loose)).toEqual([422, 'MISSING_VALUE', 'DocumentReference.context.related']);
    const both = { context: { related: [request, other].map((id) => ({ reference: `ServiceRequest/${id}` })) } };
    expect(told(await post('gp', request, both))).toEqual([422, 'TOO_MANY_ITEMS', 'DocumentReference.context.related']);
    expect(issue(await post('gp', 'r.00000000-0000-4000-8000-000000000000'))).toMatchObject({ code: 'not-found' });
    expect((await ers.on('gp', other, 'cancelReferral', parameters(['cancellationReason', 'RAISED_IN_ERROR']))).status).toBe(200);
    for (const role of ['gp', 'provider', 'patient'] as const)
      expect([role, ...told(await post(role, other)).slice(0, 2)]).toEqual([role, 422, 'INVALID_STATE']);
  });

  it('has a name that the request does not have yet, of the file or its own', async () => {
    const request = await referral();
    expect((await post('gp', request, {}, 'letter.txt')).status).toBe(201);
    expect(told(await post('gp', request, {}, 'letter.txt')).slice(0, 2)).toEqual([422, 'DUPLICATE_FILENAME']);
    const second = await post('gp', request, {}, 'second.txt');
    const named = patchBody({ op: 'replace', path: '/content/0/attachment/title', value: 'letter.txt' });
    const url = `DocumentReference/${String(second.json['id'])}`;
    const renamed = await server.as('gp', 'PATCH', url, named, { ...jsonPatch, ...ifMatch(1) });
    expect(told(renamed).slice(0, 2)).toEqual([422, 'DUPLICATE_FILENAME']);
  });

  it('keeps what it is attached as, by whom, to what, and its file', async () => {
    const made = await post('gp', await referral());
    const url = `DocumentReference/${String(made.json['id'])}`;
    const other = await ers.upload('gp', 'other.txt');
    const changes: readonly (readonly [string, Json])[] = [
      ['DocumentReference.type', typed('PROVIDER')],
      ['DocumentReference.extension', { extension: undefined }],
      ['DocumentReference.context.related', relatedTo(await referral())],
      ['DocumentReference.content.attachment.url', { content: other['content'] }],
      ['DocumentReference.content.attachment.url', { content: [made.json['content'], other['content']].flat() }],
    ];
    for (const [expression, more] of changes)
      expect(told(await server.as('gp', 'PUT', url, { ...made.json, ...more }, ifMatch(1)))).toEqual([
        422,
        'FIELD_NOT_PERMITTED',
        expression,
      ]);
    const long = await server.as('gp', 'PUT', url, { ...made.json, description: 'x'.repeat(201) }, ifMatch(1));
    expect(told(long)).toEqual([422, 'INVALID_VALUE', 'DocumentReference.description']);
    // a letter counts once, whatever it takes to keep it
    expect((await server.as('gp', 'PUT', url, { ...made.json, description: '😀'.repeat(200) }, ifMatch(1))).status).toBe(200);
  });

  it('of the referrer is not withdrawn, and changes only while the letter may', async () => {
    const [request, question] = [await referral(), await advice()];
    const documents = [await post('gp', request), await post('gp', question)];
    const put = ({ json }: Answer, more: Json) =>
      server.as('gp', 'PUT', `DocumentReference/${String(json['id'])}`, { ...json, ...more }, ifMatch(1));
    for (const document of documents)
      for (const status of ['entered-in-error', 'superseded'])
        expect(told(await put(document, { status }))).toEqual([422, 'FIELD_NOT_PERMITTED', 'DocumentReference.status']);
    expect((await ers.on('gp', request, 'cancelReferral', parameters(['cancellationReason', 'RAISED_IN_ERROR']))).status).toBe(200);
    const [letter] = documents;
    expect(letter && told(await put(letter, { description: 'Too late' })).slice(0, 2)).toEqual([422, 'INVALID_STATE']);
    const own = await post('patient', await referral());
    const gone = { ...own.json, status: 'entered-in-error' };
    expect((await server.as('patient', 'PUT', `DocumentReference/${String(own.json['id'])}`, gone, ifMatch(1))).status).toBe(200);
  });

  it('is the first clinical information, on the list of the provider and after a change of the letter', async () => {
    const request = await referral();
    await ers.book(request, slots[1]);
    const made = await post('gp', request, { date: '2026-01-05T09:00:00Z' });
    expect(made.status).toBe(201);
    const { text } = await ers.post(
      'provider',
      'ServiceRequest/$ers.fetchworklist',
      parameters(['listType', 'REFERRALS_FOR_REVIEW'], ['count', 1000]),
    );
    const items = (JSON.parse(text) as { entry: readonly Json[] }).entry.map((entry) => JSON.stringify(entry));
    const item = items.find((one) => one.includes(request)) ?? '';
    expect(item).toContain('"url":"clinicalInfoFirstSubmitted","valueDateTime":"2026-01-05T09:00:00Z"');
    expect(item).toContain('"url":"clinicalInfoLastUpdated"');
    const letters = parameters(['attachment', made.json], ['attachment', await ers.upload('gp', 'second.txt')]);
    const changed = await ers.on('gp', request, 'maintainReferralLetter', letters);
    expect([changed.text, changed.status]).toEqual([expect.any(String), 200]);
    const first = (changed.json['extension'] as readonly Json[]).find(({ url }) => String(url).endsWith('ClinicalInfoFirstSubmitted'));
    expect(first?.['valueDateTime']).toBe('2026-01-05T09:00:00Z');
  });

  it('does not answer a provider who asked for more: that is sent with the operation', async () => {
    const question = await advice();
    const reply = parameters(['guidanceOutcome', 'REQUIRE_FURTHER_INFORMATION'], ['guidance', 'Which side?']);
    expect((await ers.on('provider', question, 'sendCommunicationToRequester', reply)).status).toBe(200);
    expect(told(await post('gp', question)).slice(0, 2)).toEqual([422, 'INVALID_STATE']);
    const letters = parameters(['attachment', await ers.upload('gp', 'answer.txt')]);
    expect((await ers.on('gp', question, 'maintainReferralLetter', letters)).status).toBe(200);
  });

  it.each([
    ['no system', undefined],
    ['the STU3 system', 'https://fhir.nhs.uk/STU3/CodeSystem/eRS-AttachmentType-1'],
  ])('of another type is refused under %s too', async (_, system) => {
    const type = { coding: [{ ...(system === undefined ? {} : { system }), code: 'PROVIDER' }] };
    const file = { ...(await ers.upload('gp', 'other.txt')), type };
    expect(told(await post('gp', await referral(), { type })).slice(0, 2)).toEqual([422, 'INAPPROPRIATE_VALUE']);
    const answer = await ers.on('gp', await referral(), 'maintainReferralLetter', parameters(['attachment', file]));
    expect(told(answer).slice(0, 2)).toEqual([422, 'INAPPROPRIATE_VALUE']);
  });

  it('that is owed stays on the list of letters when the appointment is cancelled', async () => {
    const request = await referral();
    const isListed = async () =>
      (
        await ers.post('gp', 'ServiceRequest/$ers.fetchworklist', parameters(['listType', 'LETTERS_OUTSTANDING'], ['count', 1000]))
      ).text.includes(request);
    const appointment = await ers.book(request, slots[2]);
    const cancelationReason = {
      coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-AppointmentCancellationReason', code: 'PATIENT_ILL' }],
    };
    const path = `Appointment/${String(appointment['id'])}`;
    const ended = { ...appointment, status: 'cancelled', cancelationReason };
    expect(told(await server.as('gp', 'PUT', path, { ...ended, comment: 'x'.repeat(2001) }, ifMatch(1)))).toEqual([
      422,
      'INVALID_VALUE',
      'Appointment.comment',
    ]);
    expect((await server.as('gp', 'PUT', path, ended, ifMatch(1))).status).toBe(200);
    expect(await isListed()).toBe(true);
    expect((await post('gp', request)).status).toBe(201);
    expect(await isListed()).toBe(false);
  });

  it('comes with its referral in one transaction', async () => {
    const file = await ers.upload('gp', 'letter.txt');
    const entries = [
      {
        fullUrl: 'urn:uuid:6a1c0a4e-6c0f-4a0f-9a55-0d4f5b3f0001',
        resource: {
          resourceType: 'ServiceRequest',
          status: 'active',
          intent: 'order',
          subject: { identifier: { system: nhsNumber.split('|')[0], value: nhsNumber.split('|')[1] } },
          performer: [{ reference: `HealthcareService/${service}` }],
        },
        request: { method: 'POST', url: 'ServiceRequest' },
      },
      {
        resource: { ...file, context: { related: [{ reference: 'urn:uuid:6a1c0a4e-6c0f-4a0f-9a55-0d4f5b3f0001' }] } },
        request: { method: 'POST', url: 'DocumentReference' },
      },
    ];
    const answer = await ers.post('gp', '', { resourceType: 'Bundle', type: 'transaction', entry: entries });
    expect([answer.status, answer.text.slice(0, 300)]).toEqual([200, answer.text.slice(0, 300)]);
    const [first] = answer.json['entry'] as readonly { readonly response: { readonly location: string } }[];
    const id = /ServiceRequest\/([^/]+)/.exec(first?.response.location ?? '')?.[1] ?? '';
    const found = resourcesOf(await ers.read(`DocumentReference?related=ServiceRequest/${id}`, 'gp'), 'DocumentReference');
    expect(found).toHaveLength(1);
  });
});

describe('a file of A012', () => {
  const attach = async (request: string, ...documents: readonly Json[]): Promise<Answer> =>
    ers.on('gp', request, 'maintainReferralLetter', parameters(...documents.map((one) => ['attachment', one] as const)));

  it.each([
    ['another type', typed('PROVIDER'), 'INAPPROPRIATE_VALUE'],
    ['a status that is not current', { status: 'entered-in-error' }, 'INAPPROPRIATE_VALUE'],
    ['another request', relatedTo('r.00000000-0000-4000-8000-000000000000'), 'CONFLICTING_VALUES'],
  ])('that says %s is refused', async (_, more, code) => {
    const answer = await attach(await referral(), { ...(await ers.upload('gp', 'letter.txt')), ...more });
    expect(told(answer).slice(0, 2)).toEqual([422, code]);
  });

  it('that says another media type than its bytes have is refused', async () => {
    const { content } = await ers.upload('gp', 'letter.txt');
    const [{ attachment }] = content as [{ attachment: Json }];
    const renamed = { ...attachment, title: 'letter.pdf', contentType: 'application/pdf' };
    const answer = await attach(await referral(), {
      resourceType: 'DocumentReference',
      status: 'current',
      content: [{ attachment: renamed }],
    });
    expect(told(answer).slice(0, 2)).toEqual([422, 'CONFLICTING_VALUES']);
  });

  it('has the name that it was uploaded under when it says none', async () => {
    const request = await referral();
    const headers = { 'content-type': 'text/plain', 'NHSD-eRS-File-Name': 'named.txt' };
    const { headers: sent } = await ers.post('gp', 'Binary', 'Dear colleague', headers);
    const url = /Binary\/[^/]+/.exec(sent.get('location') ?? '')?.[0];
    const document = {
      resourceType: 'DocumentReference',
      status: 'current',
      content: [{ attachment: { contentType: 'text/plain', url } }],
    };
    expect((await attach(request, document)).status).toBe(200);
    const [found] = resourcesOf(await ers.read(`DocumentReference?related=ServiceRequest/${request}`), 'DocumentReference');
    expect(found?.['content']).toMatchObject([{ attachment: { title: 'named.txt' } }]);
    expect(told(await attach(request, document)).slice(0, 2)).toEqual([422, 'NO_CHANGES_DETECTED']);
  });

  it('of a request for advice may go, but not the last', async () => {
    const request = await advice();
    const [first, second] = [await ers.upload('gp', 'one.txt'), await ers.upload('gp', 'two.txt')];
    expect((await attach(request, first, second)).status).toBe(200);
    expect((await attach(request, first)).status).toBe(200);
    const messages = resourcesOf(await ers.read(`Communication?based-on=ServiceRequest/${request}`), 'Communication');
    expect(messages.filter(({ payload }) => payload === undefined)).toHaveLength(1);
    expect(told(await attach(request)).slice(0, 2)).toEqual([422, 'MISSING_VALUE']);
  });

  it('comes by a name without a path', async () => {
    const answer = await ers.post('gp', 'Binary', 'x', { 'content-type': 'text/plain', 'NHSD-eRS-File-Name': '../letter.txt' });
    expect(told(answer)).toEqual([422, 'INVALID_VALUE', 'NHSD-eRS-File-Name']);
    expect((await ers.post('gp', 'Binary', 'x', { 'content-type': 'text/rtf', 'NHSD-eRS-File-Name': 'letter.rtx' })).status).toBe(201);
  });
});
