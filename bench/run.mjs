// Measures this server against two floors over the same engine: a bare hapi route and a bare node:http server that make the same point
// read. All in one run on loopback, so that the ratios mean something on a noisy machine. Usage: npm run bench [-- --seconds 5]
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import autocannon from 'autocannon';

const here = path.dirname(new URL(import.meta.url).pathname);
const seconds = Number(process.argv[process.argv.indexOf('--seconds') + 1]) || 5;
const data = mkdtempSync(path.join(tmpdir(), 'bench-'));

const start = (script, env, pattern) =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const found = pattern.exec(text)?.[1];
      if (found) resolve({ child, origin: found });
    });
    child.once('exit', () => reject(new Error(`${script} stopped: ${text}`)));
  });
const cpuSeconds = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

const rows = [];
const measure = async (name, { child }, options) => {
  await autocannon({ connections: 16, duration: 2, ...options });
  const before = cpuSeconds(child.pid);
  const result = await autocannon({ connections: 16, duration: seconds, ...options });
  const cpu = ((cpuSeconds(child.pid) - before) * 1000) / (result['2xx'] + result.non2xx);
  rows.push({
    name,
    rate: Math.round(result.requests.average),
    p50: result.latency.p50,
    p99: result.latency.p99,
    'cpu ms': Number(cpu.toFixed(3)),
    refused: result.non2xx,
  });
};

const server = await start(
  path.join(here, '../dist/main.js'),
  { PORT: '0', DATA_DIR: data, DEMO: 'true', LOG_LEVEL: 'info' },
  /FHIR base\s+(\S+)\/FHIR\/R4/,
);
server.child.stdout.resume();
const { fetchToken } = await import('../dist/auth/client-token.js');
const token = await fetchToken({
  clientId: 'demo-gp',
  keyFile: path.join(data, 'clients/demo-gp.jwk.json'),
  tokenUrl: `${server.origin}/oauth2/token`,
});
const system = await fetchToken({
  clientId: 'demo-system',
  keyFile: path.join(data, 'clients/demo-system.jwk.json'),
  tokenUrl: `${server.origin}/oauth2/token`,
});
const headers = {
  authorization: `Bearer ${token}`,
  'nhsd-end-user-organisation-ods': 'D82106',
  'nhsd-ers-business-function': 'REFERRING_CLINICIAN',
};
const base = `${server.origin}/FHIR/R4`;
const get = async (url) => (await fetch(`${base}/${url}`, { headers })).json();
const referral = (await get('ServiceRequest?_count=1')).entry[0].resource;
const slot = (await get('Slot?status=free&_count=1')).entry[0].resource;

const floor = await start(path.join(here, 'floor.mjs'), { DATABASE: path.join(data, 'referrals.db'), ID: referral.id }, /listening (\S+)/);
await measure('read, bare node:http', floor, { url: `${floor.origin}/node` });
const hapi = await start(
  path.join(here, 'floor.mjs'),
  { DATABASE: path.join(data, 'referrals.db'), ID: referral.id, HAPI: '1' },
  /listening (\S+)/,
);
await measure('read, bare hapi route', hapi, { url: `${hapi.origin}/hapi` });
await measure('read', server, { url: `${base}/ServiceRequest/${referral.id}`, headers });
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

console.table(rows);
const [, bare, read] = rows;
console.log(`read / bare hapi route: ${(read.rate / bare.rate).toFixed(2)}; CPU of a read: ${read['cpu ms']} ms`);
for (const { child } of [server, floor, hapi]) {
  child.removeAllListeners('exit');
  child.kill('SIGTERM');
  await new Promise((resolve) => child.once('exit', resolve));
}
rmSync(data, { recursive: true, force: true });
