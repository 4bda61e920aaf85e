import { createPrivateKey, generateKeyPairSync, randomUUID, sign as signBytes } from 'node:crypto';
import nock from 'nock';
import { nocked } from '../helpers/nocked.js';
import { RefusalBudget } from '../../src/access/refusal-budget.js';
import type { Client, Jwk } from '../../src/auth/client.js';
import { keyFinder } from '../../src/auth/client-assertion.js';
import { registryOf } from '../../src/auth/demo-clients.js';
import { openKeyring } from '../../src/auth/keyring.js';
import { RemoteKeys } from '../../src/auth/remote-keys.js';
import { idTokenReader, idTokenType, type IdentityIssuer } from '../../src/auth/subjects.js';
import { createTokenEndpoint, tokenExchange, type TokenAnswer } from '../../src/auth/token-endpoint.js';
import { memoryEntries } from '../helpers/memory-entries.js';

// A whole token exchange whose id_token is proven by the key set behind its issuer's URL.
type Pair = { readonly kid: string; readonly jwk: Jwk; readonly sign: (header: object, claims: object) => string };
const start = 1_750_000_000;
let now = start;
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const pairOf = (kid: string): Pair => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = createPrivateKey({ key: pair.privateKey.export({ format: 'jwk' }), format: 'jwk' });
  return {
    kid,
    jwk: { ...pair.publicKey.export({ format: 'jwk' }), kid },
    sign: (header, claims) => {
      const text = `${part({ alg: 'RS512', typ: 'JWT', kid, ...header })}.${part(claims)}`;
      return `${text}.${signBytes('sha512', Buffer.from(text), key).toString('base64url')}`;
    },
  };
};
const [own, first, second, stranger] = ['own', 'first', 'second', 'first'].map(pairOf) as [Pair, Pair, Pair, Pair];
const issuers: readonly IdentityIssuer[] = (['cis2', 'nhs-login'] as const).map((kind) => ({
  issuer: `https://${kind}.example`,
  kind,
  algorithms: ['RS512'],
  jwksUrl: `https://${kind}.example/jwks`,
}));
const client = (id: string, kind: Client['kind'], exchanges: Client['exchanges']): Client => ({
  ...{ id, kind, algorithms: ['RS512'], jwks: { keys: [own.jwk] }, scopes: [`${kind}/*.rs`], organisations: ['*'] },
  ...(exchanges === undefined ? {} : { exchanges }),
});
const clients = registryOf([
  client('staff-app', 'user', ['cis2']),
  client('patient-app', 'patient', ['nhs-login']),
  client('both-app', 'user', ['cis2', 'nhs-login']),
  client('no-app', 'user', undefined),
]);
const audience = 'https://server.example/oauth2/token';

const endpoint = async () => {
  const remote = new RemoteKeys(true, () => now * 1000);
  const used = new Set<string>();
  return createTokenEndpoint({
    registry: clients,
    keys: await openKeyring({ store: memoryEntries(), clock: () => now * 1000, rotationMs: 86_400_000 }),
    keysOf: keyFinder(remote),
    enforceable: () => true,
    subjects: { [idTokenType]: idTokenReader(issuers, remote, () => Promise.resolve(undefined)) },
    replay: { claim: (key) => Promise.resolve(!used.has(key) && Boolean(used.add(key))) },
    throttle: () => Promise.resolve(0),
    refusals: new RefusalBudget(undefined, Date.now),
    clock: () => now * 1000,
    ids: randomUUID,
    audiences: (text) => text === audience,
    issuer: () => 'https://server.example',
  });
};
type Endpoint = Awaited<ReturnType<typeof endpoint>>;
const asked = (id: string, token: string, more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
  grant_type: tokenExchange,
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: own.sign({}, { iss: id, sub: id, aud: audience, jti: randomUUID(), exp: now + 200 }),
  subject_token: token,
  subject_token_type: idTokenType,
  ...more,
});
const staff = { nhsid_useruid: '021600556514', id_assurance_level: '3', authentication_assurance_level: '3' };
const person = { nhs_number: '9912003888', vot: 'P9.Cp.Cd', identity_proofing_level: 'P9' };
const idToken = (kind: string, aud: string, claims: object, pair = first): string =>
  pair.sign({}, { iss: `https://${kind}.example`, aud, iat: now, exp: now + 300, ...claims });
const publish = (kind: string, ...pairs: readonly Pair[]) =>
  nock(`https://${kind}.example`)
    .get('/jwks')
    .reply(200, { keys: pairs.map(({ jwk }) => jwk) });
const claimsIn = ({ body }: TokenAnswer): Readonly<Record<string, unknown>> =>
  'access_token' in body
    ? (JSON.parse(Buffer.from(body.access_token.split('.')[1] ?? '', 'base64url').toString()) as object as Record<string, unknown>)
    : {};
const reasonIn = ({ status, body }: TokenAnswer): string =>
  'error' in body ? `${String(status)} ${body.error}: ${body.error_description}` : String(status);

let tokens: Endpoint;
nocked();
beforeEach(async () => {
  now = start;
  tokens = await endpoint();
});

it.each([
  ['2', {}],
  ['3', {}],
  [undefined, { acr: 'AAL3_ANY' }],
  [undefined, { acr: 'AAL2_OR_AAL3_ANY' }],
])('CIS2 names a worker at authentication level %s %j', async (level, more) => {
  publish('cis2', first);
  const answer = await tokens.issue(
    asked('staff-app', idToken('cis2', 'staff-app', { ...staff, authentication_assurance_level: level, ...more })),
    '',
  );
  expect(reasonIn(answer)).toBe('200');
  expect(claimsIn(answer)).toMatchObject({ user: '021600556514', sub: '021600556514', client_id: 'staff-app', kind: 'user' });
  expect(answer.body).toMatchObject({ issued_token_type: 'urn:ietf:params:oauth:token-type:access_token', expires_in: 600 });
});

it('NHS login names a patient', async () => {
  publish('nhs-login', first);
  const answer = await tokens.issue(asked('patient-app', idToken('nhs-login', 'patient-app', person)), '');
  expect(claimsIn(answer)).toMatchObject({ patient: '9912003888', kind: 'patient' });
});

it('an issuer changes its key: the next one is found, the last one is over with its set, and the set is not asked for each token', async () => {
  publish('cis2', first);
  const send = (pair: Pair) => tokens.issue(asked('staff-app', idToken('cis2', 'staff-app', staff, pair)), '').then(reasonIn);
  expect([await send(first), await send(first)]).toEqual(['200', '200']);
  // within half a minute the set is not asked for again, whoever signs
  expect(await send(second)).toMatch(/^400 invalid_request: kid/);
  now += 31;
  publish('cis2', second);
  expect([await send(second), await send(second)]).toEqual(['200', '200']);
  expect(await send(first)).toMatch(/^400 invalid_request: kid/);
});

it('an issuer that does not answer stops exchanges, and does so no longer when it does', async () => {
  nock('https://cis2.example').get('/jwks').reply(503);
  const send = () => tokens.issue(asked('staff-app', idToken('cis2', 'staff-app', staff)), '').then(reasonIn);
  expect(await send()).toBe('400 invalid_request: the key set of the issuer cannot be read');
  now += 31;
  publish('cis2', first);
  expect(await send()).toBe('200');
});

it.each<[string, string, () => string, RegExp]>([
  [
    'identity level 2',
    'staff-app',
    () => idToken('cis2', 'staff-app', { ...staff, id_assurance_level: '2' }),
    /identity assurance level 3/,
  ],
  ['no identity level', 'staff-app', () => idToken('cis2', 'staff-app', { ...staff, id_assurance_level: undefined }), /identity assurance/],
  [
    'an identity level in words',
    'staff-app',
    () => idToken('cis2', 'staff-app', { ...staff, id_assurance_level: 'high' }),
    /identity assur/,
  ],
  ['authentication level 1', 'staff-app', () => idToken('cis2', 'staff-app', { ...staff, authentication_assurance_level: '1' }), /2 or 3/],
  [
    'an acr of level 1',
    'staff-app',
    () => idToken('cis2', 'staff-app', { ...staff, authentication_assurance_level: undefined, acr: 'AAL1_USERPASS' }),
    /2 or 3/,
  ],
  ['vot P5', 'patient-app', () => idToken('nhs-login', 'patient-app', { ...person, vot: 'P5.Cp.Cd' }), /vot P9/],
  ['vot P0', 'patient-app', () => idToken('nhs-login', 'patient-app', { ...person, vot: 'P0.Cp.Cd' }), /vot P9/],
  ['vot P99', 'patient-app', () => idToken('nhs-login', 'patient-app', { ...person, vot: 'P99.Cp' }), /vot P9/],
  ['no NHS number', 'patient-app', () => idToken('nhs-login', 'patient-app', { ...person, nhs_number: undefined }), /nhs_number/],
  ['a wrong check digit', 'patient-app', () => idToken('nhs-login', 'patient-app', { ...person, nhs_number: '9912003889' }), /NHS number/],
  ['a patient for a staff client', 'both-app', () => idToken('nhs-login', 'both-app', person), /does not act for patients/],
  ['the token of another client', 'staff-app', () => idToken('cis2', 'another-app', staff), /aud/],
  ['a stranger’s key under the kid', 'staff-app', () => idToken('cis2', 'staff-app', staff, stranger), /signature/],
  ['a login that is over', 'staff-app', () => idToken('cis2', 'staff-app', { ...staff, exp: now }), /expired/],
])('%s is refused with its reason', async (_, id, make, reason) => {
  publish(id === 'staff-app' ? 'cis2' : 'nhs-login', first);
  const answer = reasonIn(await tokens.issue(asked(id, make()), ''));
  expect(answer).toMatch(/^400 invalid_request: /);
  expect(answer).toMatch(reason);
});

it.each<[string, string, () => Readonly<Record<string, string>>, RegExp]>([
  ['an issuer nobody registered', 'staff-app', () => ({ subject_token: idToken('evil', 'staff-app', staff) }), /issuer .* not registered/],
  ['a client without exchanges', 'no-app', () => ({}), /not registered for an exchange of cis2/],
  ['no subject token', 'staff-app', () => ({ subject_token: '' }), /subject_token and subject_token_type/],
  [
    'another type of subject token',
    'staff-app',
    () => ({ subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }),
    /subject_token_type must/,
  ],
  [
    'another type of answer',
    'staff-app',
    () => ({ requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }),
    /requested_token_type/,
  ],
  ['a subject token of nonsense', 'staff-app', () => ({ subject_token: 'x.y.z' }), /signed JWT/],
])('%s is refused before the issuer is asked', async (_, id, more, reason) => {
  expect(reasonIn(await tokens.issue(asked(id, idToken('cis2', id, staff), more()), ''))).toMatch(reason);
});

it('a token that stands at the end of a character more is none', async () => {
  const token = idToken('cis2', 'staff-app', staff);
  for (const text of [`${token}A`, `${token}=`, `${token} `, token.slice(0, -1)])
    expect(reasonIn(await tokens.issue(asked('staff-app', text), ''))).toMatch(/^400 invalid_request/);
});
