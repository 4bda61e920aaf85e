/** What a provider's own booking system answers, seen through HTTP: nothing is booked or cancelled here that it did not confirm. */
import { codeIn, ersOf, ifMatch, parameters, stateIn } from '../helpers/ers.js';
import { issue } from '../helpers/rest.js';
import { resourcesOf, startServer, type Answer, type Running } from '../helpers/running-server.js';
import type { ProviderAnswer, ProviderBooking } from '../../src/domain/booking/provider-system.js';

type Refusal = Exclude<ProviderAnswer, 'confirmed'>;

let server: Running;
let ers: ReturnType<typeof ersOf>;
let clinic: string;
/** what the provider's system says, and what it was asked */
const provider = { book: 'confirmed' as ProviderAnswer, cancel: 'confirmed' as ProviderAnswer, asked: [] as string[] };
const told = (doing: 'book' | 'cancel') => (booking: ProviderBooking) => {
  provider.asked.push(`${doing} ${booking.slot}`);
  return Promise.resolve(provider[doing]);
};

beforeAll(async () => {
  // in this process, where its parts can be reached
  server = await startServer({ WORKERS: '1' });
  ers = ersOf(server);
  clinic = (await ers.withSlots()).service;
  Object.assign(await server.house(), { providerSystem: { book: told('book'), cancel: told('cancel') } });
}, 120_000);
afterAll(async () => {
  await server.stop();
});
beforeEach(() => {
  Object.assign(provider, { book: 'confirmed', cancel: 'confirmed', asked: [] });
});
jest.setTimeout(60_000);

const freeSlot = async (): Promise<string> => String((await ers.freeSlots(clinic, 1))[0]?.['id']);
const answers: Readonly<Record<Refusal, readonly [status: number, issue: string, code: string]>> = {
  'slot-not-available': [409, 'conflict', 'SLOT_NOT_AVAILABLE'],
  error: [502, 'exception', 'PAS_RESPONDED_WITH_ERROR'],
  'no-answer': [504, 'timeout', 'PAS_NOT_RESPONDING'],
};
const seen = (answer: Answer) => [answer.status, issue(answer)?.code, codeIn(answer)];
const refusals = Object.keys(answers) as readonly Refusal[];

it.each(refusals)('A016: a booking that it answers with %s is not made', async (refusal) => {
  const referral = (await ers.refer([clinic]))['id'];
  const slot = await freeSlot();
  provider.book = refusal;
  expect(seen(await ers.post('gp', 'Appointment', ers.appointment(referral, slot)))).toEqual(answers[refusal]);
  expect(stateIn(await ers.read(`ServiceRequest/${String(referral)}`))).toBe('NOT_BOOKED');
  expect((await ers.read(`Slot/${slot}`))['status']).toBe('free');
  expect(resourcesOf(await ers.read(`Appointment?based-on=ServiceRequest/${String(referral)}`))).toEqual([]);
  // the same request again, once the system answers
  provider.book = 'confirmed';
  expect((await ers.post('gp', 'Appointment', ers.appointment(referral, slot))).status).toBe(201);
});

const ends: Readonly<Record<string, (referral: unknown, appointment: unknown) => Promise<Answer>>> = {
  A034: async (_, appointment) => {
    const path = `Appointment/${String(appointment)}`;
    const cancelled = {
      ...(await ers.read(path)),
      status: 'cancelled',
      cancelationReason: {
        coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-AppointmentCancellationReason', code: 'PATIENT_HOLIDAY' }],
      },
    };
    return server.as('gp', 'PUT', path, cancelled, ifMatch(await ers.versionOf(path)));
  },
  A014: (referral) => ers.on('provider', referral, 'rejectReferral', parameters(['rejectionReason', 'SERVICE_INAPPROPRIATE'])),
  A022: (referral) => ers.on('provider', referral, 'cancelAppointmentActionLater', parameters(['comments', 'Later.'])),
  A036: (referral) => ers.on('gp', referral, 'cancelReferral', parameters(['cancellationReason', 'INTEND_PRIVATE'])),
};

it.each(Object.keys(ends).flatMap((operation) => refusals.map((refusal) => [operation, refusal] as const)))(
  '%s: an end that it answers with %s does not come, and comes when it is asked for again',
  async (operation, refusal) => {
    const referral = (await ers.refer([clinic]))['id'];
    const slot = await freeSlot();
    const appointment = (await ers.book(referral, slot))['id'];
    provider.cancel = refusal;
    expect(seen((await ends[operation]?.(referral, appointment)) as Answer)).toEqual(answers[refusal]);
    expect(stateIn(await ers.read(`ServiceRequest/${String(referral)}`))).toBe('BOOKED');
    expect((await ers.read(`Appointment/${String(appointment)}`))['status']).toBe('booked');
    expect((await ers.read(`Slot/${slot}`))['status']).toBe('busy');
    provider.cancel = 'confirmed';
    expect((await ends[operation]?.(referral, appointment))?.status).toBe(200);
    expect((await ers.read(`Slot/${slot}`))['status']).toBe('free');
  },
);

it('a move takes the new slot first, and gives it back when the old one cannot be given up', async () => {
  const referral = (await ers.refer([clinic]))['id'];
  const slot = await freeSlot();
  const booked = await ers.book(referral, slot);
  const other = await freeSlot();
  const path = `Appointment/${String(booked['id'])}`;
  const move = () => server.as('gp', 'PUT', path, { ...booked, slot: [{ reference: `Slot/${other}` }] }, ifMatch(1));
  provider.cancel = 'no-answer';
  provider.asked = [];
  expect(seen(await move())).toEqual(answers['no-answer']);
  expect(provider.asked).toEqual([`book ${other}`, `cancel ${slot}`, `cancel ${other}`]);
  expect([(await ers.read(`Slot/${slot}`))['status'], (await ers.read(`Slot/${other}`))['status']]).toEqual(['busy', 'free']);
  provider.cancel = 'confirmed';
  expect((await move()).status).toBe(200);
  expect([(await ers.read(`Slot/${slot}`))['status'], (await ers.read(`Slot/${other}`))['status']]).toEqual(['free', 'busy']);
});

it('of two bookings of one slot that it confirmed both, the one that is not committed is given back', async () => {
  const slot = await freeSlot();
  const referrals = await Promise.all([ers.refer([clinic]), ers.refer([clinic])]);
  provider.asked = [];
  const booked = await Promise.all(referrals.map(({ id }) => ers.post('gp', 'Appointment', ers.appointment(id, slot))));
  expect(booked.map(({ status }) => status).sort()).toEqual([201, 409]);
  const count = (doing: string) => provider.asked.filter((one) => one === `${doing} ${slot}`).length;
  expect(count('book') - count('cancel')).toBe(1);
});
