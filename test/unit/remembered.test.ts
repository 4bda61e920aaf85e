import { rememberedStore } from '../../src/store/remembered.js';
import type { Key, SearchPlan, Sight, Store } from '../../src/store/port.js';

const counting = () => {
  const asked: string[] = [];
  const store = {
    find: (key: Key, sight: Sight) => {
      asked.push(`find ${key.id} ${sight === 'all' ? 'all' : 'some'}`);
      return Promise.resolve(key.id === 'none' ? undefined : { ...key, version: 2, lastUpdated: 0, body: '{}' });
    },
    findVersion: (key: Key, version: number) => {
      asked.push(`version ${String(version)}`);
      return Promise.resolve({ ...key, version, lastUpdated: 0, body: '{}' });
    },
    search: (plan: SearchPlan) => {
      asked.push(`search ${plan.type}`);
      return Promise.resolve({ rows: [], next: undefined });
    },
  } satisfies Partial<Store>;
  return { asked, store: rememberedStore(store as unknown as Store) };
};
const key = (id: string): Key => ({ type: 'Slot', id });
const plan = (type: string): SearchPlan => ({ type, where: [], sort: [], count: 1 });
const keys = (...all: string[]): Sight => ({ keys: all });

it('reads each record and page once for whoever may see the same', async () => {
  const { asked, store } = counting();
  for (const id of ['s', 's', 'none', 'none']) await store.find(key(id), 'all');
  for (const sight of [keys('a'), keys('a'), keys('b')]) await store.find(key('s'), sight);
  for (const type of ['Task', 'Task', 'Slot']) await store.search(plan(type), 'all');
  expect(asked).toEqual(['find s all', 'find none all', 'find s some', 'find s some', 'search Task', 'search Slot']);
});

it('the version that was found is read no more, an older one is', async () => {
  const { asked, store } = counting();
  expect((await store.findVersion(key('s'), 2, 'all'))?.version).toBe(2);
  expect((await store.findVersion(key('s'), 1, 'all'))?.version).toBe(1);
  expect(await store.findVersion(key('none'), 1, 'all')).toBeUndefined();
  expect(asked).toEqual(['find s all', 'version 1', 'find none all']);
});

it("does not remember what a scope's restriction shows", async () => {
  const { asked, store } = counting();
  const narrow: Sight = { keys: ['a'], narrow: { type: 'Slot', where: [], anyKey: true } };
  await store.find(key('s'), narrow);
  await store.find(key('s'), narrow);
  expect(asked).toHaveLength(2);
});
