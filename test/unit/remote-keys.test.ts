import nock from 'nock';
import { nocked } from '../helpers/nocked.js';
import { checkKeysUrl, RemoteKeys, UnreadableKeys } from '../../src/auth/remote-keys.js';

const origin = 'https://keys.example';
const url = `${origin}/jwks`;
const set = (...kids: readonly string[]) => ({ keys: kids.map((kid) => ({ kty: 'RSA', kid, n: 'AQAB', e: 'AQAB' })) });

let now = 0;
// the internal form leaves the name's look-up to nock; the addresses that are refused are tested on checkKeysUrl
const remote = () => new RemoteKeys(true, () => now);

nocked();
beforeEach(() => {
  now = 1_800_000_000_000;
});

it('fetches a set once and keeps it for an hour', async () => {
  const keys = remote();
  nock(origin).get('/jwks').once().reply(200, set('a'));
  expect(await keys.find(url, 'a')).toHaveLength(1);
  now += 3_599_000;
  expect(await keys.find(url, 'a')).toHaveLength(1);
});

it('asks again for a kid that it does not know, at most every 30 seconds', async () => {
  const keys = remote();
  nock(origin).get('/jwks').reply(200, set('a'));
  await keys.find(url, 'a');
  expect(await keys.find(url, 'b')).toEqual([]);
  nock(origin).get('/jwks').reply(200, set('a', 'b'));
  now += 30_000;
  expect(await keys.find(url, 'b')).toHaveLength(1);
});

it('asks once for many that wait at the same time', async () => {
  const keys = remote();
  nock(origin).get('/jwks').once().reply(200, set('a'));
  const found = await Promise.all(Array.from({ length: 20 }, () => keys.find(url, 'a')));
  expect(found.every((each) => each.length === 1)).toBe(true);
});

it('goes on with the keys it has when the set cannot be read', async () => {
  const keys = remote();
  nock(origin).get('/jwks').reply(200, set('a'));
  await keys.find(url, 'a');
  now += 3_700_000;
  nock(origin).get('/jwks').reply(500);
  expect(await keys.find(url, 'a')).toHaveLength(1);
});

it.each([
  ['a redirect', 302, '', { location: 'http://169.254.169.254/' }],
  ['no JSON', 200, '<html>', {}],
  ['no key set', 200, '{"keys":{}}', {}],
  ['a set that is too large', 200, JSON.stringify({ keys: [{ kid: 'a', pad: 'x'.repeat(70_000) }] }), {}],
  ['more keys than a client has', 200, JSON.stringify(set(...Array.from({ length: 51 }, (_, index) => String(index)))), {}],
])('takes no keys from %s', async (_, status, body, headers) => {
  nock(origin).get('/jwks').reply(status, body, headers);
  await expect(remote().find(url, 'a')).rejects.toBeInstanceOf(UnreadableKeys);
});

it.each([
  'http://keys.example/jwks',
  'https://user:pass@keys.example/jwks',
  'https://127.0.0.1/',
  'https://[::1]/',
  'https://10.0.0.1/',
  'file:///etc/passwd',
  'jwks',
])('refuses the URL %s outside of the demo', (text) => {
  expect(() => checkKeysUrl(text, false)).toThrow(UnreadableKeys);
});
