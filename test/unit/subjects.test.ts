import { createPrivateKey, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import type { Client, Jwk } from '../../src/auth/client.js';
import { RemoteKeys } from '../../src/auth/remote-keys.js';
import { accessCodeReader, idTokenReader, type IdentityIssuer } from '../../src/auth/subjects.js';

const now = 1_750_000_000;
const keys = ['cis2', 'nhs-login'].map((name) => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { name, pair, jwk: { ...pair.publicKey.export({ format: 'jwk' }), kid: name } satisfies Jwk };
});
const issuers = keys.map(({ name, jwk }): IdentityIssuer => ({
  issuer: `https://${name}.example`,
  kind: name as IdentityIssuer['kind'],
  algorithms: ['RS512'],
  jwks: { keys: [jwk] },
  audiences: { client: ['its-name-there'] },
}));
const client: Client = {
  id: 'client',
  kind: 'user',
  algorithms: ['RS512'],
  jwks: { keys: [] },
  scopes: [],
  organisations: ['*'],
  exchanges: ['cis2', 'nhs-login', 'access-code'],
};
const birthDateOf = (nhsNumber: string) => Promise.resolve(nhsNumber === '9912003888' ? '1960-05-01' : undefined);
const read = idTokenReader(issuers, new RemoteKeys(false, () => now * 1000), birthDateOf);
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = (name: string, claims: object, header: object = {}, by = name): string => {
  const text = `${part({ alg: 'RS512', typ: 'JWT', kid: name, ...header })}.${part({
    iss: `https://${name}.example`,
    aud: 'client',
    iat: now,
    exp: now + 300,
    ...claims,
  })}`;
  const key = keys.find((candidate) => candidate.name === by)?.pair.privateKey.export({ format: 'jwk' }) ?? {};
  return `${text}.${signBytes('sha512', Buffer.from(text), createPrivateKey({ key, format: 'jwk' })).toString('base64url')}`;
};
const staff = { nhsid_useruid: '021600556514', id_assurance_level: '3', authentication_assurance_level: '3' };
const person = { nhs_number: '9912003888', vot: 'P9.Cp.Cd', identity_proofing_level: 'P9' };

test('an id_token of CIS2 names a user, one of NHS login a patient', async () => {
  expect(await read(token('cis2', staff), client, now)).toEqual({ user: '021600556514' });
  expect(await read(token('cis2', { ...staff, aud: ['x', 'its-name-there'] }), client, now)).toEqual({ user: '021600556514' });
  expect(await read(token('nhs-login', person), client, now)).toEqual({ patient: '9912003888' });
  expect(await read(token('nhs-login', { ...person, birthdate: '1960-05-01' }), client, now)).toEqual({ patient: '9912003888' });
  const unknown = { ...person, nhs_number: '9990000018', birthdate: '1960-05-02' };
  expect(await read(token('nhs-login', unknown), client, now)).toEqual({ patient: '9990000018' });
});
test.each<[string, string, RegExp]>([
  ['no JWT', 'x', /signed JWT/],
  ['an issuer nobody registered', token('cis2', { ...staff, iss: 'https://elsewhere.example' }), /issuer/],
  ['another alg', token('cis2', staff, { alg: 'RS256' }), /alg/],
  ['alg none', `${token('cis2', staff, { alg: 'none' }).split('.').slice(0, 2).join('.')}.`, /alg/],
  ['another kid', token('cis2', staff, { kid: 'other' }), /kid/],
  ['crit', token('cis2', staff, { crit: ['b64'] }), /crit/],
  ['the key of the other issuer', token('cis2', staff, {}, 'nhs-login'), /signature/],
  ['another audience', token('cis2', { ...staff, aud: 'other' }), /aud/],
  ['expired', token('cis2', { ...staff, exp: now }), /expired/],
  ['old', token('cis2', { ...staff, iat: now - 3601 }), /last hour/],
  ['identity assurance 2', token('cis2', { ...staff, id_assurance_level: '2' }), /level 3/],
  ['authentication assurance 1', token('cis2', { ...staff, authentication_assurance_level: '1' }), /level 2/],
  ['no user id', token('cis2', { ...staff, nhsid_useruid: undefined }), /nhsid_useruid/],
  ['vot P5', token('nhs-login', { ...person, vot: 'P5.Cp' }), /P9/],
  ['proofing P5', token('nhs-login', { ...person, identity_proofing_level: 'P5' }), /P9/],
  ['the birth date of somebody else', token('nhs-login', { ...person, birthdate: '1960-05-02' }), /birthdate/],
  ['a birth date that is none', token('nhs-login', { ...person, birthdate: 1960 }), /birthdate/],
  ['no NHS number', token('nhs-login', { ...person, nhs_number: undefined }), /nhs_number/],
])('an id_token with %s is refused', async (_name, text, reason) => {
  await expect(read(text, client, now)).rejects.toThrow(reason);
});
test('a client exchanges only what it is registered for', async () => {
  await expect(read(token('cis2', staff), { ...client, exchanges: ['nhs-login'] }, now)).rejects.toThrow(/not registered/);
});
test('an access code is exchanged when all three parts belong together, and every refusal reads alike', async () => {
  const code = accessCodeReader(({ accessCode }) => Promise.resolve(accessCode === 'RIGHT' ? '9912003888' : undefined));
  const text = (more: object = {}) => JSON.stringify({ ubrn: '000000070000', access_code: 'RIGHT', year_of_birth: 1960, ...more });
  expect(await code(text(), client, now)).toEqual({ patient: '9912003888' });
  // as the letter prints it
  expect(await code(text({ ubrn: '0000 0007 0000' }), client, now)).toEqual({ patient: '9912003888' });
  await expect(code(text({ access_code: 'WRONG' }), client, now)).rejects.toThrow(/belong together/);
  for (const bad of ['', 'null', '[]', text({ ubrn: '1' }), text({ year_of_birth: '1960' }), text({ access_code: 5 })])
    await expect(code(bad, client, now)).rejects.toThrow(/required|year/);
  await expect(code(text(), { ...client, exchanges: [] }, now)).rejects.toThrow(/not registered/);
});
