// Measures what clinics and practices do all day: service search, free slots, worklists, bookings. Usage:
// npm run bench:domain -- [--data <folder of a loaded store>] [--seconds 5] [--bookings 100 (a second, offered)] [--only <part of a name>,...]
// Each reading goes round over services, patients and organisations, so that no answer is asked for twice in a row.
import http from 'node:http';
import { parseArgs } from 'node:util';
import { askerOf, freeSlotsOf, headersOf, parameters, resourcesOf, servicesOf } from './asking.mjs';
import { makeBookings } from './bookings.mjs';
import { askFor, bytesOf } from './load.mjs';
import { cpuSeconds, residentMb, startServer } from './running.mjs';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    seconds: { type: 'string', default: '5' },
    bookings: { type: 'string', default: '100' },
    only: { type: 'string' },
  },
});
const isWanted = (name) => values.only === undefined || values.only.split(',').some((part) => name.includes(part));
const seconds = Number(values.seconds);
const offered = Number(values.bookings);
const [connections, sessions] = [16, 50];
/** until the engine has compiled what is asked: seconds of a reading, bookings */
const [warmFor, warming] = [6, 500];
/** bookings a second that are made ready for the closed loop */
const fastest = 400;

const server = await startServer(values.data === undefined ? {} : { DATA_DIR: values.data });
const ask = askerOf(server);
const roleHeaders = headersOf(server);
const agent = new http.Agent({ keepAlive: true, maxSockets: sessions });

/** One request over a kept connection; resolves with its status. */
const send = ({ method, path, headers, body }) =>
  new Promise((resolve, reject) => {
    const request = http.request(`${server.base}/${path}`, { method, headers, agent }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
    });
    request.once('error', reject);
    request.end(body);
  });

const percentile = (sorted, share) => Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1));
const rows = [];
/** A row of the table: `took` in ms each, `wall` and `cpu` in seconds. */
const report = (name, { took, statuses, wall, cpu }) => {
  const sorted = took.sort((a, b) => a - b);
  rows.push({
    name,
    rate: Math.round(took.length / wall),
    p50: percentile(sorted, 0.5),
    p95: percentile(sorted, 0.95),
    p99: percentile(sorted, 0.99),
    'cpu ms': Number(((cpu * 1000) / took.length).toFixed(2)),
    refused: statuses.filter((status) => status >= 400 && status < 500).length,
    '5xx': statuses.filter((status) => status >= 500).length,
  });
};

const toBytes = ({ path, ...request }) => bytesOf({ url: `${server.base}/${path}`, ...request });

/** Each of `workers` takes the next request (bytes) as soon as its last one is answered, until there is none or the time is over. */
const closedLoop = async (name, workers, next, atMost = Number.POSITIVE_INFINITY) => {
  const before = cpuSeconds(server.child.pid);
  const done = await askFor({ origin: server.origin, connections: workers, seconds: atMost, next });
  if (name !== undefined) report(name, { ...done, cpu: cpuSeconds(server.child.pid) - before });
};

/** Requests are due at a fixed rate, whatever the server does: each is timed from when it was due, and waits for one of the sessions. */
const openLoop = async (name, requests) => {
  const [took, statuses] = [[], []];
  const [started, before] = [performance.now(), cpuSeconds(server.child.pid)];
  let number = 0;
  const session = async () => {
    for (let index = number++; index < requests.length; index = number++) {
      const due = started + (index * 1000) / offered;
      const wait = due - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      statuses.push(await send(requests[index]));
      took.push(performance.now() - due);
    }
  };
  await Promise.all(Array.from({ length: sessions }, session));
  report(name, { took, statuses, wall: (performance.now() - started) / 1000, cpu: cpuSeconds(server.child.pid) - before });
};

const jsonOf = async (role, path, body, headers = {}) => ({
  method: 'POST',
  path,
  headers: { ...(await roleHeaders(role)), 'content-type': 'application/fhir+json', ...headers },
  body: JSON.stringify(body),
});

const patientsAtMost = 20;
const placesAtMost = 24;

const patient = resourcesOf((await ask('gp', 'GET', 'Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9912003888')).json, 'Patient')[0];
const patients = resourcesOf((await ask('gp', 'GET', `Patient?_count=${patientsAtMost}`)).json, 'Patient').filter(
  ({ deceasedBoolean, deceasedDateTime }) => deceasedBoolean !== true && deceasedDateTime === undefined,
);
const subjectOf = ({ id }) => ['patient', { valueReference: { reference: `Patient/${id}` } }];
const bookable = await servicesOf(ask, 'DIRECTLY_BOOKABLE');
const anywhere = resourcesOf((await ask('system', 'GET', 'HealthcareService?characteristic=DIRECTLY_BOOKABLE&_count=1000')).json);

/** So many of a list, spread over all of it. */
const spread = (list, most) => list.filter((_, index) => index % Math.ceil(list.length / most) === 0);

/** The requests of a reading, one after the other and round again. */
const reading = async (name, requests) => {
  if (!isWanted(name)) return;
  const all = requests.map(toBytes);
  let number = 0;
  const next = () => all[number++ % all.length];
  await closedLoop(undefined, connections, next, warmFor);
  await closedLoop(name, connections, next, seconds);
};

const codeOf = ([concept], system) => concept.coding.find((coding) => coding.system.endsWith(system))?.code;
const searchFor = async ({ specialty, category }, of) => {
  const criteria = [
    { name: 'priority', valueCode: 'ROUTINE' },
    { name: 'specialty', valueCode: codeOf(specialty, 'eRS-Specialty') },
    { name: 'clinicType', valueCode: category[0].coding[0].code },
  ];
  const body = parameters(['requestType', 'APPOINTMENT_REQUEST'], subjectOf(of), ['searchCriteria', criteria]);
  return jsonOf('gp', 'HealthcareService/$ers.searchHealthcareServicesForPatient', body);
};
const searches = await Promise.all(
  spread(bookable, placesAtMost).flatMap((service, index) => [
    searchFor(service, patients[index % patients.length] ?? patient),
    searchFor(service, patients[(index + 7) % patients.length] ?? patient),
  ]),
);
await reading('service search (A010)', searches);
const gp = await roleHeaders('gp');
await reading(
  'free slots of a service',
  spread(anywhere, 10 * placesAtMost).map(({ id }) => ({ method: 'GET', path: freeSlotsOf(id, 20), headers: gp })),
);
// a referrer has one practice; the provider works for two trusts, and looks at its list whole or by service
const listsOf = async (role, list) => {
  const whole = parameters(['listType', list]);
  const ask = (body, headers) => jsonOf(role, 'ServiceRequest/$ers.fetchworklist', body, headers);
  if (role === 'gp') return [await ask(whole)];
  const other = await ask(whole, { 'nhsd-end-user-organisation-ods': 'R69' });
  const own = await ask(whole);
  const narrowed = spread(bookable, placesAtMost).map(async ({ id }) => [
    own,
    other,
    await ask(parameters(['listType', list], ['service', { valueReference: { reference: `HealthcareService/${id}` } }])),
  ]);
  return (await Promise.all(narrowed)).flat();
};
for (const [role, list] of [
  ['provider', 'REFERRALS_FOR_REVIEW'],
  ['provider', 'APPOINTMENT_SLOT_ISSUES'],
  ['gp', 'LETTERS_OUTSTANDING'],
  ['gp', 'REJECTED_TRIAGE_RESPONSE'],
  ['gp', 'ASSESSMENT_RETURNED_CANCELLED_DNA'],
  ['gp', 'AWAITING_BOOKING'],
  ['provider', 'ADVICE_AND_GUIDANCE_REQUESTS'],
])
  await reading(list, await listsOf(role, list));

const takeFrom = (list) => (list.length === 0 ? undefined : toBytes(list.pop()));

if (isWanted('bookings')) {
  const bodies = await makeBookings(ask, warming + (offered + fastest) * seconds);
  const prepared = await Promise.all(bodies.map((body) => jsonOf('gp', 'Appointment', body)));
  const first = prepared.splice(0, Math.min(warming, Math.floor(prepared.length / 4)));
  await closedLoop(undefined, connections, () => takeFrom(first));
  const open = prepared.splice(0, Math.min(offered * seconds, Math.floor(prepared.length / 2)));
  await openLoop(`bookings, ${offered}/s offered to ${sessions} sessions`, open);
  await closedLoop(`bookings, ${sessions} sessions`, sessions, () => takeFrom(prepared));
}

console.table(rows);
console.log(`times in ms; server ${residentMb(server.child.pid).toFixed(0)} MB`);
agent.destroy();
await server.stop();
process.exitCode = rows.some((row) => row['5xx'] > 0) ? 1 : 0;
