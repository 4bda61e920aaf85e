import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cursorKey } from '../../src/http/cursors.js';
import { narrowedStore } from '../../src/store/narrowed.js';
import type { Reader, Sight, Store } from '../../src/store/port.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.js';

const folder = mkdtempSync(path.join(tmpdir(), 'narrowed-'));
let store: Store;
const sight: Sight = {
  keys: [],
  narrow: { type: 'Observation', where: [{ kind: 'token', param: 'category', any: [{ code: 'laboratory' }] }], anyKey: true },
};
const put = (id: string, category: string) => ({
  type: 'Observation',
  id,
  version: 0,
  lastUpdated: 1,
  body: `{"resourceType":"Observation","id":"${id}"}`,
  values: [{ kind: 'token', param: 'category', system: 's', code: category } as const],
  accessKeys: [],
  accessLinks: [],
});

beforeAll(async () => {
  store = narrowedStore(await openSqliteStore({ path: path.join(folder, 'a.db'), integrity: true }));
  await store.commit({ puts: [put('in', 'laboratory'), put('out', 'imaging')] });
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const keys = ['in', 'out'].map((id) => ({ type: 'Observation', id }));
const plan = { type: 'Observation', where: [], sort: [], count: 10 } as const;

describe.each<[string, () => Reader]>([
  ['the store', () => store],
  ['its primary', () => store.at('primary')],
  ['its replica', () => store.at('replica')],
])('the restriction of a scope holds on every read of %s:', (_name, reader) => {
  const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);
  test('find and findVersion', async () => {
    for (const key of keys) {
      const seen = key.id === 'in' ? (expect.objectContaining({ id: 'in' }) as unknown) : undefined;
      expect(await reader().find(key, sight)).toEqual(seen);
      expect(await reader().findVersion(key, 1, sight)).toEqual(seen);
    }
  });
  test('findMany, search, count and history', async () => {
    expect(ids(await reader().findMany(keys, sight))).toEqual(['in']);
    expect(ids((await reader().search(plan, sight)).rows)).toEqual(['in']);
    expect(await reader().count(plan, sight, 10)).toBe(1);
    expect(ids((await reader().history({ type: 'Observation' }, { count: 10 }, sight)).rows)).toEqual(['in']);
  });
  test('and not where there is none', async () => {
    expect(ids((await reader().search(plan, 'all')).rows).sort()).toEqual(['in', 'out']);
  });
});

test('the key of cursors is one for all processes, also when they start together', async () => {
  const both = await Promise.all([cursorKey(store), cursorKey(store)]);
  expect(both[0]).toHaveLength(32);
  expect(both[1]).toEqual(both[0]);
  expect(await cursorKey(store)).toEqual(both[0]);
});
