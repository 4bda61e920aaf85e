import { createHmac, createPrivateKey, createPublicKey, sign as signBytes, type JsonWebKey } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RefusalBudget } from '../../src/access/refusal-budget.js';
import type { Client, Jwk } from '../../src/auth/client.js';
import { makeDemoClients, registryOf } from '../../src/auth/demo-clients.js';
import { openKeyring, type Keyring } from '../../src/auth/keyring.js';
import { keyFinder } from '../../src/auth/client-assertion.js';
import { RemoteKeys } from '../../src/auth/remote-keys.js';
import { memoryEntries } from '../helpers/memory-entries.js';
import { smartConfiguration } from '../../src/auth/smart-configuration.js';
import { createTokenEndpoint, type TokenAnswer, type TokenEndpoint, type TokenEndpointParts } from '../../src/auth/token-endpoint.js';

type Members = Record<string, unknown>;

const tokenUrl = 'http://127.0.0.1:8080/oauth2/token';
const start = 1_750_000_000;
let now = start;
let directory: string;
let keys: Keyring;
const day = 86_400_000;
const kept = memoryEntries();
const open = (store = kept) => openKeyring({ store, clock: () => now * 1000, rotationMs: 30 * day });
let clients: readonly Client[];
/** A token endpoint that is asked from one address. */
type Asked = { readonly issue: (form: Members) => Promise<TokenAnswer> };
let endpoint: Asked;
let counter = 0;
const privateKeys = new Map<string, Jwk>();

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const hashes: Record<string, string> = { RS512: 'sha512', RS384: 'sha384', RS256: 'sha256' };

const signed = (header: Members, claims: Members, key: Jwk): string => {
  const text = `${part(header)}.${part(claims)}`;
  const signature = signBytes(
    hashes[String(header['alg'])] ?? 'sha512',
    Buffer.from(text),
    createPrivateKey({ key: key as JsonWebKey, format: 'jwk' }),
  );
  return `${text}.${signature.toString('base64url')}`;
};

const keyOf = (id: string): Jwk => privateKeys.get(id) as Jwk;
const headerOf = (id: string, more: Members = {}): Members => ({ alg: 'RS512', typ: 'JWT', kid: keyOf(id).kid, ...more });
const claimsOf = (id: string, more: Members = {}): Members => ({
  iss: id,
  sub: id,
  aud: tokenUrl,
  jti: `jti-${String((counter += 1))}`,
  exp: now + 240,
  iat: now,
  ...more,
});
const assertionOf = (id: string, claims: Members = {}, header: Members = {}): string =>
  signed(headerOf(id, header), claimsOf(id, claims), keyOf(id));
const formOf = (assertion: unknown, more: Members = {}): Members => ({
  grant_type: 'client_credentials',
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: assertion,
  ...more,
});
const ask = (id: string, claims: Members = {}, header: Members = {}, form: Members = {}): Promise<TokenAnswer> =>
  endpoint.issue(formOf(assertionOf(id, claims, header), form));
const endpointFor = (list: readonly Client[]): Asked => {
  const whole = wholeEndpoint(list);
  return { issue: (form) => whole.issue(form, '192.0.2.1') };
};
const wholeEndpoint = (list: readonly Client[], more: Partial<TokenEndpointParts> = {}): TokenEndpoint => {
  const used = new Set<string>();
  return createTokenEndpoint({
    registry: registryOf(list),
    keys,
    replay: { claim: (key) => Promise.resolve(used.size < used.add(key).size) },
    clock: () => now * 1000,
    ids: () => `id-${String((counter += 1))}`,
    audiences: (audience) => audience === tokenUrl,
    issuer: () => 'http://127.0.0.1:8080',
    keysOf: keyFinder(new RemoteKeys(false, () => now * 1000)),
    subjects: {},
    enforceable: (_type, query) => !query.startsWith('_id'),
    throttle: () => Promise.resolve(0),
    refusals: new RefusalBudget(undefined, () => now * 1000),
    ...more,
  });
};
const tokenOf = (answer: TokenAnswer): string => ('access_token' in answer.body ? answer.body.access_token : '');
const reasonOf = (answer: TokenAnswer): string => ('error' in answer.body ? answer.body.error_description : 'issued');
const refusal = (answer: TokenAnswer): string => ('error' in answer.body ? `${String(answer.status)} ${answer.body.error}` : 'issued');

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'auth-'));
  now = start;
  keys = await open();
  clients = await (await makeDemoClients({ directory })).list();
  for (const { id } of clients)
    privateKeys.set(id, JSON.parse(await readFile(path.join(directory, 'clients', `${id}.jwk.json`), 'utf8')) as Jwk);
}, 60_000);
afterAll(() => rm(directory, { recursive: true, force: true }));
beforeEach(() => {
  now = start;
  endpoint = endpointFor(clients);
});

describe('demo clients', () => {
  test('are the five of the contract, with public keys only in the registry', () => {
    expect(clients.map(({ id, kind }) => `${id} ${kind}`)).toEqual([
      'demo-gp user',
      'demo-provider user',
      'demo-provider-app app',
      'demo-patient-app patient',
      'demo-system system',
    ]);
    for (const client of clients) expect(Object.keys(client.jwks.keys[0] ?? {}).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
  });
  test('have private keys for the owner alone, with alg RS512 and kid, and nothing else lies in the folder', async () => {
    expect((await readdir(path.join(directory, 'clients'))).sort()).toEqual(clients.map(({ id }) => `${id}.jwk.json`).sort());
    expect((await stat(path.join(directory, 'clients', 'demo-gp.jwk.json'))).mode & 0o777).toBe(0o600);
    expect(keyOf('demo-gp')).toMatchObject({
      kty: 'RSA',
      alg: 'RS512',
      kid: expect.any(String) as unknown,
      d: expect.any(String) as unknown,
    });
  });
  test('keep their keys at the next start, and so does the server', async () => {
    expect(await (await makeDemoClients({ directory })).list()).toEqual(clients);
    expect((await open()).publicJwks()).toEqual(keys.publicJwks());
  });
  test('processes that start together end with one key', async () => {
    const fresh = memoryEntries();
    const several = await Promise.all([1, 2, 3, 4].map(() => open(fresh)));
    expect(new Set(several.map((each) => each.publicJwks().keys[0]?.kid)).size).toBe(1);
  });
});

describe('a token is issued', () => {
  test('to a user client for its default user, with all registered scopes', async () => {
    const answer = await ask('demo-gp');
    expect(answer).toMatchObject({ status: 200, body: { token_type: 'Bearer', expires_in: 600, scope: 'user/*.cruds' } });
    const claims = await keys.verify(tokenOf(answer));
    expect(claims).toMatchObject({
      sub: '021600556514',
      user: '021600556514',
      client_id: 'demo-gp',
      kind: 'user',
      organisations: ['D82106'],
      iat: now,
      exp: now + 600,
    });
  });
  test.each([
    ['demo-provider', { user: '555073103100' }, { sub: '555073103100', user: '555073103100' }],
    ['demo-provider-app', {}, { sub: 'demo-provider-app', business_function: 'PROVIDER_AUTHORISED_APPLICATION', organisations: ['RCD'] }],
    ['demo-patient-app', {}, { sub: '9912003888', patient: '9912003888' }],
    ['demo-patient-app', { patient: '9990000018' }, { sub: '9990000018' }],
    ['demo-system', {}, { sub: 'demo-system', kind: 'system', scope: 'system/*.cruds', aud: 'http://127.0.0.1:8080/FHIR/R4' }],
    ['demo-system', { aud: ['https://elsewhere.example', tokenUrl] }, { sub: 'demo-system' }],
    ['demo-system', { exp: start + 310 }, { exp: start + 600 }],
    ['demo-system', { iat: start + 9, nbf: start + 9 }, {}],
  ] as const)('to %s with %j', async (id, claims, expected) => {
    const answer = await ask(id, claims);
    expect(reasonOf(answer)).toBe('issued');
    expect(await keys.verify(tokenOf(answer))).toMatchObject(expected);
  });
  test('for a narrower scope than the registered one', async () => {
    expect(await ask('demo-system', {}, {}, { scope: 'system/Patient.rs system/Slot.r system/Slot.r' })).toMatchObject({
      status: 200,
      body: { scope: 'system/Patient.rs system/Slot.r' },
    });
  });
  test('for ES384, to a client registered with it', async () => {
    const { generateKeyPairSync } = await import('node:crypto');
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const jwk = pair.publicKey.export({ format: 'jwk' });
    const client: Client = {
      id: 'es',
      kind: 'system',
      algorithms: ['ES384'],
      jwks: { keys: [{ ...jwk, kid: 'one' }] },
      scopes: ['system/*.rs'],
      organisations: [],
    };
    const text = `${part({ alg: 'ES384', typ: 'JWT', kid: 'one' })}.${part(claimsOf('es'))}`;
    const signature = signBytes('sha384', Buffer.from(text), { key: pair.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url');
    expect(reasonOf(await endpointFor([client]).issue(formOf(`${text}.${signature}`)))).toBe('issued');
  });
  test('for each algorithm of the registration, whatever alg the JWK names', async () => {
    const both = clients.map((client): Client => ({ ...client, algorithms: ['RS512', 'RS384'] }));
    expect(reasonOf(await endpointFor(both).issue(formOf(assertionOf('demo-gp', {}, { alg: 'RS384' }))))).toBe('issued');
  });
});

describe('a form fault is 400', () => {
  test.each([
    [{ grant_type: undefined }, '400 invalid_request'],
    [{ grant_type: '' }, '400 invalid_request'],
    [{ grant_type: ['client_credentials', 'client_credentials'] }, '400 invalid_request'],
    [{ grant_type: 'password' }, '400 unsupported_grant_type'],
    [{ client_assertion_type: undefined }, '400 invalid_request'],
    [{ client_assertion_type: 'jwt' }, '400 invalid_request'],
    [{ client_assertion: undefined }, '400 invalid_request'],
    [{ client_assertion: ['a', 'b'] }, '400 invalid_request'],
    [{ scope: ['system/*.rs', 'system/*.cruds'] }, '400 invalid_request'],
    [{ scope: 'user/*.rs' }, '400 invalid_scope'],
    [{ scope: 'system/Patient.rs openid' }, '400 invalid_scope'],
    [{ scope: 'system/Patient.sr' }, '400 invalid_scope'],
    [{ scope: 'system/Patient.rs?_id=1' }, '400 invalid_scope'],
  ])('%j -> %s', async (form, expected) => {
    expect(refusal(await ask('demo-system', {}, {}, form))).toBe(expected);
  });
  test('a scope wider than the registered one', async () => {
    const narrow = clients.map((client): Client => ({ ...client, scopes: ['system/Patient.r', 'system/Patient.s'] }));
    const one = endpointFor(narrow);
    expect(refusal(await one.issue(formOf(assertionOf('demo-system'), { scope: 'system/Patient.rs' })))).toBe('issued');
    for (const scope of ['system/Patient.crs', 'system/*.r'])
      expect(refusal(await one.issue(formOf(assertionOf('demo-system'), { scope })))).toBe('400 invalid_scope');
  });
});

describe('a failure to authenticate is 401 invalid_client', () => {
  const attacker = { jwk: { kty: 'RSA', n: 'x', e: 'AQAB' } };
  test.each<[string, Members, Members, RegExp]>([
    ['alg outside the list', {}, { alg: 'RS256' }, /alg/],
    ['alg not registered for this client', {}, { alg: 'RS384' }, /registered/],
    ['alg absent', {}, { alg: undefined }, /alg/],
    ['kid absent', {}, { kid: undefined }, /kid/],
    ['kid not text', {}, { kid: 7 }, /kid/],
    ['kid unknown', {}, { kid: 'other' }, /kid/],
    ['typ absent', {}, { typ: undefined }, /typ/],
    ['typ wrong', {}, { typ: 'at+jwt' }, /typ/],
    ['embedded jwk', {}, attacker, /jwk/],
    ['jku', {}, { jku: 'https://elsewhere.example/jwks' }, /jku/],
    ['x5u', {}, { x5u: 'https://elsewhere.example/x5' }, /x5u/],
    ['x5c', {}, { x5c: ['AA=='] }, /x5c/],
    ['crit', {}, { crit: ['exp'] }, /crit/],
    ['unknown client', { iss: 'nobody', sub: 'nobody' }, {}, /registered/],
    ['iss is not sub', { sub: 'demo-gp' }, {}, /iss/],
    ['iss absent', { iss: undefined }, {}, /iss/],
    ["another client's name under this key", { iss: 'demo-gp', sub: 'demo-gp' }, {}, /kid/],
    ['aud wrong', { aud: 'https://elsewhere.example/oauth2/token' }, {}, /aud/],
    ['aud absent', { aud: undefined }, {}, /aud/],
    ['aud list without ours', { aud: ['a', 7] }, {}, /aud/],
    ['exp absent', { exp: undefined }, {}, /exp/],
    ['exp as text', { exp: String(start + 60) }, {}, /exp/],
    ['exp not an integer', { exp: start + 60.5 }, {}, /exp/],
    ['exp past', { exp: start }, {}, /expired/],
    ['exp too far', { exp: start + 311 }, {}, /5 minutes/],
    ['iat in the future', { iat: start + 11 }, {}, /iat/],
    ['nbf in the future', { nbf: start + 11 }, {}, /nbf/],
    ['nbf as text', { nbf: 'now' }, {}, /nbf/],
    ['jti absent', { jti: undefined }, {}, /jti/],
    ['jti empty', { jti: '' }, {}, /jti/],
    ['jti a number', { jti: 5 }, {}, /jti/],
    ['user claim from a system client', { user: '021600556514' }, {}, /user/],
    ['patient claim from a system client', { patient: '9912003888' }, {}, /patient/],
  ])('%s', async (_name, claims, header, reason) => {
    const answer = await ask('demo-system', claims, header);
    expect(refusal(answer)).toBe('401 invalid_client');
    expect(reasonOf(answer)).toMatch(reason);
  });

  test('alg none, signed or not', async () => {
    const text = `${part(headerOf('demo-system', { alg: 'none' }))}.${part(claimsOf('demo-system'))}`;
    for (const assertion of [`${text}.`, `${text}.AAAA`, text])
      expect(refusal(await endpoint.issue(formOf(assertion)))).toBe('401 invalid_client');
  });
  test('algorithm confusion: HS512 with the public key as the secret, in each of its writings', async () => {
    const publicJwk = clients.find(({ id }) => id === 'demo-system')?.jwks.keys[0] as JsonWebKey;
    const pem = createPublicKey({ key: publicJwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    for (const secret of [pem, JSON.stringify(publicJwk), Buffer.from(publicJwk.n ?? '', 'base64url')]) {
      for (const alg of ['HS512', 'RS512']) {
        const text = `${part(headerOf('demo-system', { alg }))}.${part(claimsOf('demo-system'))}`;
        const mac = createHmac('sha512', secret).update(text).digest('base64url');
        expect(refusal(await endpoint.issue(formOf(`${text}.${mac}`)))).toBe('401 invalid_client');
      }
    }
  });
  test('signature of another key, and claims changed after signing', async () => {
    const foreign = signed(headerOf('demo-system'), claimsOf('demo-system'), keyOf('demo-gp'));
    const [header, , signature] = assertionOf('demo-gp').split('.');
    const changed = `${String(header)}.${part(claimsOf('demo-gp'))}.${String(signature)}`;
    for (const assertion of [foreign, changed]) expect(reasonOf(await endpoint.issue(formOf(assertion)))).toMatch(/signature/);
  });
  test('text that is no JWT, or too long', async () => {
    for (const text of ['x', 'a.b.c', `${part([])}.${part({})}.AAAA`, 'a'.repeat(20_000)])
      expect(refusal(await endpoint.issue(formOf(text)))).toBe('401 invalid_client');
  });
  test('client_id of another client', async () => {
    expect(refusal(await ask('demo-gp', {}, {}, { client_id: 'demo-system' }))).toBe('401 invalid_client');
  });
  test('replay, also under other parameters; the same jti of another client is another', async () => {
    const assertion = assertionOf('demo-system', { jti: 'once' });
    expect(refusal(await endpoint.issue(formOf(assertion)))).toBe('issued');
    const again = await endpoint.issue(formOf(assertion, { scope: 'system/Patient.r' }));
    expect([refusal(again), reasonOf(again)]).toEqual(['401 invalid_client', 'jti was used before']);
    expect(refusal(await ask('demo-gp', { jti: 'once' }))).toBe('issued');
  });
  test('a refused assertion uses up no jti', async () => {
    const foreign = signed(headerOf('demo-system'), claimsOf('demo-system', { jti: 'kept' }), keyOf('demo-gp'));
    await endpoint.issue(formOf(foreign));
    await ask('demo-system', { jti: 'kept', aud: 'elsewhere' });
    expect(refusal(await ask('demo-system', { jti: 'kept' }))).toBe('issued');
  });
  test.each([
    ['demo-gp', { user: '555032006106' }],
    ['demo-gp', { user: ['021600556514'] }],
    ['demo-gp', { user: '' }],
    ['demo-gp', { patient: '9912003888' }],
    ['demo-patient-app', { patient: '9912003889' }],
    ['demo-patient-app', { user: '021600556514' }],
    ['demo-provider-app', { user: '555032006106' }],
  ])('%s asserting %j', async (id, claims) => {
    expect(refusal(await ask(id, claims))).toBe('401 invalid_client');
  });
  test('a client with a list of patients asserting another', async () => {
    const listed = clients.map((client): Client => (client.kind === 'patient' ? { ...client, assertsPatients: ['9912003888'] } : client));
    expect(refusal(await endpointFor(listed).issue(formOf(assertionOf('demo-patient-app', { patient: '9990000018' }))))).toBe(
      '401 invalid_client',
    );
  });
});

describe('too many', () => {
  const limited = (more: Partial<TokenEndpointParts> = {}) =>
    wholeEndpoint(clients, { refusals: new RefusalBudget(2, () => now * 1000), ...more });
  const [theirs, own] = ['192.0.2.1', '198.51.100.1'];
  const forged = () => formOf(signed(headerOf('demo-gp'), claimsOf('demo-gp'), keyOf('demo-system')));
  test('refusals from an address are 429 for a while, and are not looked at', async () => {
    const one = limited();
    for (let n = 0; n < 10; n++) expect((await one.issue(forged(), theirs)).status).toBe(401);
    expect(await one.issue(forged(), theirs)).toMatchObject({
      status: 429,
      retryAfterSeconds: 1,
      body: { error: 'temporarily_unavailable' },
    });
    now += 1;
    expect((await one.issue(forged(), theirs)).status).toBe(401);
  });
  test('do not lock out the client whose name they bear, nor another one at the same address', async () => {
    const one = limited();
    for (let n = 0; n < 50; n++) await one.issue(forged(), theirs);
    expect((await one.issue(formOf(assertionOf('demo-gp')), own)).status).toBe(200);
    expect((await one.issue(formOf(assertionOf('demo-system')), theirs)).status).toBe(200);
  });
  test('names that nobody bears count as one', async () => {
    const one = limited();
    for (let n = 0; n < 10; n++) await one.issue(formOf(assertionOf('demo-gp', { iss: `x${String(n)}`, sub: `x${String(n)}` })), theirs);
    expect((await one.issue(formOf(assertionOf('demo-gp', { iss: 'y', sub: 'y' })), theirs)).status).toBe(429);
  });
  test('tokens of a client are 429 when its own are enough; what a thief replays does not count', async () => {
    let left = 2;
    const one = limited({ throttle: () => Promise.resolve(--left < 0 ? 3 : 0) });
    const stolen = formOf(assertionOf('demo-gp'));
    expect((await one.issue(stolen, own)).status).toBe(200);
    for (let n = 0; n < 5; n++) expect((await one.issue(stolen, theirs)).status).toBe(401);
    expect((await one.issue(formOf(assertionOf('demo-gp')), own)).status).toBe(200);
    expect(await one.issue(formOf(assertionOf('demo-gp')), own)).toMatchObject({ status: 429, retryAfterSeconds: 3 });
  });
});

describe('access tokens', () => {
  const login = { category: 'login', headers: { 'WWW-Authenticate': expect.stringContaining('invalid_token') as unknown } };
  test('public keys hold no private member', () => {
    expect(keys.publicJwks().keys.map((key) => Object.keys(key).sort())).toEqual([['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']]);
  });
  test('are refused from the second they expire, also when verified before', async () => {
    const token = tokenOf(await ask('demo-gp'));
    now = start + 599;
    await expect(keys.verify(token)).resolves.toMatchObject({ client_id: 'demo-gp' });
    now = start + 600;
    await expect(keys.verify(token)).rejects.toMatchObject(login);
  });
  test('are refused when changed, unsigned, of another key, or a client assertion', async () => {
    const token = tokenOf(await ask('demo-gp'));
    const [header, claims, signature] = token.split('.') as [string, string, string];
    const other = await open(memoryEntries());
    const foreign = await other.sign(await keys.verify(token));
    const kid = keys.publicJwks().keys[0]?.kid;
    const forged = `${part({ alg: 'none', typ: 'at+jwt', kid })}.${claims}.`;
    const widened = `${header}.${part({ ...(await keys.verify(token)), kind: 'system' })}.${signature}`;
    for (const bad of ['', 'x', foreign, forged, widened, `${header}.${claims}.${'A'.repeat(86)}`, assertionOf('demo-gp')])
      await expect(keys.verify(bad)).rejects.toMatchObject(login);
  });
});

test('the discovery document names the token endpoint, its algorithms and the keys', () => {
  expect(smartConfiguration('https://here.example')).toMatchObject({
    token_endpoint: 'https://here.example/oauth2/token',
    jwks_uri: 'https://here.example/oauth2/jwks',
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['RS512', 'RS384', 'ES384'],
  });
});
