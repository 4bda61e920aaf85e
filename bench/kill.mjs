// Writes that are cut off: the server is killed (kill -9) at a random moment while it carries one out, started again, and asked the same under
// the same pair of ids until it answers. Each write must have happened once: neither lost nor twice, nor by half.
// Usage: npm run bench:kill -- [--points 100] [--within 40] (ms after the request in which the kill falls;
// without it one and a half times what such a write takes here). Ends with 1 and names what was violated.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { allOf, appointmentOf, askerOf, freeSlotsOf, ifMatch, parameters, resourcesOf, servicesOf, shortlist, stateOf } from './asking.mjs';
import { startServer } from './running.mjs';

const { values } = parseArgs({ options: { points: { type: 'string', default: '100' }, within: { type: 'string' } } });
const data = mkdtempSync(path.join(tmpdir(), 'kill-'));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const patient = ['patient', { valueIdentifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9912003888' } }];

let server;
let ask;
const begin = async () => {
  server = await startServer({ DATA_DIR: data, LOG_LEVEL: 'silent' });
  ask = askerOf(server);
  // the tokens are there before the clock runs
  for (const role of ['gp', 'provider', 'patient', 'system']) await ask(role, 'GET', 'Slot?_count=1');
};
const killed = async () => {
  const gone = new Promise((resolve) => server.child.once('exit', resolve));
  server.child.kill('SIGKILL');
  await gone;
};

const good = async (...request) => {
  const answer = await ask(...request);
  if (answer.status >= 300) throw new Error(`${request[1]} ${request[2]}: ${answer.status} ${answer.text}`);
  return answer.json;
};
const current = (type, id) => good('system', 'GET', `${type}/${id}`);
/** id of the clinic whose slots are booked, known when the server is up */
let service;
const refer = () => good('gp', 'POST', 'ServiceRequest/$ers.createReferral', parameters(patient, ...shortlist(service)));
const freeSlot = async () => resourcesOf(await good('system', 'GET', freeSlotsOf(service, 1)), 'Slot')[0];
const booked = async () => {
  const referral = await refer();
  const slot = await freeSlot();
  return { referral, slot, appointment: await good('gp', 'POST', 'Appointment', appointmentOf(referral.id, slot.id)) };
};
const versions = async (type, id) => resourcesOf(await good('system', 'GET', `${type}/${id}/_history?_count=50`)).length;
const expecting = (what, got, wanted) => (got === wanted ? [] : [`${what}: ${got}, not ${wanted}`]);

/** Kinds of writes: what is asked, and what is wrong afterwards. */
const writes = {
  create: async () => {
    const value = randomUUID();
    const body = { resourceType: 'Patient', identifier: [{ system: 'urn:kill', value }] };
    return {
      request: ['system', 'POST', 'Patient', body],
      wrong: async () => expecting('patients', (await allOf(ask, `Patient?identifier=urn:kill|${value}`)).length, 1),
    };
  },
  refer: async () => {
    const count = async () => (await good('system', 'GET', 'ServiceRequest?_summary=count')).total;
    const before = await count();
    return {
      request: ['gp', 'POST', 'ServiceRequest/$ers.createReferral', parameters(patient, ...shortlist(service))],
      wrong: async () => expecting('referrals', await count(), before + 1),
    };
  },
  book: async () => {
    const referral = await refer();
    const slot = await freeSlot();
    return {
      request: ['gp', 'POST', 'Appointment', appointmentOf(referral.id, slot.id)],
      wrong: async () => [
        ...expecting('appointments', (await allOf(ask, `Appointment?based-on=ServiceRequest/${referral.id}`)).length, 1),
        ...expecting('slot', (await current('Slot', slot.id)).status, 'busy'),
        ...expecting('state', stateOf(await current('ServiceRequest', referral.id)), 'BOOKED'),
        ...expecting('versions of the referral', await versions('ServiceRequest', referral.id), 2),
      ],
    };
  },
  move: async () => {
    const { referral, slot, appointment } = await booked();
    const other = await freeSlot();
    const { start: _start, end: _end, ...rest } = appointment;
    const body = { ...rest, slot: [{ reference: `Slot/${other.id}` }] };
    return {
      request: ['patient', 'PUT', `Appointment/${appointment.id}`, body, ifMatch(appointment)],
      wrong: async () => [
        ...expecting('versions', await versions('Appointment', appointment.id), 2),
        ...expecting('slot before', (await current('Slot', slot.id)).status, 'free'),
        ...expecting('slot after', (await current('Slot', other.id)).status, 'busy'),
        ...expecting('versions of the referral', await versions('ServiceRequest', referral.id), 3),
      ],
    };
  },
  accept: async () => {
    const { referral } = await booked();
    const now = await current('ServiceRequest', referral.id);
    return {
      request: ['provider', 'POST', `ServiceRequest/${referral.id}/$ers.acceptReferral`, undefined, ifMatch(now)],
      wrong: async () => expecting('versions of the referral', await versions('ServiceRequest', referral.id), 3),
    };
  },
  cancel: async () => {
    const { referral, slot } = await booked();
    const now = await current('ServiceRequest', referral.id);
    const body = parameters(['cancellationReason', 'RAISED_IN_ERROR']);
    return {
      request: ['gp', 'POST', `ServiceRequest/${referral.id}/$ers.cancelReferral`, body, ifMatch(now)],
      wrong: async () => [
        ...expecting('versions of the referral', await versions('ServiceRequest', referral.id), 3),
        ...expecting('slot', (await current('Slot', slot.id)).status, 'free'),
      ],
    };
  },
};

/** The same request until there is an answer that stays. 409 `duplicate` says that it was carried out. */
const untilAnswered = async ([role, method, url, body, headers], pair) => {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await ask(role, method, url, body, { ...headers, ...pair });
    if (answer.status !== 425 && answer.status < 500) return answer;
    await pause(100);
  }
  throw new Error(`${method} ${url} was not answered`);
};

const violations = [];
const counts = { 'answered before the kill': 0, 'carried out before the kill': 0, 'carried out when sent again': 0 };
await begin();
service = (await servicesOf(ask, 'DIRECTLY_BOOKABLE'))[0].id;
const measured = performance.now();
for (let n = 0; n < 5; n++) await booked();
const within = values.within === undefined ? ((performance.now() - measured) / 15) * 1.5 : Number(values.within);
const kinds = Object.keys(writes);
for (let point = 0; point < Number(values.points); point++) {
  const kind = kinds[point % kinds.length];
  const { request, wrong } = await writes[kind]();
  const pair = { 'x-request-id': randomUUID(), 'x-correlation-id': randomUUID() };
  const [role, method, url, body, headers] = request;
  const first = ask(role, method, url, body, { ...headers, ...pair }).catch(() => undefined);
  await pause(Math.random() * within);
  await killed();
  const early = await first;
  await begin();
  const again = await untilAnswered(request, pair);
  const repeated = again.status === 409 && again.json?.issue?.[0]?.code === 'duplicate';
  counts[early ? 'answered before the kill' : repeated ? 'carried out before the kill' : 'carried out when sent again']++;
  if (!repeated && again.status >= 300) violations.push(`${point} ${kind}: sent again it was ${again.status} ${again.text.slice(0, 300)}`);
  if (early && early.status < 300 && !repeated) violations.push(`${point} ${kind}: acknowledged, and yet carried out again`);
  violations.push(...(await wrong()).map((what) => `${point} ${kind}: ${what}`));
}
await server.stop();
rmSync(data, { recursive: true, force: true });
console.log(
  `${values.points} kills: ${Object.entries(counts)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ')}`,
);
for (const violation of violations) console.log(violation);
process.exit(violations.length === 0 ? 0 : 1);
