// Clients run mixed journeys against a server of their own; then a checker proves from the API alone that nothing went wrong.
// Usage: npm run bench:soak -- [--minutes 10] [--clients 20] [--data <folder of a loaded store>]; ends with 1 and names what was violated.
import { parseArgs } from 'node:util';
import { allOf, askerOf, freeSlotsOf, resourcesOf, servicesOf } from './asking.mjs';
import { checkAcknowledged, checkHistories, checkPage, checkReferrals, checkRetried, checkSlots } from './invariants.mjs';
import { stepsOf, wander } from './journeys.mjs';
import { cpuSeconds, residentMb, startServer } from './running.mjs';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, clients: { type: 'string', default: '20' }, data: { type: 'string' } },
});
const pagesEveryMs = 500;
const servicesAtMost = 12;

const violations = new Set();
const acknowledged = new Map();
const answers = new Map();
const ledger = { referrals: [], slots: new Set(), retried: [] };

const watch = ({ role, method, path, answer }) => {
  const { status, json, headers } = answer;
  if (status >= 500) violations.add(`${role} ${method} ${path} answered ${status}: ${answer.text.slice(0, 300)}`);
  if (method === 'GET' || status >= 300 || !json?.meta?.versionId) return;
  const { resourceType: type, id, meta } = json;
  if (!['ServiceRequest', 'Appointment', 'Task', 'Slot'].includes(type)) return;
  const key = `${type}/${id}/${meta.versionId}`;
  if (acknowledged.has(key)) violations.add(`${key} was acknowledged twice: two writes made one version`);
  acknowledged.set(key, { type, id, version: meta.versionId, text: answer.text, etag: headers.get('etag') });
};

const settings = values.data === undefined ? {} : { DATA_DIR: values.data };
const server = await startServer(settings);
const ask = askerOf(server, watch);

/** Which services, patients and specialties the clients use. */
const lookAround = async () => {
  const services = await servicesOf(ask, 'DIRECTLY_BOOKABLE');
  const isFree = await Promise.all(
    services.map(async ({ id }) => resourcesOf((await ask('system', 'GET', freeSlotsOf(id, 1))).json).length > 0),
  );
  const bookable = services.filter((_, index) => isFree[index]);
  const triage = await servicesOf(ask, 'REVIEW');
  const codeOf = (concepts) => concepts?.[0]?.coding ?? [];
  const practice = 'https://fhir.nhs.uk/Id/ods-organization-code|D82106';
  const patients = resourcesOf((await ask('gp', 'GET', `Patient?general-practitioner.identifier=${practice}&_count=50`)).json, 'Patient');
  const self = (await ask('patient', 'GET', 'Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9912003888')).json;
  return {
    bookable: bookable.slice(0, servicesAtMost).map(({ id }) => id),
    triage: triage.slice(0, servicesAtMost).map(({ id }) => id),
    // half of the referrals are of the patient who has a client of his own
    patients: patients.flatMap((patient) => [patient, resourcesOf(self, 'Patient')[0]]),
    specialties: bookable
      .map(({ specialty, category }) => ({
        specialty: codeOf(specialty).find(({ system }) => system.endsWith('eRS-Specialty'))?.code,
        clinicType: codeOf(category)[0]?.code,
      }))
      .filter(({ specialty, clinicType }) => specialty !== undefined && clinicType !== undefined),
  };
};

const done = (step, answer) => {
  const key = `${step} ${answer?.status ?? 'nothing to do'} ${answer?.json?.issue?.[0]?.details?.coding?.[0]?.code ?? ''}`.trim();
  answers.set(key, (answers.get(key) ?? 0) + 1);
};

const world = await lookAround();
const steps = stepsOf(ask, world, ledger);
const since = new Date().toISOString();
const until = Date.now() + Number(values.minutes) * 60_000;
const before = cpuSeconds(server.child.pid);
const watchPages = async () => {
  while (Date.now() < until) {
    for (const violation of await checkPage(ask, since)) violations.add(violation);
    await new Promise((resolve) => setTimeout(resolve, pagesEveryMs));
  }
};
await Promise.all([watchPages(), ...Array.from({ length: Number(values.clients) }, () => wander(steps, ledger, until, done))]);
const used = cpuSeconds(server.child.pid) - before;

const ids = ledger.referrals.map(({ id }) => id);
const appointments = (await allOf(ask, `Appointment?_lastUpdated=ge${since}&_count=200`)).filter(
  (one) => one.resourceType === 'Appointment',
);
for (const { slot } of appointments) if (slot) ledger.slots.add(slot[0].reference.replace('Slot/', ''));
const touched = [
  ...ids.map((id) => `ServiceRequest/${id}`),
  ...appointments.map(({ id }) => `Appointment/${id}`),
  ...[...ledger.slots].map((id) => `Slot/${id}`),
];
for (const found of [
  await checkReferrals(ask, ids),
  await checkSlots(ask, ledger.slots),
  await checkHistories(ask, touched),
  await checkAcknowledged(ask, acknowledged.values()),
  await checkRetried(ask, ledger.retried),
])
  for (const violation of found) violations.add(violation);

if (ledger.slots.size === 0) violations.add('nothing was booked: this run proves nothing of bookings');
console.table([...answers].sort().map(([step, count]) => ({ step, count })));
console.log(
  `${ids.length} referrals, ${appointments.length} appointments, ${ledger.slots.size} slots, ${acknowledged.size} acknowledged writes checked; ` +
    `server: ${used.toFixed(0)} s of CPU, ${residentMb(server.child.pid).toFixed(0)} MB`,
);
await server.stop();
for (const violation of [...violations].slice(0, 50)) console.error(`VIOLATED: ${violation}`);
console.log(violations.size === 0 ? 'Every promise held.' : `${violations.size} violations`);
process.exitCode = violations.size === 0 ? 0 : 1;
