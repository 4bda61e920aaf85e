/** Searches, shortlists and worklists in the forms in which clients of e-RS send them, and what contradicts itself. */
import { ersOf, ifMatch, nhsNumber, parameters, told } from '../helpers/ers.js';
import { idsOf } from '../helpers/rest.js';
import { resourcesOf, suiteServer } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;
const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let service: string;
let advice: string;
beforeAll(async () => {
  ers = ersOf(server);
  ({ service } = await ers.withSlots());
  advice = String((await ers.services('ADVICE_AND_GUIDANCE'))[0]?.['id']);
}, 120_000);
jest.setTimeout(60_000);

const referral = async (): Promise<Json> => ers.refer([service]);
const type = (operation: string, body: unknown) => ers.post('gp', `ServiceRequest/$ers.${operation}`, body);
const search = (criteria: readonly Json[], ...more: readonly (readonly [string, unknown])[]) =>
  ers.post(
    'gp',
    'HealthcareService/$ers.searchHealthcareServicesForPatient',
    parameters(['requestType', 'APPOINTMENT_REQUEST'], ['patient', nhsNumber], ['searchCriteria', criteria], ...more),
  );
const clinic: readonly Json[] = [
  { name: 'priority', valueCode: 'ROUTINE' },
  { name: 'specialty', valueCode: 'CARDIOLOGY' },
  { name: 'clinicType', valueCode: 'HEART_FAILURE' },
];

describe('the search of services', () => {
  it.each([
    ['a clinician', { name: 'namedClinician', valueIdentifier: { value: '555900009999' } }],
    ['an organisation', { name: 'organisation', valueIdentifier: { value: 'XXX' } }],
    ['another type', { name: 'organisation', valueReference: { reference: `HealthcareService/RZC` } }],
  ])('that names %s whom there is not is refused', async (_, criterion) => {
    expect(told(await search([...clinic, criterion])).slice(0, 2)).toEqual([422, 'REFERENCE_NOT_FOUND']);
  });

  it('finds none of a closed organisation', async () => {
    const found = async () => JSON.stringify((await search(clinic, ['count', 200])).json);
    const [one] = resourcesOf(
      await ers.read('HealthcareService?characteristic=DIRECTLY_BOOKABLE&specialty=CARDIOLOGY&organization=Organization/R69'),
    );
    expect(await found()).toContain('R69');
    expect(one).toBeDefined();
    const url = 'Organization/R69';
    const record = await ers.read(url);
    const change = async (more: Json) =>
      (await server.as('system', 'PUT', url, { ...record, ...more }, ifMatch(await ers.versionOf(url)))).status;
    expect(await change({ active: false })).toBe(200);
    expect(await found()).not.toContain('R69');
    expect(await change({})).toBe(200);
    expect(await found()).toContain('R69');
  });

  it('is sorted by the distance from where the patient lives when no postcode is given', async () => {
    const answer = await search(clinic, ['sortBy', 'DISTANCE']);
    expect([answer.status, answer.text.slice(0, 200)]).toEqual([200, answer.text.slice(0, 200)]);
    expect(answer.text).toContain('distance');
  });

  it.each([
    ['count', 0],
    ['count', 201],
    ['availabilityDays', 366],
  ])('takes no %s of %d', async (name, value) => {
    expect(told(await search(clinic, [name, value]))).toEqual([400, 'INVALID_VALUE', `Parameters.parameter.where(name='${name}')`]);
  });

  it('passes over what e-RS passes over, and knows lists by where they are served', async () => {
    const system = 'https://api.service.nhs.uk/referrals/FHIR/STU3/CodeSystem/SPECIALTY';
    const criteria = [
      { name: 'priority', valueCode: 'ROUTINE' },
      { name: 'specialty', valueCoding: { system, code: 'CARDIOLOGY' } },
      { name: 'clinicType', valueCode: 'HEART_FAILURE' },
      { name: 'commissioningProvisioning', valueString: 'ALL_AVAILABLE_FOR_BOOKING' },
    ];
    expect((await search(criteria)).json['entry']).toBeDefined();
  });
});

describe('a shortlist', () => {
  const list = (more: Json = {}, ...ids: readonly string[]) => ({
    resourceType: 'List',
    status: 'current',
    mode: 'working',
    entry: ids.map((id) => ({ item: { reference: `HealthcareService/${id}` } })),
    ...more,
  });

  it('whose contained search says another priority than the one beside it is refused', async () => {
    const contained = [
      { resourceType: 'Parameters', id: 'c1', parameter: [{ name: 'priority', valueCode: 'URGENT' }, ...clinic.slice(1)] },
    ];
    const body = parameters(['patient', nhsNumber], ['shortlist', list({ contained }, service)], ['searchCriteria', clinic]);
    expect(told(await type('createReferral', body)).slice(0, 2)).toEqual([422, 'CONFLICTING_VALUES']);
  });

  it('is told which of its entries is wrong', async () => {
    const body = parameters(['patient', nhsNumber], ['shortlist', list({}, service, advice)]);
    expect(told(await type('createReferral', body))[2]).toBe("Parameters.parameter.where(name='shortlist').resource.entry[1]");
  });

  it('is changed with another day of the first reminder', async () => {
    const { id } = await referral();
    const other = String((await ers.services('DIRECTLY_BOOKABLE')).find((one) => one['id'] !== service)?.['id']);
    const body = parameters(['shortlist', `HealthcareService/${other}`], ['firstReminderLetterFollowUpDays', 3]);
    const changed = await ers.on('gp', id, 'changeShortlist', body);
    expect([changed.status, changed.text.includes('"valueUnsignedInt":3')]).toEqual([200, true]);
  });
});

describe('a worklist', () => {
  const fetch = (...more: readonly (readonly [string, unknown])[]) =>
    ers.post('provider', 'ServiceRequest/$ers.fetchworklist', parameters(['listType', 'REFERRALS_FOR_REVIEW'], ...more));
  it('of a service by reference and another by number is of neither', async () => {
    const other = (await ers.services('DIRECTLY_BOOKABLE')).find((one) => one['id'] !== service);
    const number = (other?.['identifier'] as readonly Json[])[0];
    const answer = await ers.post('provider', 'ServiceRequest/$ers.fetchworklist', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'listType', valueCode: 'REFERRALS_FOR_REVIEW' },
        { name: 'service', valueReference: { reference: `HealthcareService/${service}`, identifier: number } },
      ],
    });
    expect(told(answer).slice(0, 2)).toEqual([422, 'CONFLICTING_VALUES']);
  });
  it.each([0, 1001])('has no page of %d', async (count) => {
    expect(told(await fetch(['count', count])).slice(0, 2)).toEqual([400, 'INVALID_VALUE']);
  });
});

it('A029 is asked with tokens in each of their forms', async () => {
  const { id } = await referral();
  const ask = async (more: string) => idsOf(await server.as('gp', 'GET', `Task?focus=ServiceRequest/${String(id)}&${more}`));
  const plain = await ask('intent=proposal&status=ready');
  expect(plain.length).toBeGreaterThan(0);
  for (const more of [
    'intent=http://hl7.org/fhir/request-intent|proposal&status=ready',
    'intent=proposal&status=http://hl7.org/fhir/task-status|ready',
    'intent=proposal,order&status=ready,requested',
  ])
    expect([more, await ask(more)]).toEqual([more, plain]);
});
