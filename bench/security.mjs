// Measures what security costs and whether it can be told from outside: tokens a second on one core, a verified token, "not there" against
// "not yours", and one client's flood against another's requests. Usage: npm run bench:security [-- --tokens 1500] [--requests 1000] [--flood 100000]
import { execFile, execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { openKeyring } from '../dist/auth/keyring.js';
import { askerOf, headersOf } from './asking.mjs';
import { after, calmTimes, flooded, percentile } from './calm.mjs';
import { cpuSeconds, startServer } from './running.mjs';

const option = (name, standard) => Number(process.argv[process.argv.indexOf(`--${name}`) + 1]) || standard;
const [tokens, requests, flood] = [option('tokens', 1500), option('requests', 1000), option('flood', 100_000)];
/** a flood ends then, however many requests it has sent */
const floodSeconds = 150;
const run = promisify(execFile);
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const failures = [];
const demand = (name, value, holds, target) => {
  console.log(`${name}: ${value} (target ${target})${holds ? '' : ' MISSED'}`);
  if (!holds) failures.push(name);
};

/** The form of a token request with an assertion of its own. */
const formOf = (clientId, jwk, tokenUrl) => {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: clientId, sub: clientId, aud: tokenUrl, jti: randomUUID(), exp: now + 280 };
  const text = `${part({ alg: 'RS512', typ: 'JWT', kid: jwk.kid })}.${part(claims)}`;
  const assertion = `${text}.${sign('sha512', Buffer.from(text), { key: jwk, format: 'jwk' }).toString('base64url')}`;
  return new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  }).toString();
};
const tokenOf = async (origin, clientId, jwk) => {
  const url = `${origin}/oauth2/token`;
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: formOf(clientId, jwk, url),
  });
  return (await response.json()).access_token;
};

/** Holds a process and its threads to one core, where the system can. */
const pin = (pid) => {
  try {
    execFileSync('taskset', ['-a', '-p', '-c', '0', String(pid)], { stdio: 'ignore' });
    return true;
  } catch {
    console.log('not held to one core: taskset is not there; the rate is then by CPU time');
    return false;
  }
};

const tokenRate = async (server) => {
  const jwk = JSON.parse(readFileSync(path.join(server.data, 'clients', 'demo-system.jwk.json'), 'utf8'));
  const url = `${server.origin}/oauth2/token`;
  const post = async (body) => {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body });
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`token refused: ${response.status}`);
  };
  const forms = Array.from({ length: tokens + 300 }, () => formOf('demo-system', jwk, url));
  for (const form of forms.splice(0, 300)) await post(form);
  pin(server.child.pid);
  const [cpu, started] = [cpuSeconds(server.child.pid), performance.now()];
  const lanes = Array.from({ length: 32 }, async () => {
    for (let form = forms.pop(); form !== undefined; form = forms.pop()) await post(form);
  });
  await Promise.all(lanes);
  const seconds = (performance.now() - started) / 1000;
  const used = cpuSeconds(server.child.pid) - cpu;
  console.log(`tokens: ${(tokens / seconds).toFixed(0)}/s by the clock, ${((used * 1000) / tokens).toFixed(2)} ms of CPU each`);
  demand('tokens a second of one core', (tokens / used).toFixed(0), tokens / used >= 300, '>= 300');
};

const verifiedToken = async () => {
  const entries = new Map();
  const store = {
    listEntries: async () => [...entries.values()],
    commit: async ({ entries: puts }) => puts.forEach((put) => entries.set(put.key, { ...put, version: put.version + 1 })),
  };
  const keys = await openKeyring({ store, clock: Date.now, rotationMs: 86_400_000 });
  const exp = Math.floor(Date.now() / 1000) + 600;
  const token = await keys.sign({ sub: 'x', client_id: 'x', kind: 'system', scope: 'system/*.cruds', exp });
  await keys.verify(token);
  const times = 200_000;
  const started = performance.now();
  for (let n = 0; n < times; n++) await keys.verify(token);
  const us = ((performance.now() - started) * 1000) / times;
  demand('a verified token', `${us.toFixed(2)} us`, us < 20, '< 20 us');
};

/** Each pair: the same request for a record of somebody else and for one that is not there. */
const timing = async (server) => {
  const ask = askerOf(server);
  const patient = (await ask('system', 'POST', 'Patient', { resourceType: 'Patient', birthDate: '1950-01-02' })).json.id;
  const referral = { resourceType: 'ServiceRequest', status: 'active', intent: 'order', subject: { reference: `Patient/${patient}` } };
  const theirs = (await ask('system', 'POST', 'ServiceRequest', referral)).json.id;
  const absent = { patient: randomUUID(), referral: `r.${randomUUID()}` };
  const put = (id) => ['PUT', `ServiceRequest/${id}`, { ...referral, id }];
  const cases = [
    ['read of a patient', (id) => ['GET', `Patient/${id}`], patient, absent.patient],
    ['read of a referral', (id) => ['GET', `ServiceRequest/${id}`], theirs, absent.referral],
    ['version of a referral', (id) => ['GET', `ServiceRequest/${id}/_history/1`], theirs, absent.referral],
    ['history of a referral', (id) => ['GET', `ServiceRequest/${id}/_history`], theirs, absent.referral],
    ['search by id', (id) => ['GET', `ServiceRequest?_id=${id}`], theirs, absent.referral],
    ['search by patient', (id) => ['GET', `ServiceRequest?patient=Patient/${id}`], patient, absent.patient],
    ['$everything', (id) => ['GET', `Patient/${id}/$everything`], patient, absent.patient],
    ['update', put, theirs, absent.referral],
    ['an operation', (id) => ['POST', `ServiceRequest/${id}/$ers.generateCRI`], theirs, absent.referral],
  ];
  const headers = await headersOf(server)('gp');
  const timed = async ([method, url, body]) => {
    const started = performance.now();
    const response = await fetch(`${server.base}/${url}`, {
      method,
      headers: { ...headers, 'if-match': 'W/"1"', ...(body ? { 'content-type': 'application/fhir+json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    return { ms: performance.now() - started, answer: `${response.status} ${text.length}` };
  };
  for (const [name, make, yours, none] of cases) {
    const times = { yours: [], none: [] };
    for (let n = 0; n < requests + 50; n++)
      // in turns, and each first as often, so that whatever else goes on meets both alike
      for (const which of n % 2 === 0 ? ['yours', 'none'] : ['none', 'yours']) {
        const { ms } = await timed(make(which === 'yours' ? yours : none));
        if (n >= 50) times[which].push(ms);
      }
    const [a, b] = [percentile(times.yours, 0.5), percentile(times.none, 0.5)];
    const apart = Math.abs(a - b) / Math.min(a, b);
    const told = `${a.toFixed(3)} and ${b.toFixed(3)} ms, ${(apart * 100).toFixed(1)} % apart`;
    demand(`not yours, not there: ${name}`, told, apart <= 0.05, 'within 5 %');
  }
};

const fairness = async (data) => {
  const key = (kid) => ({ ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), kid });
  const clients = { flood: key('flood'), calm: key('calm') };
  for (const [id, { kty, n, e, kid }] of Object.entries(clients)) {
    const file = path.join(data, `${id}.public.json`);
    writeFileSync(file, JSON.stringify({ kty, n, e, kid }));
    const words = ['clients', 'add', '--id', id, '--kind', 'app', '--jwks', file, '--scope', 'system/*.rs', '--org', 'RCD'];
    await run(process.execPath, ['dist/cli/main.js', ...words, '--business-function', 'PROVIDER_AUTHORISED_APPLICATION'], {
      env: { ...process.env, DATA_DIR: data, DEMO: 'false' },
    });
  }
  const server = await startServer({ DATA_DIR: data, DEMO: 'false', LOG_LEVEL: 'silent' });
  const bearer = async (id) => ({ authorization: `Bearer ${await tokenOf(server.origin, id, clients[id])}` });
  const [calm, loud] = [await bearer('calm'), await bearer('flood')];
  const url = `${server.base}/HealthcareService?_count=1`;
  // eight a second, below its own limit
  const asking = (done) =>
    calmTimes(
      async () => {
        const response = await fetch(url, { headers: calm });
        await response.arrayBuffer();
        return response.status;
      },
      125,
      done,
    );
  const alone = await asking(after(10_000));
  const asked = { url, headers: loud, connections: 50, amount: flood, seconds: floodSeconds };
  const { times: during, sent, rate, served, refused } = await flooded(asked, asking);
  console.log(`flood: ${sent} requests at ${rate.toFixed(0)}/s, ${served} served, ${refused} refused`);
  const [before, then] = [percentile(alone, 0.95), percentile(during, 0.95)];
  demand('p95 of another client', `${before.toFixed(1)} ms alone, ${then.toFixed(1)} ms during the flood`, then <= 100, '<= 100 ms');
  await server.stop();
};

const data = mkdtempSync(path.join(tmpdir(), 'bench-security-'));
const server = await startServer({ DATA_DIR: data, LOG_LEVEL: 'silent' });
// --only timing|tokens|fairness
const only = process.argv[process.argv.indexOf('--only') + 1];
const wanted = (part) => !process.argv.includes('--only') || only === part;
if (wanted('tokens')) await verifiedToken();
if (wanted('timing')) await timing(server);
if (wanted('tokens')) await tokenRate(server);
await server.stop();
if (wanted('fairness')) await fairness(data);
rmSync(data, { recursive: true, force: true });
if (failures.length > 0) {
  console.log(`missed: ${failures.join('; ')}`);
  process.exit(1);
}
