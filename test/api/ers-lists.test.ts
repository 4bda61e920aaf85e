import { localDayOf } from '../../src/domain/calendar/working-days.js';
import { codeIn, ersOf, ifMatch, nhsNumber, parameters, stateIn } from '../helpers/ers.js';
import { resourcesOf, suiteServer } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;
type Entry = { readonly item: { readonly reference: string }; readonly extension: readonly { readonly extension: readonly Json[] }[] };

const server = suiteServer();
const ers = ersOf(server);

const entriesOf = (list: Json): readonly Entry[] => (list['entry'] ?? []) as readonly Entry[];

describe('A010 searchHealthcareServicesForPatient', () => {
  const search = (...criteria: readonly Json[]) =>
    ers.post(
      'gp',
      'HealthcareService/$ers.searchHealthcareServicesForPatient',
      parameters(
        ['requestType', 'APPOINTMENT_REQUEST'],
        ['patient', nhsNumber],
        ['searchCriteria', [{ name: 'priority', valueCode: 'ROUTINE' }, ...criteria]],
      ),
    );

  it('finds what the plain search finds, each with what a Slot search says is free', async () => {
    const [service] = await ers.services('DIRECTLY_BOOKABLE');
    const specialty = (service?.['specialty'] as { coding: { system: string; code: string }[] }[])[0]?.coding.find(({ system }) =>
      system.endsWith('eRS-Specialty'),
    );
    const clinic = (service?.['category'] as { coding: { code: string }[] }[])[0]?.coding[0];
    const found = await search({ name: 'specialty', valueCode: specialty?.code }, { name: 'clinicType', valueCode: clinic?.code });
    expect(found.status).toBe(200);
    const listed = entriesOf(found.json);
    const mine = listed.find(({ item }) => item.reference === `HealthcareService/${String(service?.['id'])}`);
    expect(mine).toBeDefined();
    const part = (name: string) => mine?.extension[0]?.extension.find(({ url }) => url === name);
    const until = new Date(Date.now() + 14 * 86_400_000).toISOString();
    const slots = resourcesOf(
      await ers.read(
        `Slot?schedule.actor=HealthcareService/${String(service?.['id'])}&status=free&start=ge${new Date().toISOString()}&start=lt${until}&_sort=start&_count=1000`,
      ),
      'Slot',
    );
    expect(part('freeSlots')?.['valueUnsignedInt']).toBe(slots.length);
    if (slots[0]) expect(part('firstFreeSlot')?.['valueDateTime']).toBe(slots[0]['start']);
  });

  it('counts what is free as it is now: a slot that is taken, one that is new, and a diary that the service gets', async () => {
    const [service] = await ers.services('DIRECTLY_BOOKABLE');
    const reference = `HealthcareService/${String(service?.['id'])}`;
    const codeOf = (codings: unknown, system: string) =>
      (codings as { coding: { system: string; code: string }[] }[])[0]?.coding.find((coding) => coding.system.endsWith(system))?.code;
    const free = async () => {
      const { json } = await search(
        { name: 'specialty', valueCode: codeOf(service?.['specialty'], 'eRS-Specialty') },
        { name: 'clinicType', valueCode: codeOf(service?.['category'], '') },
      );
      const mine = entriesOf(json).find(({ item }) => item.reference === reference);
      return mine?.extension[0]?.extension.find(({ url }) => url === 'freeSlots')?.['valueUnsignedInt'] as number;
    };
    const created = async (body: Json): Promise<string> => {
      const { status, json } = await server.as('system', 'POST', String(body['resourceType']), body);
      expect(status).toBe(201);
      return `${String(body['resourceType'])}/${String(json['id'])}`;
    };
    const slotOf = (schedule: string, hours: number): Json => {
      const at = (ms: number) => new Date(Math.ceil(Date.now() / 60_000) * 60_000 + ms).toISOString();
      return {
        resourceType: 'Slot',
        schedule: { reference: schedule },
        status: 'free',
        start: at(hours * 3_600_000),
        end: at(hours * 3_600_000 + 900_000),
      };
    };
    const before = await free();
    expect([await free(), await free()]).toEqual([before, before]);
    const diary = await created({ resourceType: 'Schedule', active: true, actor: [{ reference }] });
    const slot = await created(slotOf(diary, 30));
    expect(await free()).toBe(before + 1);
    await created(slotOf(diary, 31));
    expect(await free()).toBe(before + 2);
    expect((await server.as('patient', 'POST', `${slot}/$hold`)).status).toBe(200);
    expect(await free()).toBe(before + 1);
  });

  it.each([
    ['nothing to search by', [], 'MISSING_VALUE'],
    [
      'a clinic type without specialty',
      [
        { name: 'clinicType', valueCode: 'NAILS' },
        { name: 'clinicalTerm', valueCode: '1' },
      ],
      'MISSING_VALUE',
    ],
    [
      'a distance without postcode',
      [
        { name: 'clinicalTerm', valueCode: '1' },
        { name: 'distanceLimit', valueUnsignedInt: 5 },
      ],
      'MISSING_VALUE',
    ],
    [
      'an unknown specialty',
      [
        { name: 'specialty', valueCode: 'MAGIC' },
        { name: 'clinicalTerm', valueCode: '1' },
      ],
      'INVALID_CODE',
    ],
    [
      'an unknown postcode',
      [
        { name: 'postcode', valueString: 'ZZ99 9ZZ' },
        { name: 'clinicalTerm', valueCode: '1' },
      ],
      'INVALID_VALUE',
    ],
  ] as const)('refuses %s', async (_, criteria, code) => {
    const answer = await search(...criteria);
    expect([answer.status, codeIn(answer)]).toEqual([422, code]);
  });
});

describe('A008 fetchworklist', () => {
  it('shows a provider what waits for it, and each side its own lists alone', async () => {
    const list = await ers.post('provider', 'ServiceRequest/$ers.fetchworklist', parameters(['listType', 'REFERRALS_FOR_REVIEW']));
    expect(list.status).toBe(200);
    const entries = entriesOf(list.json);
    expect(entries.length).toBeGreaterThan(0);
    expect(JSON.stringify(entries[0])).toContain('NEVER_REVIEWED');
    expect((await ers.post('gp', 'ServiceRequest/$ers.fetchworklist', parameters(['listType', 'AWAITING_BOOKING']))).status).toBe(200);
    expect((await ers.post('gp', 'ServiceRequest/$ers.fetchworklist', parameters(['listType', 'REFERRALS_FOR_REVIEW']))).status).toBe(403);
    expect(codeIn(await ers.post('app', 'ServiceRequest/$ers.fetchworklist', parameters(['listType', 'APPOINTMENT_SLOT_ISSUES'])))).toBe(
      'MISSING_PARAMETER',
    );
    expect(codeIn(await ers.post('gp', 'ServiceRequest/$ers.fetchworklist', parameters(['listType', 'NONSENSE'])))).toBe('INVALID_CODE');
  });

  it('says when the patient is to be reminded', async () => {
    const { service } = await ers.withSlots();
    const referral = await ers.refer([service], [['firstReminderLetterFollowUpDays', 21]]);
    const list = await ers.post('gp', 'ServiceRequest/$ers.fetchworklist', parameters(['listType', 'AWAITING_BOOKING'], ['count', 1000]));
    const mine = entriesOf(list.json).find(({ item }) => item.reference.includes(String(referral['id'])));
    const due = mine?.extension[0]?.extension.find(({ url }) => url === 'reminderDue')?.['valueDateTime'];
    expect(Date.parse(String(due)) - Date.parse(localDayOf(String(referral['authoredOn'])))).toBe(21 * 86_400_000);
  });

  it('pages, and plain search finds the same states', async () => {
    const page = async (...more: readonly (readonly [string, unknown])[]) =>
      (await ers.post('gp', 'ServiceRequest/$ers.fetchworklist', parameters(['listType', 'AWAITING_BOOKING'], ['count', 2], ...more))).json;
    const first = await page();
    const [next] = (first['extension'] ?? []) as readonly { valueString: string }[];
    const second = next === undefined ? {} : await page(['after', next.valueString]);
    const seen = [...entriesOf(first), ...entriesOf(second)].map(({ item }) => item.reference);
    expect(new Set(seen).size).toBe(seen.length);
    const found = resourcesOf(
      (await server.as('gp', 'GET', 'ServiceRequest?state=NOT_BOOKED&_sort=authored&_count=2')).json,
      'ServiceRequest',
    );
    expect(found.map(stateIn).every((state) => state === 'NOT_BOOKED')).toBe(true);
    expect(found.map(({ id }) => String(id))).toEqual(entriesOf(first).map(({ item }) => item.reference.split('/')[1]));
  });
});

it('A044, A026, A027: a question, its answer, and a referral of it under the same UBRN', async () => {
  const service = String((await ers.services('ADVICE_AND_GUIDANCE'))[0]?.['id']);
  const ask = (...more: readonly (readonly [string, unknown])[]) =>
    ers.post(
      'gp',
      'ServiceRequest/$ers.createAdviceAndGuidance',
      parameters(['patient', nhsNumber], ['shortlist', `HealthcareService/${service}`], ['adviceRequestText', 'Which tests?'], ...more),
    );
  const asked = await ask(['providerConversionAuthorisation', 'AUTHORISED_TO_CONVERT']);
  expect([asked.status, asked.json['resourceType']]).toEqual([200, 'Parameters']);
  const part = (name: string, answer = asked): Json =>
    ((answer.json['parameter'] as readonly { name: string; resource: Json }[]).find((one) => one.name === name) ?? { resource: {} })
      .resource;
  const request = part('createdCommunicationRequest');
  const id = request['id'];
  expect(stateIn(request)).toBe('PROVIDER_RESPONSE_REQUIRED');
  const reply = (...pairs: readonly (readonly [string, unknown])[]) =>
    ers.on('provider', id, 'sendCommunicationToRequester', parameters(['guidance', 'These.'], ...pairs));
  expect(codeIn(await reply(['guidanceOutcome', 'RETURN_TO_REFERRER_WITH_ADVICE']))).toBe('MISSING_VALUE');
  expect(codeIn(await reply(['guidanceOutcome', 'REQUIRE_FURTHER_INFORMATION'], ['guidanceIntendedRecommendation', 'OTHER']))).toBe(
    'FIELD_NOT_PERMITTED',
  );
  const answered = await reply(
    ['guidanceOutcome', 'RETURN_TO_REFERRER_WITH_ADVICE'],
    ['guidanceIntendedRecommendation', 'REFERRAL_RECOMMENDED'],
  );
  expect(answered.status).toBe(200);
  expect(stateIn(part('updatedCommunicationRequest', answered))).toBe('REFERRER_TO_REVIEW_RESPONSE');
  const messages = resourcesOf((await server.as('gp', 'GET', `Communication?based-on=ServiceRequest/${String(id)}`)).json, 'Communication');
  expect(messages).toHaveLength(2);
  const convert = () =>
    ers.on('provider', id, 'createFromCommunicationRequestActionLater', parameters(['reviewComments', 'We will see the patient.']));
  const converted = await convert();
  expect(converted.status).toBe(201);
  expect(stateIn(converted.json)).toBe('TRIAGED_PROVIDER_TO_ACTION');
  expect(converted.json['identifier']).toEqual(request['identifier']);
  // one UBRN, and one id but for its letter (A041)
  expect(converted.json['id']).toBe(String(id).replace(/^a/, 'r'));
  expect((await convert()).status).toBe(409);
  const plain = await ask();
  const unauthorised = part('createdCommunicationRequest', plain)['id'];
  const refused = await ers.on('provider', unauthorised, 'createFromCommunicationRequestActionLater', parameters(['reviewComments', 'x']));
  expect(codeIn(refused)).toBe('INVALID_REQUEST_STATE');
  const ended = await ers.on('gp', unauthorised, 'cancelReferral', parameters(['cancellationReason', 'RAISED_IN_ERROR']));
  expect(ended.status).toBe(200);
  expect(ended.text).toContain('CONVERSATION_ENDED_CANCELLED');
}, 60_000);

it('A030 and A040: own roles without headers; whom an administrator acts for', async () => {
  const roles = await server.as('gp', 'GET', 'PractitionerRole?_count=50', undefined, { 'NHSD-End-User-Organisation-ODS': 'D82106' });
  expect(roles.status).toBe(200);
  expect((await server.as('gp', 'GET', 'Practitioner?_query=onBehalfOf')).status).toBe(403);
  expect((await server.as('system', 'GET', 'Practitioner?_query=nonsense')).status).toBe(400);
});

it('N referrals, one slot, cancel against book: the slot is never in two', async () => {
  const { service, slots } = await ers.withSlots();
  const slot = String(slots[0]?.['id']);
  const referrals = await Promise.all(Array.from({ length: 6 }, () => ers.refer([service])));
  const answers = await Promise.all(referrals.map(({ id }) => ers.post('gp', 'Appointment', ers.appointment(id, slot))));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
  const winner = answers.findIndex(({ status }) => status === 201);
  const version = await ers.versionOf(`ServiceRequest/${String(referrals[winner]?.['id'])}`);
  const cancel = ers.post(
    'gp',
    `ServiceRequest/${String(referrals[winner]?.['id'])}/$ers.cancelReferral`,
    parameters(['cancellationReason', 'RAISED_IN_ERROR']),
    ifMatch(version),
  );
  const others = referrals.filter((_, index) => index !== winner).map(({ id }) => ers.post('gp', 'Appointment', ers.appointment(id, slot)));
  const [cancelled, ...booked] = await Promise.all([cancel, ...others]);
  expect(cancelled.status).toBe(200);
  expect(booked.filter(({ status }) => status === 201).length).toBeLessThan(2);
  const live = resourcesOf(await ers.read(`Appointment?slot=Slot/${slot}&status=booked`), 'Appointment');
  expect(live.length).toBe(booked.filter(({ status }) => status === 201).length);
  expect((await ers.read(`Slot/${slot}`))['status']).toBe(live.length === 1 ? 'busy' : 'free');
}, 60_000);
