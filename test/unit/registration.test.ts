import { generateKeyPairSync } from 'node:crypto';
import type { Jwk } from '../../src/auth/client.js';
import { clientOf, type Registration } from '../../src/auth/registration.js';
import { isPublicAddress, publicLookup } from '../../src/auth/public-address.js';
import { checkKeysUrl, readKeySet } from '../../src/auth/remote-keys.js';
import { registryOf } from '../../src/auth/demo-clients.js';
import { storedClients } from '../../src/auth/stored-clients.js';
import { memoryEntries } from '../helpers/memory-entries.js';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicKey: Jwk = { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'one' };
const good: Registration = {
  id: 'gp-system',
  kind: 'system',
  algorithms: ['RS384'],
  keys: [publicKey],
  scopes: ['system/Patient.rs'],
  organisations: [],
  users: [],
  patients: [],
  exchanges: [],
};
const register = (more: Partial<Registration> = {}, demo = false) =>
  clientOf({ ...good, ...more }, demo, (scope) => !scope.includes('date='));

describe('a client is registered', () => {
  test('with what was said', () => {
    expect(register({ rate: '50' })).toMatchObject({ id: 'gp-system', algorithms: ['RS384'], ratePerSecond: 50 });
    expect(register({ keys: 'https://keys.example/jwks' })).toMatchObject({ jwksUrl: 'https://keys.example/jwks', jwks: { keys: [] } });
    expect(register({ kind: 'user', scopes: ['user/*.cruds'], organisations: ['D82106'], exchanges: ['cis2'] }).exchanges).toEqual([
      'cis2',
    ]);
  });
  const small: Jwk = { ...generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' }), kid: 'one' };
  const p256: Jwk = { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), kid: 'one' };
  test.each<[Partial<Registration>, RegExp]>([
    [{ id: '../x' }, /--id/],
    [{ kind: 'admin' }, /--kind/],
    [{ algorithms: ['HS512'] }, /--alg/],
    [{ algorithms: ['RS384', 'none'] }, /--alg/],
    [{ scopes: [] }, /--scope/],
    [{ scopes: ['user/*.rs'] }, /kind system/],
    [{ scopes: ['system/Observation.rs?date=2020'] }, /cannot be enforced/],
    [{ scopes: ['system/Observation.r?category=a', 'system/Observation.s?category=b'] }, /same search parameters/],
    [{ keys: [] }, /no key/],
    [{ keys: [{ ...publicKey, kid: '' }] }, /kid/],
    [{ keys: [publicKey, publicKey] }, /kid/],
    [{ keys: [{ ...rsa.privateKey.export({ format: 'jwk' }), kid: 'one' }] }, /private/],
    [{ keys: [small] }, /2048/],
    [{ keys: [p256], algorithms: ['ES384'] }, /suits none/],
    [{ keys: 'http://keys.example/jwks' }, /https/],
    [{ keys: 'https://127.0.0.1/jwks' }, /internal/],
    [{ kind: 'app', scopes: ['system/*.rs'] }, /--org/],
    [{ kind: 'app', scopes: ['system/*.rs'], organisations: ['RCD'] }, /--business-function/],
    [{ kind: 'user', scopes: ['user/*.rs'], organisations: ['RCD'], users: ['021600556514'] }, /DEMO/],
    [{ kind: 'user', scopes: ['user/*.rs'], organisations: ['RCD'], exchanges: ['nhs-login'] }, /cis2/],
    [{ exchanges: ['cis2'] }, /exchanges no tokens/],
    [{ rate: 'many' }, /--rate/],
  ])('not with %j', (more, reason) => {
    expect(() => register(more)).toThrow(reason);
  });
});

describe('key sets by URL', () => {
  test.each([
    ...['127.0.0.1', '10.1.2.3', '172.16.0.1', '192.168.1.1', '169.254.169.254', '0.0.0.0', '100.64.0.1', '224.0.0.1', '255.255.255.255'],
    ...[
      '::1',
      '::',
      'fe80::1',
      'fc00::1',
      'fd12::1',
      '::ffff:127.0.0.1',
      '::ffff:a00:1',
      '64:ff9b::a00:1',
      '2002:7f00:1::',
      'ff02::1',
      'x',
    ],
  ])('%s is no public address', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
  test.each(['8.8.8.8', '193.84.1.1', '2a00:1450:4009::1'])('%s is one', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
  test.each([
    ...[
      'http://keys.example/',
      'ftp://keys.example/',
      'https://user:secret@keys.example/',
      'https://[::1]/',
      'https://169.254.169.254/latest',
    ],
    ...['https://2130706433/', 'https://0x7f.1/', 'https://127.1/', 'https://[::ffff:7f00:1]/', 'file:///etc/passwd', 'no url'],
  ])('%s is refused', (url) => {
    expect(() => checkKeysUrl(url, false)).toThrow();
  });
  test('a name with any address that is not public is not connected to', async () => {
    const ask = (addresses: readonly string[]) =>
      new Promise<string>((resolve) => {
        const resolver = ((_name: string, _options: unknown, callback: (error: null, found: object) => void) => {
          callback(
            null,
            addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
          );
        }) as never;
        publicLookup(resolver)('keys.example', {}, (error, address) => {
          resolve(error ? 'refused' : (address as string));
        });
      });
    expect(await ask(['8.8.8.8'])).toBe('8.8.8.8');
    expect(await ask(['8.8.8.8', '10.0.0.1'])).toBe('refused');
    expect(await ask(['::1'])).toBe('refused');
    expect(await ask([])).toBe('refused');
  });
  test.each(['', '[]', '{"keys":5}', '{"keys":["a"]}', `{"keys":[${'{},'.repeat(50)}{}]}`])('%s is no key set', (text) => {
    expect(() => readKeySet(text)).toThrow();
  });
});

describe('the registry in the store', () => {
  test('revokes for every process within seconds, also a client that was given', async () => {
    let now = 0;
    const store = memoryEntries();
    const given = registryOf([clientOf(good, false, () => true)]);
    const [one, two] = [storedClients(store, given, () => now), storedClients(store, given, () => now)];
    await one.put(register({ id: 'other' }));
    expect((await two.list()).map(({ id }) => id)).toEqual(['gp-system', 'other']);
    expect(await two.find('gp-system')).toBeDefined();
    expect(await one.revoke('gp-system')).toBe(true);
    expect(await one.find('gp-system')).toBeUndefined();
    now = 9000;
    expect(await two.find('gp-system')).toBeUndefined();
    expect((await two.list()).map(({ id }) => id)).toEqual(['other']);
    expect(await one.revoke('nobody')).toBe(false);
  });
  test('a client that is registered again after it was revoked has no tokens of before; one that is replaced keeps them', async () => {
    let now = 5_000_500;
    const registry = storedClients(memoryEntries(), registryOf([]), () => now);
    await registry.put(register());
    await registry.put(register({ rate: '5' }));
    expect(await registry.find('gp-system')).not.toHaveProperty('tokensFrom');
    await registry.revoke('gp-system');
    now += 60_000;
    await registry.put(register());
    expect(await registry.find('gp-system')).toMatchObject({ tokensFrom: 5001 });
    await registry.put(register({ rate: '5' }));
    expect(await registry.find('gp-system')).toMatchObject({ tokensFrom: 5001, ratePerSecond: 5 });
  });
});
