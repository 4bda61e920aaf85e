/**
 * Random walks of several actors at once over a few referrals and slots of a whole server. Then what must always hold is checked in what the
 * server shows of its store: of records, of their history, of worklists and counters, and of the audit.
 */
import { codeIn, ersOf, ifMatch, nhsNumber, parameters, stateIn } from '../helpers/ers.js';
import { resourcesOf, type Answer, type Role, suiteServer } from '../helpers/running-server.js';
import { whenTold } from '../helpers/when-told.js';
import { transitions } from '../../src/domain/referral/transitions.js';

type Json = Readonly<Record<string, unknown>>;

const referralsWanted = 6;
const stepsEach = 60;
const actors = ['gp', 'provider', 'patient', 'gp', 'provider'] as const;

const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let clinic: string;
let triage: string;
let slots: readonly string[];
let referrals: readonly string[];
/** what was answered, to see that the walks go somewhere */
const answered = new Map<string, number>();
const unexpected: string[] = [];

/** A walk can be taken again by its seed. */
const seed = Number(process.env['WALK_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const randomOf = (start: number) => {
  let state = start || 1;
  return (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
};

const reason = (code: string) => ({
  cancelationReason: { coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-AppointmentCancellationReason', code }] },
});

type Move = (role: Role, referral: string, slot: string) => Promise<Answer | undefined>;

const currentOf = async (role: Role, referral: string): Promise<Json | undefined> =>
  resourcesOf((await server.as(role, 'GET', `Appointment?based-on=ServiceRequest/${referral}&status=booked`)).json, 'Appointment')[0];

const changed = async (role: Role, referral: string, change: (appointment: Json) => Json): Promise<Answer | undefined> => {
  const appointment = await currentOf(role, referral);
  if (!appointment) return undefined;
  const { versionId } = appointment['meta'] as { versionId: string };
  return server.as(role, 'PUT', `Appointment/${String(appointment['id'])}`, { ...appointment, ...change(appointment) }, ifMatch(versionId));
};

const defer = (referral: string, code: string, service: string) => ({
  resourceType: 'Appointment',
  status: 'proposed',
  basedOn: [{ reference: `ServiceRequest/${referral}` }],
  reasonCode: [{ coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-ReviewReason', code }] }],
  participant: [{ actor: { reference: `HealthcareService/${service}` }, status: 'accepted' }],
});

const moves: Readonly<Record<string, Move>> = {
  book: (role, referral, slot) => ers.post(role, 'Appointment', ers.appointment(referral, slot)),
  'book again': (role, referral, slot) => ers.post(role, 'Appointment', ers.appointment(referral, slot)),
  move: (role, referral, slot) =>
    changed(role, referral, ({ start: _start, end: _end, ...rest }) => ({ ...rest, slot: [{ reference: `Slot/${slot}` }] })),
  'cancel the appointment': (role, referral) => changed(role, referral, () => ({ status: 'cancelled', ...reason('PATIENT_HOLIDAY') })),
  hold: (role, _, slot) => ers.post(role, `Slot/${slot}/$hold`),
  release: (role, _, slot) => ers.post(role, `Slot/${slot}/$release`),
  defer: (role, referral) => ers.post(role, 'Appointment', defer(referral, 'BOOKING_ATTEMPT_PROBLEM', clinic)),
  triage: (role, referral) => ers.post(role, 'Appointment', defer(referral, 'TRIAGE', triage)),
  accept: (role, referral) => ers.on(role, referral, 'acceptReferral'),
  reject: (role, referral) => ers.on(role, referral, 'rejectReferral', parameters(['rejectionReason', 'OTHER'])),
  'act later': (role, referral) => ers.on(role, referral, 'cancelAppointmentActionLater', parameters(['comments', 'Later.'])),
  return: (role, referral) =>
    ers.on(
      role,
      referral,
      'recordReviewOutcome',
      parameters(['reviewOutcome', 'RETURN_TO_REFERRER_WITH_ADVICE'], ['reviewComments', 'Try this.']),
    ),
  keep: (role, referral) =>
    ers.on(
      role,
      referral,
      'recordReviewOutcome',
      parameters(['reviewOutcome', 'ACCEPT_REFER_BOOK_LATER'], ['reviewComments', 'We call.'], ['reviewPriority', 'URGENT']),
    ),
  'change the shortlist': (role, referral) =>
    ers.on(
      role,
      referral,
      'changeShortlist',
      parameters(['shortlist', `HealthcareService/${triage}`], ['shortlist', `HealthcareService/${clinic}`]),
    ),
  'change it back': (role, referral) =>
    ers.on(
      role,
      referral,
      'changeShortlist',
      parameters(['shortlist', `HealthcareService/${clinic}`], ['shortlist', `HealthcareService/${triage}`]),
    ),
};
const names = Object.keys(moves);

/** Cancels for certain: who is overtaken between the read and the write reads again. */
const cancel = async (referral: string | undefined): Promise<void> => {
  const { status } = await ers.on('gp', referral, 'cancelReferral', parameters(['cancellationReason', 'RAISED_IN_ERROR']));
  if (status === 409 || status === 412) await cancel(referral);
};

beforeAll(async () => {
  ers = ersOf(server);
  const found = await ers.withSlots();
  clinic = found.service;
  triage = String((await ers.services('REVIEW'))[0]?.['id']);
  slots = (await ers.freeSlots(clinic, 5)).map(({ id }) => String(id));
  const made = await Promise.all(Array.from({ length: referralsWanted }, () => ers.refer([clinic, triage])));
  referrals = made.map(({ id }) => String(id));
  await Promise.all(
    actors.map(async (role, index) => {
      const random = randomOf(seed + index * 7919);
      for (let step = 0; step < stepsEach; step++) {
        const name = names[random(names.length)] ?? 'book';
        const answer = await moves[name]?.(role, referrals[random(referrals.length)] ?? '', slots[random(slots.length)] ?? '');
        // one referral ends for good in the middle of it all
        if (index === 0 && step === stepsEach / 2) await cancel(referrals[0]);
        if (!answer) continue;
        const what = `${name} ${String(answer.status)}`;
        answered.set(what, (answered.get(what) ?? 0) + 1);
        if (answer.status >= 500 || answer.status === 400)
          unexpected.push(`${role} ${what} ${codeIn(answer)} ${answer.text.slice(0, 300)}`);
      }
    }),
  );
}, 300_000);
jest.setTimeout(120_000);

const historyOf = async (path: string): Promise<readonly Json[]> => resourcesOf(await ers.read(`${path}/_history?_count=1000`));
const versionOf = (resource: Json): number => Number((resource['meta'] as { versionId: string }).versionId);

it('the walks went somewhere, and no answer was a fault', () => {
  expect([seed, unexpected]).toEqual([seed, []]);
  const done = [...answered].filter(([what]) => /20[01]$/.test(what)).reduce((sum, [, count]) => sum + count, 0);
  expect(done).toBeGreaterThan(20);
});

it('a referral has a current appointment exactly when it is booked, and never two', async () => {
  for (const referral of referrals) {
    const state = stateIn(await ers.read(`ServiceRequest/${referral}`));
    const current = resourcesOf(await ers.read(`Appointment?based-on=ServiceRequest/${referral}&status=booked`), 'Appointment');
    expect([seed, referral, state, current.length]).toEqual([seed, referral, state, state === 'BOOKED' ? 1 : 0]);
    const open = resourcesOf(await ers.read(`Task?focus=ServiceRequest/${referral}&status=requested`), 'Task');
    const waits = ['DEFERRED_TO_PROVIDER', 'AWAITING_TRIAGE', 'TRIAGED_PROVIDER_TO_ACTION'].includes(state);
    expect([seed, referral, state, open.length]).toEqual([seed, referral, state, waits ? 1 : 0]);
  }
});

it('a slot is busy exactly when one appointment has it', async () => {
  for (const slot of slots) {
    const { status } = await ers.read(`Slot/${slot}`);
    const live = resourcesOf(await ers.read(`Appointment?slot=Slot/${slot}&status=booked`), 'Appointment');
    expect([seed, slot, live.length]).toEqual([seed, slot, status === 'busy' ? 1 : 0]);
  }
});

it('versions grow by one, each state follows from the one before by an edge of the table, and the last state stays', async () => {
  const edges = Object.values(transitions);
  for (const referral of referrals) {
    const history = [...(await historyOf(`ServiceRequest/${referral}`))].reverse();
    expect(history.map(versionOf)).toEqual(history.map((_, index) => index + 1));
    const states = history.map(stateIn);
    states.slice(1).forEach((state, index) => {
      const before = states[index] ?? '';
      const allowed = edges.some(
        ({ from, to }) => (from as readonly string[]).includes(before) && (to === state || (to === 'same' && before === state)),
      );
      expect([seed, before, state, allowed]).toEqual([seed, before, state, true]);
      expect(before).not.toBe('CANCELLED_REFERRAL');
    });
  }
  expect(stateIn(await ers.read(`ServiceRequest/${referrals[0] ?? ''}`))).toBe('CANCELLED_REFERRAL');
  for (const slot of slots) {
    const versions = (await historyOf(`Slot/${slot}`)).map(versionOf);
    expect(versions).toEqual(versions.map((_, index) => versions.length - index));
  }
});

it('worklists hold each referral where its state says, once', async () => {
  const listed = async (role: Role, list: string): Promise<readonly string[]> => {
    const answer = await ers.post(role, 'ServiceRequest/$ers.fetchworklist', parameters(['listType', list], ['count', 1000]));
    const entries = (answer.json['entry'] ?? []) as readonly { item: { reference: string } }[];
    return entries.map(({ item }) => item.reference.split('/')[1] ?? '').filter((id) => referrals.includes(id));
  };
  const lists = [
    ['gp', 'AWAITING_BOOKING', ['NOT_BOOKED']],
    ['gp', 'REJECTED_TRIAGE_RESPONSE', ['REJECTED', 'TRIAGE_RESPONSE']],
    ['gp', 'ASSESSMENT_RETURNED_CANCELLED_DNA', ['APPT_CANCELLED_BY_PATIENT', 'APPT_CANCELLED_BY_PROVIDER']],
    ['provider', 'APPOINTMENT_SLOT_ISSUES', ['DEFERRED_TO_PROVIDER', 'TRIAGED_PROVIDER_TO_ACTION']],
  ] as const;
  const states = new Map(await Promise.all(referrals.map(async (id) => [id, stateIn(await ers.read(`ServiceRequest/${id}`))] as const)));
  for (const [role, list, wanted] of lists) {
    const expected = referrals.filter((id) => (wanted as readonly string[]).includes(states.get(id) ?? ''));
    expect([seed, list, [...(await listed(role, list))].sort()]).toEqual([seed, list, [...expected].sort()]);
  }
});

it('the counters of A010 are what a search of slots finds', async () => {
  const service = await ers.read(`HealthcareService/${clinic}`);
  const code = (element: string, system: string): string =>
    (service[element] as readonly { coding: readonly { system: string; code: string }[] }[])
      .flatMap(({ coding }) => coding)
      .find((coding) => coding.system.endsWith(system))?.code ?? '';
  const found = await ers.post(
    'gp',
    'HealthcareService/$ers.searchHealthcareServicesForPatient',
    parameters(
      ['requestType', 'APPOINTMENT_REQUEST'],
      ['patient', nhsNumber],
      ['availabilityDays', 365],
      [
        'searchCriteria',
        [
          { name: 'priority', valueCode: 'ROUTINE' },
          { name: 'specialty', valueCode: code('specialty', 'eRS-Specialty') },
          { name: 'clinicType', valueCode: code('category', 'eRS-ClinicType') },
        ],
      ],
    ),
  );
  const entries = found.json['entry'] as readonly { item: { reference: string }; extension: readonly { extension: readonly Json[] }[] }[];
  const mine = entries.find(({ item }) => item.reference === `HealthcareService/${clinic}`);
  const counted = mine?.extension[0]?.extension.find(({ url }) => url === 'freeSlots')?.['valueUnsignedInt'];
  const now = new Date().toISOString();
  const free = await ers.read(`Slot?schedule.actor=HealthcareService/${clinic}&status=free&start=ge${now}&_summary=count`);
  expect(counted).toBe(free['total']);
});

const appointmentsOf = async (referral: string): Promise<readonly string[]> =>
  resourcesOf(await ers.read(`Appointment?based-on=ServiceRequest/${referral}&_count=1000`), 'Appointment').map(({ id }) => String(id));
const timeOf = (resource: Json): string => (resource['meta'] as { lastUpdated: string }).lastUpdated;
const slotOf = ({ status, slot }: Json): string | undefined =>
  status === 'booked' ? (slot as readonly { reference: string }[])[0]?.reference : undefined;

it('a slot that a booking took is freed with its end or its move, at the same moment, and what ended stays', async () => {
  const histories = await Promise.all(
    (await Promise.all(referrals.map(appointmentsOf))).flat().map(async (id) => [...(await historyOf(`Appointment/${id}`))].reverse()),
  );
  /** when a booking left a slot */
  const left: (readonly [string, number])[] = [];
  for (const history of histories) {
    expect(history.map(versionOf)).toEqual(history.map((_, index) => index + 1));
    history.slice(1).forEach((version, index) => {
      const before = history[index] ?? {};
      expect([seed, before['status']]).toEqual([seed, 'booked']);
      if (slotOf(before) !== slotOf(version)) left.push([String(slotOf(before)), Date.parse(timeOf(version))]);
    });
  }
  for (const slot of slots) {
    const history = [...(await historyOf(`Slot/${slot}`))].reverse();
    const freed = history.slice(1).filter((_, index) => history[index]?.['status'] === 'busy');
    const told = left.filter(([one]) => one === `Slot/${slot}`).map(([, when]) => when);
    const times = freed.map((version) => Date.parse(timeOf(version)));
    expect([seed, slot, times.length]).toEqual([seed, slot, told.length]);
    // the records of one commit are stamped one after the other
    told
      .sort((a, b) => a - b)
      .forEach((when, index) => {
        expect(Math.abs(when - (times[index] ?? 0))).toBeLessThan(1000);
      });
    expect(freed.filter(({ status }) => status !== 'free')).toEqual([]);
  }
});

it('every version of a referral, its appointments and tasks is kept, and is in the audit', async () => {
  for (const referral of referrals) {
    const tasks = resourcesOf(await ers.read(`Task?focus=ServiceRequest/${referral}&_count=1000`), 'Task');
    const appointments = await appointmentsOf(referral);
    const paths = [
      `ServiceRequest/${referral}`,
      ...appointments.map((id) => `Appointment/${id}`),
      ...tasks.map(({ id }) => `Task/${String(id)}`),
    ];
    for (const path of paths) {
      const history = await historyOf(path);
      const current = await ers.read(path);
      expect([path, history.map(versionOf)]).toEqual([path, history.map((_, index) => versionOf(current) - index)]);
      expect(history.at(-1) && versionOf(history.at(-1) ?? {})).toBe(1);
    }
    const versions = (await historyOf(`ServiceRequest/${referral}`)).length;
    const succeeded = await whenTold(
      async () =>
        resourcesOf(await ers.read(`AuditEvent?entity=ServiceRequest/${referral}&action=C,U,E&_count=1000`), 'AuditEvent').filter(
          ({ outcome }) => outcome === '0',
        ),
      ({ length }) => length >= versions,
    );
    expect([seed, referral, succeeded.length >= versions]).toEqual([seed, referral, true]);
  }
});

// the last: it gives the holds back
it('a slot is busy-tentative exactly when somebody holds it, and one alone', async () => {
  for (const slot of slots) {
    const { status } = await ers.read(`Slot/${slot}`);
    const released = await Promise.all((['gp', 'patient'] as const).map((role) => ers.post(role, `Slot/${slot}/$release`)));
    const holders = released.filter((answer) => answer.status === 200).length;
    expect([seed, slot, status, holders]).toEqual([seed, slot, status, status === 'busy-tentative' ? 1 : 0]);
    const after = await ers.read(`Slot/${slot}`);
    expect([seed, slot, after['status']]).toEqual([seed, slot, status === 'busy-tentative' ? 'free' : status]);
  }
});
