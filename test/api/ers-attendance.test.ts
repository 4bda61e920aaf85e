/** What becomes of an appointment whose time has come: the provider says whether the patient came (no endpoint of e-RS does). */
import { codeIn, ersOf, ifMatch, stateIn } from '../helpers/ers.js';
import { suiteServer, type Role } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;

const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let service: string;
let slots: readonly Json[];
beforeAll(async () => {
  ers = ersOf(server);
  ({ service, slots } = await ers.withSlots());
}, 120_000);

/** A booking that began an hour ago, or is yet to be. */
const booked = async (slot: number, begun: boolean): Promise<{ readonly referral: unknown; readonly appointment: Json }> => {
  const referral = (await ers.refer([service]))['id'];
  const appointment = await ers.book(referral, slots[slot]?.['id']);
  if (!begun) return { referral, appointment };
  const [start, end] = [-60, -30].map((minutes) => new Date(Date.now() + minutes * 60_000).toISOString());
  const moved = await server.as('system', 'PUT', `Appointment/${String(appointment['id'])}`, { ...appointment, start, end }, ifMatch(1));
  expect(moved.status).toBe(200);
  return { referral, appointment: moved.json };
};

const put = (appointment: Json, change: Json, role: Role = 'provider') =>
  server.as(
    role,
    'PUT',
    `Appointment/${String(appointment['id'])}`,
    { ...appointment, ...change },
    ifMatch((appointment['meta'] as Json)['versionId']),
  );
const why = (code: string) => ({
  cancelationReason: { coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-AppointmentNonAttendanceReason', code }] },
});

it('attended: without a reason, once it has begun; the slot is used up', async () => {
  const early = await booked(0, false);
  expect(codeIn(await put(early.appointment, { status: 'fulfilled' }))).toBe('INVALID_REQUEST_STATE');
  await put(early.appointment, { status: 'cancelled', cancelationReason: { coding: [{ code: 'CLINIC_CANCELLED' }] } });
  const { referral, appointment } = await booked(0, true);
  expect((await put(appointment, { status: 'fulfilled' }, 'gp')).status).toBe(403);
  const answer = await put(appointment, { status: 'fulfilled' });
  expect([answer.status, answer.json['status']]).toEqual([200, 'fulfilled']);
  expect(stateIn(await ers.read(`ServiceRequest/${String(referral)}`))).toBe('ASSESSMENT_RESULT');
  expect((await ers.read(`Slot/${String(slots[0]?.['id'])}`))['status']).toBe('busy');
});

it('not attended: with a reason of APPOINTMENT-NON-ATTENDANCE-REASON that is in effect, or without', async () => {
  const { referral, appointment } = await booked(1, true);
  expect(codeIn(await put(appointment, { status: 'noshow', ...why('CLINIC_CANCELLED') }))).toBe('INVALID_CODE');
  expect(codeIn(await put(appointment, { status: 'noshow', ...why('OTHER_MIGRATION_FROM_CAB') }))).toBe('INAPPROPRIATE_VALUE');
  const answer = await put(appointment, { status: 'noshow', ...why('PATIENT_FORGOT') });
  expect([answer.status, answer.json['status']]).toEqual([200, 'noshow']);
  expect(stateIn(await ers.read(`ServiceRequest/${String(referral)}`))).toBe('DID_NOT_ATTEND');
  const late = await put(answer.json, { status: 'fulfilled' });
  expect([late.status, codeIn(late)]).toEqual([422, 'INVALID_STATE']);
  const again = await booked(2, true);
  expect((await put(again.appointment, { status: 'noshow' })).status).toBe(200);
});

it('what has begun is neither cancelled nor moved by anybody', async () => {
  const [other] = await ers.freeSlots(service, 1);
  const { appointment } = await (async () => {
    const referral = (await ers.refer([service]))['id'];
    const made = await ers.book(referral, other?.['id']);
    const start = new Date(Date.now() - 3_600_000).toISOString();
    const moved = await server.as('system', 'PUT', `Appointment/${String(made['id'])}`, { ...made, start }, ifMatch(1));
    return { appointment: moved.json };
  })();
  const [free] = await ers.freeSlots(service, 1);
  for (const role of ['gp', 'provider', 'patient'] as const) {
    const cancelled = await put(appointment, { status: 'cancelled', cancelationReason: { coding: [{ code: 'PATIENT_ILL' }] } }, role);
    const moved = await put(appointment, { slot: [{ reference: `Slot/${String(free?.['id'])}` }] }, role);
    expect([role, codeIn(cancelled), codeIn(moved)]).toEqual([role, 'INVALID_REQUEST_STATE', 'INVALID_REQUEST_STATE']);
  }
});
