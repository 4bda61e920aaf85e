// A storm of bookings over several server processes, of which one after the other is killed (kill -9) meanwhile. Then a checker proves from
// the API alone: no slot has two bookings, no acknowledged booking is lost, and a booking that was sent again happened once.
// Usage: npm run bench:storm -- [--seconds 60] [--servers 4] [--clients 24] [--slots 40] [--kill-every 4]
// [--patience 60 (s for a request, over all its tries)]; over SQL Server with MSSQL_URL=mssql://... (a login that may create databases).
// Ends with 1 and names what was violated.
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { allOf, appointmentOf, askerOf, freeSlotsOf, ifMatch, parameters, resourcesOf, servicesOf, shortlist } from './asking.mjs';
import { startFleet } from './fleet.mjs';
import { checkAcknowledged, checkHistories, checkReferrals, checkSlots } from './invariants.mjs';

const option = (otherwise) => ({ type: 'string', default: otherwise });
const { values } = parseArgs({
  options: {
    seconds: option('60'),
    servers: option('4'),
    clients: option('24'),
    slots: option('40'),
    'kill-every': option('4'),
    patience: option('60'),
  },
});
/** longer than a killed process's lease on a request, and than the servers take to be quick again */
const giveUpMs = Number(values.patience) * 1000;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const pick = (list) => list[Math.floor(Math.random() * list.length)];

const fleet = await startFleet({ count: Number(values.servers), url: process.env.MSSQL_URL });
const { fetchToken } = await import('../dist/auth/client-token.js');
const [first] = fleet.origins();
const tokens = new Map();
// one token each for the whole storm: what is tried here is the bookings
const tokenOf = (clientId) => {
  const keyFile = path.join(fleet.data, 'clients', `${clientId}.jwk.json`);
  if (!tokens.has(clientId)) tokens.set(clientId, fetchToken({ clientId, keyFile, tokenUrl: `${first}/oauth2/token` }));
  return tokens.get(clientId);
};
const ask = askerOf({ base: `${first}/FHIR/R4`, tokenOf });

/** A request to any server; while one is gone the answer is undefined. */
const anywhere = async (...request) => {
  const elsewhere = askerOf({ base: `${pick(fleet.origins())}/FHIR/R4`, tokenOf });
  return elsewhere(...request, AbortSignal.timeout(20_000)).catch(() => undefined);
};

const counts = new Map();
const count = (what) => counts.set(what, (counts.get(what) ?? 0) + 1);
const violations = new Set();
const acknowledged = new Map();
const acknowledge = ({ json, text }) => {
  const { resourceType: type, id, meta } = json;
  const key = `${type}/${id}/${meta.versionId}`;
  if (acknowledged.has(key)) violations.add(`${key} was acknowledged twice: two writes made one version`);
  acknowledged.set(key, { type, id, version: meta.versionId, text });
};

/** The same request, under the same pair of ids, until somebody gives an answer that stays. Answers of 5xx tell nothing. */
const untilAnswered = async (role, method, url, body, headers) => {
  const pair = { 'x-request-id': randomUUID(), 'x-correlation-id': randomUUID() };
  const until = Date.now() + giveUpMs;
  for (let tries = 1; Date.now() < until; tries++) {
    const answer = await anywhere(role, method, url, body, { ...headers, ...pair });
    if (answer !== undefined && answer.status < 500 && answer.status !== 425) return { answer, tries };
    count(answer === undefined ? 'no answer: sent again' : `${answer.status}: sent again`);
    await pause(50 + Math.random() * 200);
  }
  throw new Error(`${method} ${url} was not answered for ${giveUpMs / 1000} s`);
};
const codeOf = ({ json }) => json?.issue?.[0]?.code;

const service = (await servicesOf(ask, 'DIRECTLY_BOOKABLE'))[0].id;
const slots = resourcesOf((await ask('gp', 'GET', freeSlotsOf(service, values.slots))).json, 'Slot').map(({ id }) => id);
const patients = resourcesOf((await ask('gp', 'GET', 'Patient?_count=50')).json, 'Patient').map(({ id }) => id);
const referrals = [];
/** attempts: a mark of each booking in its comment tells how often it happened */
const attempts = [];

const refer = async () => {
  const patient = { valueReference: { reference: `Patient/${pick(patients)}` } };
  const { answer } = await untilAnswered(
    'gp',
    'POST',
    'ServiceRequest/$ers.createReferral',
    parameters(['patient', patient], ...shortlist(service)),
  );
  if (answer.status === 201) referrals.push(answer.json.id);
  // carried out by a server that was killed before it could answer
  else if (answer.status !== 409 || codeOf(answer) !== 'duplicate')
    violations.add(`a referral was answered ${answer.status}: ${answer.text}`);
  return answer.json.id;
};

const book = async (referral) => {
  const mark = randomUUID();
  const { answer, tries } = await untilAnswered('gp', 'POST', 'Appointment', appointmentOf(referral, pick(slots), { comment: mark }));
  const repeated = answer.status === 409 && codeOf(answer) === 'duplicate';
  const booked = answer.status === 201 || repeated;
  attempts.push({ referral, mark, booked });
  if (answer.status === 201) acknowledge(answer);
  if (repeated && tries === 1) violations.add(`the first try of ${mark} was called a repetition`);
  count(`book ${answer.status} ${repeated ? 'duplicate, done before' : (answer.json?.issue?.[0]?.details?.coding?.[0]?.code ?? '')}`);
  if (!booked && ![409, 422].includes(answer.status)) violations.add(`a booking was answered ${answer.status}: ${answer.text}`);
  return answer.status === 201 ? answer.json : undefined;
};

const cancel = async (appointment) => {
  const reason = { system: 'https://fhir.nhs.uk/CodeSystem/eRS-AppointmentCancellationReason', code: 'PATIENT_HOLIDAY' };
  const changed = { ...appointment, status: 'cancelled', cancelationReason: { coding: [reason] } };
  const { answer } = await untilAnswered('gp', 'PUT', `Appointment/${appointment.id}`, changed, ifMatch(appointment));
  count(`cancel ${answer.status} ${answer.status === 200 ? '' : codeOf(answer)}`);
  if (answer.status === 200) acknowledge(answer);
};

const until = Date.now() + Number(values.seconds) * 1000;
const client = async () => {
  while (Date.now() < until) {
    const referral = await refer();
    for (let left = 4; referral !== undefined && left > 0 && Date.now() < until; left--) {
      const appointment = await book(referral);
      // most give their slot back, so that there are slots to fight for
      if (appointment && Math.random() < 0.8) await cancel(appointment);
    }
  }
};
let kills = 0;
const killer = async () => {
  while (Date.now() < until) {
    await pause(Number(values['kill-every']) * 500 * (1 + Math.random()));
    await fleet.killOne();
    kills++;
  }
};
const started = Date.now();
await Promise.all([killer(), ...Array.from({ length: Number(values.clients) }, client)]);
const seconds = (Date.now() - started) / 1000;

/** Every booking is found by its mark: once when it was acknowledged, once at most when it was refused or nobody knows. */
const checkMarks = async () => {
  const found = [];
  const seen = new Map();
  for (const referral of referrals)
    for (const { comment } of await allOf(ask, `Appointment?based-on=ServiceRequest/${referral}&_count=100`))
      seen.set(comment, (seen.get(comment) ?? 0) + 1);
  for (const { mark, referral, booked } of attempts) {
    const times = seen.get(mark) ?? 0;
    if (times > 1) found.push(`one booking for ServiceRequest/${referral} happened ${times} times`);
    if (booked && times === 0) found.push(`an acknowledged booking for ServiceRequest/${referral} is lost`);
    if (!booked && times > 0) found.push(`a refused booking for ServiceRequest/${referral} happened`);
  }
  return found;
};
if (kills === 0 || !attempts.some(({ booked }) => booked))
  violations.add('nothing was shown: no server was killed, or no booking acknowledged');
const paths = new Set([...acknowledged.values()].map(({ type, id }) => `${type}/${id}`));
for (const found of [
  await checkSlots(ask, slots),
  await checkReferrals(ask, referrals),
  await checkAcknowledged(ask, acknowledged.values()),
  await checkHistories(ask, [...paths, ...slots.map((id) => `Slot/${id}`)]),
  await checkMarks(),
])
  for (const violation of found) violations.add(violation);

console.table([...counts].sort().map(([answer, times]) => ({ answer, times })));
console.log(
  `${kills} kills in ${seconds.toFixed(0)} s; ${attempts.length} bookings tried, ${acknowledged.size} writes acknowledged (${(acknowledged.size / seconds).toFixed(1)} a second), ` +
    `${slots.length} slots and ${referrals.length} referrals checked`,
);
await fleet.stop();
for (const violation of [...violations].slice(0, 50)) console.error(`VIOLATED: ${violation}`);
console.log(violations.size === 0 ? 'Every promise held.' : `${violations.size} violations`);
process.exitCode = violations.size === 0 ? 0 : 1;
