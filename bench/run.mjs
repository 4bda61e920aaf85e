// Measures this server's reads, searches, creates and bookings beside two floors over the same engine: a bare hapi route and a bare
// node:http server that make the same point read. All in one run on loopback, so that the ratios mean something on a noisy machine. Usage: npm run bench [-- --seconds 5]
import path from 'node:path';
import { askerOf } from './asking.mjs';
import { makeBookings } from './bookings.mjs';
import { load } from './load.mjs';
import { cpuSeconds, start, startServer, stop } from './running.mjs';

const seconds = Number(process.argv[process.argv.indexOf('--seconds') + 1]) || 5;

const rows = [];
/** bookings before those that are measured, and these */
const [warming, booked] = [100, 400];
const measure = async (name, { child }, request) => {
  await load({ seconds: 2, ...request, ...(request.bodies && { bodies: request.bodies.splice(0, warming) }) });
  const before = cpuSeconds(child.pid);
  const { answers, ...figures } = await load({ seconds, ...request });
  rows.push({ name, ...figures, 'cpu ms': Number((((cpuSeconds(child.pid) - before) * 1000) / answers).toFixed(3)) });
};

const median = (numbers) => [...numbers].sort((one, other) => one - other)[numbers.length >> 1];
/** Rows that are measured in turns of a second: what a noisy machine does to one it does to the others. Each figure is the median of its turns. */
const compare = async (measured) => {
  for (const [, , request] of measured) await load({ seconds: 2, ...request });
  const turns = measured.map(() => []);
  for (let turn = 0; turn < 2 * seconds; turn++)
    for (const [at, [, { child }, request]] of measured.entries()) {
      const before = cpuSeconds(child.pid);
      const { answers, ...figures } = await load({ seconds: 1, ...request });
      turns[at].push({ ...figures, 'cpu ms': ((cpuSeconds(child.pid) - before) * 1000) / answers });
    }
  for (const [at, [name]] of measured.entries()) {
    const of = (key) => Number(median(turns[at].map((turn) => turn[key])).toFixed(3));
    rows.push({
      name,
      rate: of('rate'),
      p50: of('p50'),
      p99: of('p99'),
      refused: turns[at].reduce((sum, { refused }) => sum + refused, 0),
      'cpu ms': of('cpu ms'),
    });
  }
};

const server = await startServer();
const [token, system] = [await server.tokenOf('demo-gp'), await server.tokenOf('demo-system')];
const headers = {
  authorization: `Bearer ${token}`,
  'nhsd-end-user-organisation-ods': 'D82106',
  'nhsd-ers-business-function': 'REFERRING_CLINICIAN',
};
const { base } = server;
const get = async (url) => (await fetch(`${base}/${url}`, { headers })).json();
const referral = (await get('ServiceRequest?_count=1')).entry[0].resource;
const slot = (await get('Slot?status=free&_count=1')).entry[0].resource;

const floorOf = (more) =>
  start('floor.mjs', { DATABASE: path.join(server.data, 'referrals.db'), ID: referral.id, ...more }, /listening (\S+)/);
const floor = await floorOf({});
await measure('read, bare node:http', floor, { url: `${floor.origin}/node` });
const hapi = await floorOf({ HAPI: '1' });
await compare([
  ['read, bare hapi route', hapi, { url: `${hapi.origin}/hapi` }],
  ['read', server, { url: `${base}/ServiceRequest/${referral.id}`, headers }],
]);
await measure('search referrals of a patient', server, {
  url: `${base}/ServiceRequest?patient=${referral.subject.reference}&status=active`,
  headers,
});
await measure('search free slots', server, {
  url: `${base}/Slot?schedule=${slot.schedule.reference}&status=free&_sort=start&_count=20`,
  headers,
});
const json = { authorization: `Bearer ${system}`, 'content-type': 'application/fhir+json', prefer: 'return=minimal' };
const { id: _id, meta: _meta, identifier: _identifier, ...copy } = referral;
await measure('create a referral (system)', server, {
  url: `${base}/ServiceRequest`,
  method: 'POST',
  headers: json,
  body: JSON.stringify(copy),
});
await measure('create an appointment (system)', server, {
  url: `${base}/Appointment`,
  method: 'POST',
  headers: json,
  body: JSON.stringify({
    resourceType: 'Appointment',
    status: 'booked',
    start: '2027-01-04T09:00:00Z',
    end: '2027-01-04T09:30:00Z',
    participant: [{ actor: { reference: referral.subject.reference }, status: 'accepted' }],
  }),
});

const bookings = await makeBookings(askerOf(server), warming + booked);
await measure('book a slot', server, {
  url: `${base}/Appointment`,
  method: 'POST',
  headers: { ...headers, 'content-type': 'application/fhir+json' },
  connections: 50,
  bodies: bookings.map((body) => JSON.stringify(body)),
});

const [, bare, read] = rows;
console.table(rows.map((row) => ({ ...row, 'of bare hapi': Number((row.rate / bare.rate).toFixed(3)) })));
console.log(`read / bare hapi route: ${(read.rate / bare.rate).toFixed(2)}; CPU of a read: ${read['cpu ms']} ms`);
await Promise.all([stop(floor.child), stop(hapi.child)]);
await server.stop();
