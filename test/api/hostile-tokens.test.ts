import { execFile, execFileSync } from 'node:child_process';
import { createHmac, createPublicKey, generateKeyPairSync, randomUUID, sign, type JsonWebKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { spawnServer, type Spawned } from '../helpers/spawned-server.js';

// What a hostile client tries with tokens and keys, over HTTP, against two server processes over one store.
type Members = Readonly<Record<string, unknown>>;
type Answer = { readonly status: number; readonly text: string };
jest.setTimeout(120_000);
const folder = mkdtempSync(path.join(tmpdir(), 'tokens-'));
const environment = { DATA_DIR: folder };
let one: Spawned;
let two: Spawned;
let privateKey: JsonWebKey;

const cli = async (...words: readonly string[]): Promise<string> =>
  (
    await promisify(execFile)(process.execPath, ['dist/cli/main.js', ...words], {
      env: { PATH: process.env['PATH'] ?? '', ...environment },
    })
  ).stdout;
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const keyOf = (id: string): JsonWebKey => JSON.parse(readFileSync(path.join(folder, 'clients', `${id}.jwk.json`), 'utf8')) as JsonWebKey;
const claimsOf = (id: string, more: Members = {}): Members => {
  const now = Math.floor(Date.now() / 1000);
  return { iss: id, sub: id, aud: `${one.baseUrl}/oauth2/token`, jti: randomUUID(), exp: now + 200, ...more };
};
const signed = (header: Members, claims: Members, key: JsonWebKey = privateKey): string => {
  const text = `${part({ alg: 'RS512', typ: 'JWT', kid: keyOf('demo-system')['kid'], ...header })}.${part(claims)}`;
  return `${text}.${sign('sha512', Buffer.from(text), { key, format: 'jwk' }).toString('base64url')}`;
};
const tokenAt = async (server: Spawned, assertion: string, more: Readonly<Record<string, string>> = {}): Promise<Answer> => {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
    ...more,
  });
  const response = await fetch(`${server.baseUrl}/oauth2/token`, { method: 'POST', body });
  return { status: response.status, text: await response.text() };
};
const systemToken = async (server: Spawned, more: Readonly<Record<string, string>> = {}): Promise<string> => {
  const { status, text } = await tokenAt(server, signed({}, claimsOf('demo-system', { aud: `${server.baseUrl}/oauth2/token` })), more);
  if (status !== 200) throw new Error(text);
  return (JSON.parse(text) as { access_token: string }).access_token;
};
const ask = async (
  server: Spawned,
  token: string,
  method: string,
  url: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> => {
  const response = await fetch(`${server.baseUrl}/FHIR/R4/${url}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
};

beforeAll(async () => {
  one = await spawnServer(environment);
  // one name for both, as behind a proxy; the second greets with that name too
  const port = String(await freePort());
  two = { ...(await spawnServer({ ...environment, BASE_URL: one.baseUrl, PORT: port })), baseUrl: `http://127.0.0.1:${port}` };
  privateKey = keyOf('demo-system');
});
afterAll(async () => {
  await Promise.all([one.stop(), two.stop()]);
  rmSync(folder, { recursive: true, force: true });
});
/** A port that was free a moment ago. */
const freePort = async (): Promise<number> => {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
};

describe('an assertion', () => {
  it('is used once, on whichever process, at the same moment too', async () => {
    const assertion = signed({}, claimsOf('demo-system'));
    expect((await tokenAt(one, assertion)).status).toBe(200);
    expect((await tokenAt(two, assertion)).status).toBe(401);
    const racing = signed({}, claimsOf('demo-system'));
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => tokenAt(n % 2 === 0 ? one : two, racing)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(9).fill(401)]);
  });
  const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const theirs = { ...attacker.privateKey.export({ format: 'jwk' }), kid: 'mine' };
  const publicJwk = { ...attacker.publicKey.export({ format: 'jwk' }), kid: 'mine' };
  it.each<[string, () => string]>([
    ['none', () => `${part({ alg: 'none', typ: 'JWT', kid: keyOf('demo-system')['kid'] })}.${part(claimsOf('demo-system'))}.`],
    [
      'None, in another case',
      () => `${part({ alg: 'nOnE', typ: 'JWT', kid: keyOf('demo-system')['kid'] })}.${part(claimsOf('demo-system'))}.`,
    ],
    ...(['HS256', 'HS512'] as const).map((alg): [string, () => string] => [
      `${alg} with the public key`,
      () => {
        const text = `${part({ alg, typ: 'JWT', kid: keyOf('demo-system')['kid'] })}.${part(claimsOf('demo-system'))}`;
        const pem = createPublicKey({ key: privateKey, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
        return `${text}.${createHmac(alg === 'HS256' ? 'sha256' : 'sha512', pem)
          .update(text)
          .digest('base64url')}`;
      },
    ]),
    ['the header jwk', () => signed({ jwk: publicJwk, kid: 'mine' }, claimsOf('demo-system'), theirs)],
    ['the header jku', () => signed({ jku: 'http://127.0.0.1:1/jwks', kid: 'mine' }, claimsOf('demo-system'), theirs)],
    ['the header x5u', () => signed({ x5u: 'http://169.254.169.254/', kid: 'mine' }, claimsOf('demo-system'), theirs)],
    ['a kid that is a path', () => signed({ kid: '../../../../dev/null' }, claimsOf('demo-system'), theirs)],
    ['a kid that is SQL', () => signed({ kid: "' or '1'='1" }, claimsOf('demo-system'), theirs)],
    ['a kid of Object.prototype', () => signed({ kid: '__proto__' }, claimsOf('demo-system'), theirs)],
    ['another key under the right kid', () => signed({}, claimsOf('demo-system'), theirs)],
    ['another client’s key', () => signed({ kid: keyOf('demo-gp')['kid'] }, claimsOf('demo-system'), keyOf('demo-gp'))],
    ['an audience elsewhere', () => signed({}, claimsOf('demo-system', { aud: 'https://elsewhere.example/oauth2/token' }))],
    ['a time long past', () => signed({}, claimsOf('demo-system', { exp: Math.floor(Date.now() / 1000) - 1 }))],
    ['a time far ahead', () => signed({}, claimsOf('demo-system', { exp: Math.floor(Date.now() / 1000) + 400 }))],
    ['a beginning ahead', () => signed({}, claimsOf('demo-system', { nbf: Math.floor(Date.now() / 1000) + 60 }))],
    ['a time as text', () => signed({}, claimsOf('demo-system', { exp: '9999999999' }))],
    ['no jti', () => signed({}, claimsOf('demo-system', { jti: undefined }))],
    ['an access token', () => 'x.y.z'],
  ])('with %s is no login', async (_, make) => {
    const { status, text } = await tokenAt(one, make());
    expect([status, text]).toEqual([401, expect.stringContaining('invalid_client')]);
  });
  it('gets no scope that is not registered, and its scope holds in batches, includes and chains', async () => {
    for (const scope of ['user/*.cruds', 'system/*.cruds system/x', 'system/*', 'openid', 'system/*.cruds?x=y'])
      expect((await tokenAt(one, signed({}, claimsOf('demo-system')), { scope })).status).toBe(400);
    const token = await systemToken(one, { scope: 'system/Organization.rs' });
    const entry = ['Patient?_count=1', 'Organization?_revinclude=Patient:organization', 'ServiceRequest'].map((url) => ({
      request: { method: 'GET', url },
    }));
    const batch = await ask(one, token, 'POST', '', { resourceType: 'Bundle', type: 'batch', entry });
    expect(batch.text).not.toContain('"resourceType":"Patient"');
    expect(batch.text).not.toContain('"resourceType":"ServiceRequest"');
    for (const url of [
      'Organization?_has:Patient:organization:gender=male',
      'Patient?organization.name=x',
      'Patient/$export',
      '_history',
      '$export',
    ]) {
      const { status, text } = await ask(one, token, 'GET', url);
      expect([url, status === 403 || !text.includes('"Patient"')]).toEqual([url, true]);
    }
  });
});

describe('the key set of a client by URL', () => {
  let keys: Server;
  let asked = 0;
  let answer: { status: number; headers: Record<string, string>; body: string };
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const mine = { ...pair.privateKey.export({ format: 'jwk' }), kid: 'k1' };
  beforeAll(async () => {
    keys = createServer((_request, response) => {
      asked++;
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
    await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => keys.close());
  // sets are remembered by URL: each client has its own
  const url = (id: string): string => `http://127.0.0.1:${String((keys.address() as AddressInfo).port)}/${id}`;
  const add = (id: string, more: readonly string[] = []) =>
    cli('clients', 'add', '--id', id, '--kind', 'system', '--scope', 'system/Slot.rs', '--jwks', url(id), ...more);
  const login = (id: string) => tokenAt(one, signed({ kid: 'k1' }, claimsOf(id), mine));
  const set = () => JSON.stringify({ keys: [{ ...pair.publicKey.export({ format: 'jwk' }), kid: 'k1' }] });

  it('lets in, is fetched once, and lists and revokes as the command line says', async () => {
    answer = { status: 200, headers: {}, body: set() };
    await add('by-url');
    expect(await cli('clients', 'list')).toContain('by-url');
    const { status, text } = await login('by-url');
    expect([status, text]).toEqual([200, text]);
    const token = (JSON.parse(text) as { access_token: string }).access_token;
    await login('by-url');
    expect(asked).toBe(1);
    expect((await ask(two, token, 'GET', 'Slot?_count=1')).status).toBe(200);
    await cli('clients', 'revoke', 'by-url');
    const revoked = performance.now();
    let statuses: readonly number[];
    do {
      statuses = (await Promise.all([one, two].map((server) => ask(server, token, 'GET', 'Slot?_count=1')))).map((each) => each.status);
      await new Promise((resolve) => setTimeout(resolve, 250));
    } while (statuses.some((each) => each !== 401) && performance.now() - revoked < 15_000);
    expect(statuses).toEqual([401, 401]);
    expect(performance.now() - revoked).toBeLessThan(10_000);
    expect((await login('by-url')).status).toBe(401);
    expect(await cli('clients', 'list')).not.toContain('by-url');
  });
  it.each([
    ['a redirect', () => ({ status: 302, headers: { location: url('by-url') }, body: '' })],
    ['a megabyte', () => ({ status: 200, headers: {}, body: `{"keys":[${' '.repeat(1_000_000)}]}` })],
    [
      'a private key of another size',
      () => ({ status: 200, headers: {}, body: JSON.stringify({ keys: [{ kty: 'RSA', kid: 'k1', n: 'AQAB', e: 'AQAB' }] }) }),
    ],
  ])('that is %s lets nobody in', async (name, make) => {
    answer = make();
    const id = `bad-${String(name.length)}`;
    await add(id);
    expect((await login(id)).status).toBe(401);
  });
  it('may not be internal outside of the demo', async () => {
    const words = ['clients', 'add', '--id', 'inside', '--kind', 'system', '--scope', 'system/Slot.rs', '--jwks'];
    for (const target of [
      'http://keys.example/jwks',
      'https://127.0.0.1/jwks',
      'https://169.254.169.254/jwks',
      'https://[::1]/jwks',
      'https://2130706433/',
    ])
      await expect(
        promisify(execFile)(process.execPath, ['dist/cli/main.js', ...words, target], {
          env: { PATH: process.env['PATH'] ?? '', ...environment, DEMO: 'false' },
        }),
      ).rejects.toThrow(/JWKS URL/);
  });
});

it('a write that is sent again after kill -9 happens once, and the audit is whole', async () => {
  const pair = { 'x-request-id': randomUUID(), 'x-correlation-id': randomUUID() };
  const basic = { resourceType: 'Basic', code: { text: pair['x-request-id'] } };
  const third = await spawnServer(environment);
  expect((await ask(third, await systemToken(third), 'POST', 'Basic', basic, pair)).status).toBe(201);
  await third.stop('SIGKILL');
  expect((await ask(one, await systemToken(one), 'POST', 'Basic', basic, pair)).status).toBe(409);
  const fourth = await spawnServer(environment);
  expect((await ask(fourth, await systemToken(fourth), 'POST', 'Basic', basic, pair)).status).toBe(409);
  const found = await ask(fourth, await systemToken(fourth), 'GET', `AuditEvent?entity:missing=false&action=C&_count=100`);
  expect(found.text.split(pair['x-correlation-id']).length - 1).toBe(1);
  await fourth.stop();
  const report = JSON.parse(await cli('audit', 'verify', '--json')) as { faults: readonly string[]; chains: number };
  expect([report.faults, report.chains >= 3]).toEqual([[], true]);
});

const openssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
if (!openssl) console.log('skipped: TLS and mutual TLS (needs openssl: apt-get install openssl)');

(openssl ? describe : describe.skip)('TLS', () => {
  const file = (name: string): string => path.join(folder, name);
  const make = (...words: readonly string[]) => execFileSync('openssl', words, { stdio: 'ignore' });
  let secure: Spawned;
  const get = (options: https.RequestOptions): Promise<{ readonly status: number; readonly hsts: string }> =>
    new Promise((resolve, reject) => {
      const { port } = new URL(secure.baseUrl);
      https
        .get(
          { hostname: '127.0.0.1', port, path: '/FHIR/R4/metadata', ca: readFileSync(file('ca.pem')), agent: false, ...options },
          (response) => {
            response.resume();
            resolve({ status: response.statusCode ?? 0, hsts: String(response.headers['strict-transport-security']) });
          },
        )
        .on('error', reject);
    });
  const certificate = (name: string, ca: string) => {
    make('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', file(`${name}.key`), '-out', file(`${name}.csr`), '-subj', `/CN=${name}`);
    writeFileSync(file('ext'), 'subjectAltName=IP:127.0.0.1');
    make(
      ...['x509', '-req', '-in', file(`${name}.csr`), '-CA', file(`${ca}.pem`), '-CAkey', file(`${ca}.key`), '-CAcreateserial'],
      ...['-days', '1', '-out', file(`${name}.pem`), '-extfile', file('ext')],
    );
  };
  beforeAll(async () => {
    for (const ca of ['ca', 'other'])
      make(
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '1',
        '-keyout',
        file(`${ca}.key`),
        '-out',
        file(`${ca}.pem`),
        '-subj',
        `/CN=${ca}`,
      );
    certificate('server', 'ca');
    certificate('client', 'ca');
    certificate('stranger', 'other');
    secure = await spawnServer({
      ...environment,
      TLS_CERT_FILE: file('server.pem'),
      TLS_KEY_FILE: file('server.key'),
      TLS_CLIENT_CA_FILE: file('ca.pem'),
    });
  });
  afterAll(() => secure.stop());
  const identity = (name: string) => ({ cert: readFileSync(file(`${name}.pem`)), key: readFileSync(file(`${name}.key`)) });

  it('lets in who shows a certificate of the authority, and says so to browsers', async () => {
    expect(secure.baseUrl).toMatch(/^https:/);
    expect(await get(identity('client'))).toEqual({ status: 200, hsts: expect.stringContaining('max-age=31536000') as unknown });
  });
  it('lets in nobody without one, with one of another authority, over old TLS or none', async () => {
    await expect(get({})).rejects.toThrow();
    await expect(get(identity('stranger'))).rejects.toThrow();
    await expect(get({ ...identity('client'), maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })).rejects.toThrow();
    await expect(fetch(secure.baseUrl.replace('https', 'http'))).rejects.toThrow();
  });
});
