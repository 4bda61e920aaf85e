// nginx with deploy/nginx.conf in front of four server processes, requests at a fixed rate, and each server restarted in turn (SIGTERM, a
// graceful end, a new start): no request may fail. Needs nginx (apt-get install nginx-light).
// Usage: npm run bench:rolling -- [--rate 200] [--restarts 20]; over SQL Server with MSSQL_URL=mssql://... (a login that may create
// databases). Without it the servers share an embedded database: each opens the same file.
import { spawn } from 'node:child_process';
import http from 'node:http';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { appointmentOf, askerOf, freeSlotsOf, headersOf, parameters, resourcesOf, servicesOf, shortlist } from './asking.mjs';
import { freePort, startFleet } from './fleet.mjs';

const option = (otherwise) => ({ type: 'string', default: otherwise });
const { values } = parseArgs({ options: { rate: option('200'), restarts: option('20'), 'drain-ms': option('5000') } });
const count = 4;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const port = await freePort();
const root = `http://127.0.0.1:${port}`;
const settings = { DRAIN_MS: values['drain-ms'] };
const fleet = await startFleet({ count, url: process.env.MSSQL_URL, apart: true, publicUrl: root, settings });

/** deploy/nginx.conf as it stands, with the ports of this run. */
const startNginx = async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'nginx-'));
  const standing = readFileSync(new URL('../deploy/nginx.conf', import.meta.url), 'utf8');
  const conf = fleet.servers.reduce((text, server, at) => text.replace(`127.0.0.1:808${at + 1}`, `127.0.0.1:${server.port}`), standing);
  writeFileSync(path.join(folder, 'nginx.conf'), conf.replace('listen 8080', `listen 127.0.0.1:${port}`));
  const child = spawn('nginx', ['-p', folder, '-c', 'nginx.conf', '-g', 'daemon off;'], { stdio: ['ignore', 'inherit', 'inherit'] });
  child.once('error', (error) => {
    console.error(`nginx does not start: ${error.message}`);
    process.exit(2);
  });
  // a bench that fails leaves nothing running
  process.once('exit', () => child.kill('SIGTERM'));
  await pause(500);
  return async () => {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGQUIT');
    await gone;
    const log = readFileSync(path.join(folder, 'error.log'), 'utf8');
    rmSync(folder, { recursive: true, force: true });
    return log;
  };
};
const stopNginx = await startNginx();

const { fetchToken } = await import('../dist/auth/client-token.js');
const tokenOf = (clientId) =>
  fetchToken({ clientId, keyFile: path.join(fleet.data, 'clients', `${clientId}.jwk.json`), tokenUrl: `${root}/oauth2/token` });
const server = { base: `${root}/FHIR/R4`, tokenOf };
const ask = askerOf(server);
const roleHeaders = headersOf(server);
const services = (await servicesOf(ask, 'DIRECTLY_BOOKABLE')).slice(0, 6).map(({ id }) => id);
const patients = resourcesOf((await ask('gp', 'GET', 'Patient?_count=50')).json, 'Patient').map(({ id }) => id);
const pick = (list) => list[Math.floor(Math.random() * list.length)];

const failures = [];
const took = [];
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
const failed = (what) => {
  failures.push(`${new Date().toISOString()} ${what}`);
};
const send = async (role, method, url, body) => {
  const identity = await roleHeaders(role).catch((error) => failed(error.message));
  if (identity === undefined) return undefined;
  const headers = { ...identity, ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }) };
  const at = performance.now();
  return new Promise((resolve) => {
    const fail = (what) => {
      failed(`${method} ${url}: ${what}`);
      resolve(undefined);
    };
    const request = http.request(`${server.base}/${url}`, { method, headers, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.once('error', (error) => fail(error.message));
      response.once('end', () => {
        took.push(performance.now() - at);
        // a slot that somebody else took is an answer, not a failure
        if (response.statusCode >= 400 && response.statusCode !== 409) fail(`${response.statusCode} ${text.slice(0, 300)}`);
        else resolve({ status: response.statusCode, json: text === '' ? undefined : JSON.parse(text) });
      });
    });
    request.once('error', (error) => fail(error.message));
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
};

/** Mostly reads and searches; every twentieth is a referral that is then booked. */
const one = async (n) => {
  if (n % 20 === 0) {
    const service = pick(services);
    const patient = { valueReference: { reference: `Patient/${pick(patients)}` } };
    const made = await send('gp', 'POST', 'ServiceRequest/$ers.createReferral', parameters(['patient', patient], ...shortlist(service)));
    const free = resourcesOf((await send('gp', 'GET', freeSlotsOf(service, 20)))?.json, 'Slot');
    if (made?.status === 201 && free.length > 0) await send('gp', 'POST', 'Appointment', appointmentOf(made.json.id, pick(free).id));
    return;
  }
  if (n % 3 === 0) await send('gp', 'GET', freeSlotsOf(pick(services), 10));
  else await send('gp', 'GET', n % 3 === 1 ? `Patient/${pick(patients)}` : `HealthcareService/${pick(services)}`);
};

/** ten times what the connections of the client take: more would only wait behind them, and for longer than anybody does */
const mostUnderWay = 640;
let sent = 0;
let heldBack = 0;
let running = true;
const underWay = new Set();
const offer = async () => {
  const started = performance.now();
  for (let due = 0; running; await pause(5))
    for (; due < ((performance.now() - started) * Number(values.rate)) / 1000; due++) {
      if (underWay.size >= mostUnderWay) {
        heldBack++;
        continue;
      }
      const work = one(++sent).finally(() => underWay.delete(work));
      underWay.add(work);
    }
  await Promise.all(underWay);
};
const offering = offer();
const started = Date.now();
await pause(2000);
for (let n = 0; n < Number(values.restarts); n++) {
  const before = failures.length;
  await fleet.restart(fleet.servers[n % count]);
  console.error(`${n + 1} restarted, ${took.length} answers, ${failures.length} failed`);
  for (const failure of failures.slice(before, before + 5)) console.error(`FAILED: ${failure}`);
  await pause(500);
}
running = false;
await offering;
const seconds = (Date.now() - started) / 1000;
const sorted = took.sort((a, b) => a - b);
const percentile = (share) => sorted[Math.floor((sorted.length - 1) * share)].toFixed(1);
const log = await stopNginx();
await fleet.stop();
console.log(
  `${values.restarts} restarts of ${count} servers in ${seconds.toFixed(0)} s, ${took.length} requests (${(took.length / seconds).toFixed(0)} a second): ` +
    `p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms, greatest ${percentile(1)} ms; ${failures.length} failed` +
    (heldBack === 0 ? '' : `; ${heldBack} were not sent, as ${mostUnderWay} were under way: the servers do not keep up with this rate`),
);
for (const failure of failures.slice(0, 30)) console.error(`FAILED: ${failure}`);
if (failures.length > 0) console.error(log.split('\n').slice(-20).join('\n'));
process.exitCode = failures.length > 0 ? 1 : 0;
