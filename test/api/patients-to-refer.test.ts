/** What the demographics say against a patient, on every operation that begins something for him. */
import { codeIn, ersOf, nhsNumber, parameters } from '../helpers/ers.js';
import { resourcesOf, type Answer, suiteServer } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;

const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let service: Readonly<Record<'clinic' | 'triage' | 'advice', string>>;
let criteria: readonly Json[];
beforeAll(async () => {
  ers = ersOf(server);
  const first = async (flow: string) => String((await ers.services(flow))[0]?.['id']);
  service = { clinic: (await ers.withSlots()).service, triage: await first('REVIEW'), advice: await first('ADVICE_AND_GUIDANCE') };
  criteria = [
    { name: 'priority', valueCode: 'ROUTINE' },
    { name: 'specialty', valueCode: 'CARDIOLOGY' },
    { name: 'clinicType', valueCode: 'HEART_FAILURE' },
  ];
}, 120_000);
jest.setTimeout(60_000);

const on = (operation: string, patient: string, shortlist: string, ...more: readonly (readonly [string, unknown])[]) =>
  ers.post(
    'gp',
    `ServiceRequest/$ers.${operation}`,
    parameters(['patient', patient], ['shortlist', `HealthcareService/${shortlist}`], ...more),
  );
const operations: Readonly<Record<string, (patient: string) => Promise<Answer>>> = {
  A010: (patient) =>
    ers.post(
      'gp',
      'HealthcareService/$ers.searchHealthcareServicesForPatient',
      parameters(['requestType', 'APPOINTMENT_REQUEST'], ['patient', patient], ['searchCriteria', criteria]),
    ),
  A011: (patient) => on('createReferral', patient, service.clinic),
  A021: (patient) => on('createReferralAndSendForTriage', patient, service.triage),
  A044: (patient) => on('createAdviceAndGuidance', patient, service.advice, ['adviceRequestText', 'Which tests?']),
  'POST ServiceRequest': (patient) =>
    ers.post('gp', 'ServiceRequest', {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      subject: { reference: patient },
      performer: [{ reference: `HealthcareService/${service.clinic}` }],
    }),
};

const practice = { generalPractitioner: [{ reference: 'Organization/D82106' }] };
const patients: Readonly<Record<string, readonly [content: Json, code: string]>> = {
  'one who has died': [{ ...practice, deceasedBoolean: true }, 'PATIENT_ERROR'],
  'one who died on a day': [{ ...practice, deceasedDateTime: '2026-01-02' }, 'PATIENT_ERROR'],
  'one whose number was superseded': [
    { ...practice, link: [{ type: 'replaced-by', other: { identifier: { system: nhsNumber.split('|')[0], value: '9912003888' } } }] },
    'PATIENT_ERROR',
  ],
  'one of no practice': [{}, 'NO_REG_GP_PRACTICE'],
  'one of another practice': [{ generalPractitioner: [{ reference: 'Organization/RCD' }] }, 'REFERENCE_NOT_FOUND'],
};

const cases = Object.keys(patients).flatMap((who) => Object.keys(operations).map((operation) => [operation, who] as const));
it.each(cases)('%s refuses %s', async (operation, who) => {
  const [content, code] = patients[who] ?? [{}, ''];
  const made = await server.as('system', 'POST', 'Patient', { resourceType: 'Patient', birthDate: '1970-01-01', ...content });
  const answer = await operations[operation]?.(`Patient/${String(made.json['id'])}`);
  expect([answer?.status, answer && codeIn(answer)]).toEqual([422, code]);
  expect(JSON.stringify(answer?.json)).toMatch(/patient|subject/i);
});

it.each(Object.keys(operations))('%s takes one who is alive, of the practice, whatever his address is', async (operation) => {
  const made = await server.as('system', 'POST', 'Patient', {
    resourceType: 'Patient',
    birthDate: '1970-01-01',
    deceasedBoolean: false,
    meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] },
    address: [{ city: 'Hiddentown' }],
    ...practice,
  });
  const answer = await operations[operation]?.(`Patient/${String(made.json['id'])}`);
  expect([200, 201]).toContain(answer?.status);
  expect(answer?.text).not.toContain('Hiddentown');
});

describe('a plain referral', () => {
  const plain = (more: Json) =>
    ers.post('gp', 'ServiceRequest', {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      subject: { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9912003888' } },
      performer: [{ reference: `HealthcareService/${service.clinic}` }],
      ...more,
    });

  it('is live, and not of the future; the server dates it, as A011 does', async () => {
    for (const status of ['draft', 'completed', 'revoked', 'on-hold']) expect(codeIn(await plain({ status }))).toBe('INAPPROPRIATE_VALUE');
    expect(codeIn(await plain({ authoredOn: '2099-01-01' }))).toBe('INVALID_VALUE');
    const { status, json } = await plain({ authoredOn: '2020-01-02' });
    expect(status).toBe(201);
    expect(Date.now() - Date.parse(String(json['authoredOn']))).toBeLessThan(60_000);
  });

  it.each(['ClinicalInfoFirstSubmitted', 'ClinicalInfoLastUpdated'])('does not say %s: there is no letter yet', async (name) => {
    const url = `https://fhir.nhs.uk/StructureDefinition/Extension-eRS-${name}`;
    const refused = await plain({ extension: [{ url, valueDateTime: '2026-01-02T10:00:00Z' }] });
    expect([refused.status, codeIn(refused)]).toEqual([422, 'FIELD_NOT_PERMITTED']);
  });

  it.each<readonly [string, readonly Json[] | undefined]>([
    ['none', undefined],
    ['its own', [{ text: 'Ours' }]],
    ['half of it', [{ coding: [{ system: 'http://snomed.info/sct', code: '3457005' }] }]],
  ])('is found by the category of referrals when the client gives %s', async (_, category) => {
    const { json } = await plain({ category });
    for (const token of ['http://snomed.info/sct|3457005', 'https://fhir.nhs.uk/CodeSystem/message-category-servicerequest|referral'])
      expect((await ers.read(`ServiceRequest?_id=${String(json['id'])}&category=${token}`, 'gp'))['total']).toBe(1);
    expect(json['category']).toEqual(expect.arrayContaining([...(category ?? [])]));
  });
});

it('where a service needs a letter one follows, also when nobody said so', async () => {
  const { json } = await server.as('system', 'GET', 'HealthcareService?_count=200&characteristic=DIRECTLY_BOOKABLE');
  const needing = resourcesOf(json, 'HealthcareService').find((one) =>
    JSON.stringify(one).includes('"referralLetterRequired","valueBoolean":true'),
  );
  const referral = await ers.refer([String(needing?.['id'])]);
  expect(JSON.stringify(referral['extension'])).toContain('NEED_TO_ADD_LATER');
});
