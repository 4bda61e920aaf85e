/** A provider changes its own slots, but takes none away from a booking or a hold: a slot that a booking took is freed only by ending it. */
import { codeIn, ersOf, ifMatch } from '../helpers/ers.js';
import { issue } from '../helpers/rest.js';
import { suiteServer, type Role } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;

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

const put = async (slot: string, change: Json, role: Role = 'provider') => {
  const current = await ers.read(`Slot/${slot}`);
  return server.as(role, 'PUT', `Slot/${slot}`, { ...current, ...change }, ifMatch((current['meta'] as Json)['versionId']));
};
const statusOf = async (slot: string) => (await ers.read(`Slot/${slot}`))['status'];

it('a booked slot keeps its status and its time until the booking ends; the rest of it is the provider’s', async () => {
  const [slot = '', other = ''] = slots;
  const appointment = await ers.book((await ers.refer([service]))['id'], slot);
  const times = { start: '2030-01-07T09:00:00Z', end: '2030-01-07T09:30:00Z' };
  for (const role of ['provider', 'app'] as const)
    for (const change of [{ status: 'free' }, { status: 'busy-unavailable' }, times]) {
      const answer = await put(slot, change, role);
      expect([role, change, answer.status, codeIn(answer)]).toEqual([role, change, 422, 'INVALID_STATE']);
    }
  const patch = [{ op: 'replace', path: '/status', value: 'free' }];
  const headers = { ...ifMatch(await ers.versionOf(`Slot/${slot}`)), 'content-type': 'application/json-patch+json' };
  expect((await server.as('provider', 'PATCH', `Slot/${slot}`, patch, headers)).status).toBe(422);
  expect(codeIn(await ers.post('system', `Slot/${slot}/$release`))).toBe('INVALID_STATE');
  expect((await put(slot, { comment: 'Room 4' })).status).toBe(200);
  expect(await statusOf(slot)).toBe('busy');
  const moved = { ...appointment, slot: [{ reference: `Slot/${other}` }] };
  expect((await server.as('gp', 'PUT', `Appointment/${String(appointment['id'])}`, moved, ifMatch(1))).status).toBe(200);
  expect(await statusOf(slot)).toBe('free');
  expect((await put(slot, { status: 'busy-unavailable' })).status).toBe(200);
});

it('a held slot is not taken away from who holds it; a free one is the provider’s', async () => {
  const slot = slots[2] ?? '';
  expect((await ers.post('patient', `Slot/${slot}/$hold`)).status).toBe(200);
  for (const status of ['free', 'busy']) {
    const answer = await put(slot, { status });
    expect([answer.status, codeIn(answer)]).toEqual([409, 'SLOT_NOT_AVAILABLE']);
  }
  expect((await ers.post('patient', `Slot/${slot}/$release`)).status).toBe(200);
  expect((await put(slot, { status: 'busy' })).status).toBe(200);
});

it('a slot ends after it starts, whoever writes it, and so does an appointment', async () => {
  const [slot = ''] = slots;
  const { start } = await ers.read(`Slot/${slot}`);
  for (const role of ['provider', 'app', 'system'] as const)
    for (const end of [start, '2020-01-07T09:00:00Z']) {
      const answer = await put(slot, { end }, role);
      expect([role, answer.status, codeIn(answer), issue(answer)?.expression]).toEqual([role, 422, 'INVALID_VALUE', ['Slot.end']]);
    }
  const participant = [{ actor: { display: 'Somebody' }, status: 'accepted' }];
  const appointment = {
    resourceType: 'Appointment',
    status: 'booked',
    participant,
    start: '2030-01-07T09:00:00Z',
    end: '2030-01-07T08:00:00Z',
  };
  const refused = await server.as('system', 'POST', 'Appointment', appointment);
  expect([refused.status, issue(refused)?.expression]).toEqual([422, ['Appointment.end']]);
});

it('a diary in which an appointment or a hold has a slot stays with its service; without them it is the provider’s', async () => {
  const add = async (resource: Json): Promise<string> => {
    const answer = await server.as('provider', 'POST', String(resource['resourceType']), resource);
    expect([answer.text, answer.status]).toEqual([expect.any(String), 201]);
    return String(answer.json['id']);
  };
  const here = [{ reference: `HealthcareService/${service}` }];
  const diary = `Schedule/${await add({ resourceType: 'Schedule', active: true, actor: here })}`;
  const addSlot = (hour: string) =>
    add({
      resourceType: 'Slot',
      schedule: { reference: diary },
      status: 'free',
      start: `2030-01-07T${hour}:00:00Z`,
      end: `2030-01-07T${hour}:30:00Z`,
    });
  const [slot, held] = [await addSlot('09'), await addSlot('10')];
  const other = (await ers.services('DIRECTLY_BOOKABLE')).find(({ id }) => id !== service);
  const actor = [{ reference: `HealthcareService/${String(other?.['id'])}` }];
  const move = async (actors: readonly Json[]) =>
    server.as('provider', 'PUT', diary, { ...(await ers.read(diary)), actor: actors }, ifMatch(await ers.versionOf(diary)));
  const appointment = await ers.book((await ers.refer([service]))['id'], slot);
  const refused = await move(actor);
  expect([refused.status, codeIn(refused), issue(refused)?.expression]).toEqual([422, 'INVALID_STATE', ['Schedule.actor']]);
  const path = `Appointment/${String(appointment['id'])}`;
  const cancelled = {
    ...(await ers.read(path)),
    status: 'cancelled',
    cancelationReason: { coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-AppointmentCancellationReason', code: 'PATIENT_ILL' }] },
  };
  expect((await server.as('gp', 'PUT', path, cancelled, ifMatch(await ers.versionOf(path)))).status).toBe(200);
  expect((await ers.post('patient', `Slot/${held}/$hold`)).status).toBe(200);
  const kept = await move(actor);
  expect([kept.status, codeIn(kept)]).toEqual([409, 'SLOT_NOT_AVAILABLE']);
  expect((await ers.post('patient', `Slot/${held}/$release`)).status).toBe(200);
  expect((await move(actor)).status).toBe(200);
  expect((await move(here)).status).toBe(200);
});
