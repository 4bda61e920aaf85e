import type { AccessClaims } from '../../src/access/caller.js';
import { openKeyring } from '../../src/auth/keyring.js';
import { memoryEntries } from '../helpers/memory-entries.js';

// Keys rotate by the clock, on two processes that share the store and nothing else.
const day = 86_400_000;
const minute = 60_000;
const start = 20_000 * day;
let now = start;
const clock = () => now;
const open = (store: ReturnType<typeof memoryEntries>) => openKeyring({ store, clock, rotationMs: day });
const claims = (): AccessClaims => ({
  iss: 'i',
  sub: 's',
  client_id: 'c',
  kind: 'system',
  scope: 'system/*.rs',
  organisations: [],
  jti: 'j',
  iat: now / 1000,
  exp: now / 1000 + 600,
});
const kidOf = (token: string): unknown =>
  (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;

beforeEach(() => {
  now = start;
});

test('the next key is published before it signs, and the last one while its tokens may live', async () => {
  const store = memoryEntries();
  const keys = await open(store);
  const first = kidOf(await keys.sign(claims()));
  const published = () => keys.publicJwks().keys.map(({ kid }) => kid);
  expect(published()).toEqual([first]);
  now = start + day - 2 * 60 * minute;
  await keys.refresh();
  const next = published().find((kid) => kid !== first);
  expect(next).toBeDefined();
  expect(kidOf(await keys.sign(claims()))).toBe(first);
  now = start + day;
  expect(kidOf(await keys.sign(claims()))).toBe(next);
  expect(published()).toContain(first);
  now = start + day + 16 * minute;
  await keys.refresh();
  expect(published()).not.toContain(first);
});

test('a token of the last minute of a key is good until it expires, on the other process as well', async () => {
  const store = memoryEntries();
  const [one, two] = [await open(store), await open(store)];
  now = start + day - minute;
  const token = await one.sign(claims());
  now = start + day + 8 * minute;
  await one.refresh();
  await expect(two.verify(token)).resolves.toMatchObject({ client_id: 'c' });
  now = start + day + 9 * minute;
  await expect(two.verify(token)).rejects.toMatchObject({ category: 'login' });
});

test('a process that was not told of a new key finds it when a token names it', async () => {
  const store = memoryEntries();
  const [one, two] = [await open(store), await open(store)];
  now = start + day + minute;
  const token = await one.sign(claims());
  await expect(two.verify(token)).resolves.toMatchObject({ client_id: 'c' });
});

test('what a retired key signed is no access token, and its private part is gone; its seals still tell', async () => {
  const store = memoryEntries();
  const keys = await open(store);
  const long = await keys.sign({ ...claims(), exp: start / 1000 + 10 * 86_400 });
  const seal = await keys.seal('seal+jwt', { heads: [] });
  now = start + 2 * day;
  await keys.refresh();
  const fresh = await open(store);
  await expect(fresh.verify(long)).rejects.toMatchObject({ category: 'login' });
  expect(await fresh.unseal('seal+jwt', seal)).toMatchObject({ heads: [] });
  await expect(fresh.verify(seal)).rejects.toMatchObject({ category: 'login' });
  const kept = (await store.listEntries('signing-key')).map(({ body }) => JSON.parse(body) as { jwk: { d?: string }; until: number });
  for (const { jwk, until } of kept) expect([until, jwk.d !== undefined]).toEqual([until, until > now]);
});
