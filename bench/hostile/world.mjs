// Two server processes over one store, the demo clients' tokens at each, and records that nobody but a system client may see.
import { randomUUID, sign } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { start, stop } from '../running.mjs';

/** what stands in every hidden record, and how a search asks for it without saying it whole */
export const mark = 'Markedashidden';
export const markStart = 'Marked';
const nhsNumber = 'https://fhir.nhs.uk/Id/nhs-number';
const headersOf = {
  gp: { 'nhsd-end-user-organisation-ods': 'D82106', 'nhsd-ers-business-function': 'REFERRING_CLINICIAN' },
  provider: { 'nhsd-end-user-organisation-ods': 'RCD', 'nhsd-ers-business-function': 'SERVICE_PROVIDER_CLINICIAN' },
};
const clients = { system: 'demo-system', gp: 'demo-gp', provider: 'demo-provider', patient: 'demo-patient-app', app: 'demo-provider-app' };
export const strangers = ['gp', 'provider', 'patient', 'app'];

/** Throws what the runner reports as having got through. */
export const must = (holds, what) => {
  if (!holds) throw new Error(what);
};
export const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

/** The bytes that a socket answers; '' when it is closed without any. */
export const rawAt = (server, bytes, ms = 5000) =>
  new Promise((resolve) => {
    const { port } = new URL(server.origin);
    const socket = net.connect(Number(port), '127.0.0.1');
    let text = '';
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(text);
    };
    const timer = setTimeout(end, ms);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('end', end);
    socket.on('error', end);
    socket.write(bytes);
  });

export const openWorld = async () => {
  const data = mkdtempSync(path.join(tmpdir(), 'hostile-'));
  const settings = { DATA_DIR: data, DEMO: 'true', LOG_LEVEL: 'silent' };
  const pattern = /FHIR base\s+(\S+)\/FHIR\/R4/;
  const one = await start('../dist/main.js', { ...settings, PORT: '0' }, pattern);
  // one name for both, as behind a proxy
  const port = String(await freePort());
  const second = await start('../dist/main.js', { ...settings, PORT: port, BASE_URL: one.origin }, pattern);
  const two = { ...second, origin: `http://127.0.0.1:${port}` };
  const servers = [one, two];
  const keyOf = (id) => JSON.parse(readFileSync(path.join(data, 'clients', `${id}.jwk.json`), 'utf8'));
  const audience = `${one.origin}/oauth2/token`;

  const claimsOf = (id, more = {}) => {
    const now = Math.floor(Date.now() / 1000);
    return { iss: id, sub: id, aud: audience, jti: randomUUID(), exp: now + 200, ...more };
  };
  const signed = (header, claims, key = keyOf('demo-system')) => {
    const text = `${part({ alg: 'RS512', typ: 'JWT', kid: keyOf('demo-system').kid, ...header })}.${part(claims)}`;
    return `${text}.${sign('sha512', Buffer.from(text), { key, format: 'jwk' }).toString('base64url')}`;
  };
  const tokenAt = async (server, assertion, more = {}) => {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      ...more,
    });
    const response = await fetch(`${server.origin}/oauth2/token`, { method: 'POST', body });
    const text = await response.text();
    return { status: response.status, text, token: /"access_token":"([^"]+)"/.exec(text)?.[1] };
  };
  const known = new Map();
  const tokenOf = async (role, more = {}, claims = {}) => {
    const name = JSON.stringify([role, more, claims]);
    if (!known.has(name)) {
      const key = keyOf(clients[role]);
      const { token, text } = await tokenAt(one, signed({ kid: key.kid }, claimsOf(clients[role], claims), key), more);
      must(token !== undefined, `no token for ${role}: ${text}`);
      known.set(name, token);
    }
    return known.get(name);
  };
  /** A request of a demo client at one of the two processes; a string or Buffer goes as it is. */
  const ask = async (role, method, url, body, headers = {}, server = one) => {
    const plain = typeof body === 'string' || Buffer.isBuffer(body);
    const response = await fetch(url.startsWith('http') ? url : `${server.origin}/FHIR/R4/${url}`, {
      method,
      redirect: 'manual',
      headers: {
        authorization: `Bearer ${await tokenOf(role)}`,
        ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
        ...headersOf[role],
        ...headers,
      },
      ...(body === undefined ? {} : { body: plain ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    let json;
    try {
      json = JSON.parse(text);
    } catch {
      json = {};
    }
    return { status: response.status, text, json, headers: response.headers };
  };
  const hidden = await hide(ask);
  return {
    ...{ data, one, two, servers, keyOf, claimsOf, signed, tokenAt, tokenOf, ask, hidden, audience, headersOf },
    stop: () => Promise.all(servers.map(({ child }) => stop(child))),
  };
};

const made = async (ask, type, more) => {
  const answer = await ask('system', 'POST', type, { resourceType: type, ...more });
  must(answer.status === 201, `the records to hide cannot be made: ${type} ${answer.text}`);
  return answer.json.id;
};

/** A patient of no client's organisation, with what hangs on him. */
const hide = async (ask) => {
  const patient = await made(ask, 'Patient', {
    identifier: [{ system: nhsNumber, value: '9990999902' }],
    name: [{ family: mark }],
    birthDate: '1950-01-02',
  });
  const subject = { reference: `Patient/${patient}` };
  const note = [{ text: mark }];
  const referral = await made(ask, 'ServiceRequest', { status: 'active', intent: 'order', subject, note });
  const binary = await made(ask, 'Binary', { contentType: 'text/plain', data: Buffer.from(mark).toString('base64') });
  const related = [{ reference: `ServiceRequest/${referral}` }];
  const letter = await made(ask, 'DocumentReference', {
    status: 'current',
    subject,
    description: mark,
    context: { related },
    content: [{ attachment: { contentType: 'text/plain', url: `Binary/${binary}` } }],
  });
  const observation = await made(ask, 'Observation', { status: 'final', code: { text: mark }, subject });
  const list = await made(ask, 'List', { status: 'current', mode: 'working', title: mark, subject, entry: [{ item: subject }] });
  const group = await made(ask, 'Group', { type: 'person', actual: true, name: mark, member: [{ entity: subject }] });
  const task = await made(ask, 'Task', { status: 'requested', intent: 'order', focus: related[0], note });
  return {
    ...{ Patient: patient, ServiceRequest: referral, Binary: binary, DocumentReference: letter },
    ...{ Observation: observation, List: list, Group: group, Task: task },
  };
};
