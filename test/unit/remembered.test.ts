import { rememberedStore } from '../../src/store/remembered.js';
import type { Entry, Key, Recall, SearchPlan, Sight, Store, Stored, Unit } from '../../src/store/port.js';

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

/** A store whose worklist revisions and tasks move when told; gives the store of a write and what its commit was given. */
const moving = () => {
  const now = { revision: 3, task: 1 };
  const given: { recall?: Recall } = {};
  const row = (id: Key): Stored => ({ ...id, version: now.task, lastUpdated: 0, body: '{}' });
  const store = {
    find: (at: Key) => Promise.resolve(row(at)),
    findClaim: () => Promise.resolve({ kind: 'current-booking', key: 'r', owner: `Appointment/${String(now.task)}` } as const),
    findEntry: (kind: Entry['kind'], entry: string) => Promise.resolve({ kind, key: entry, version: now.revision, body: '' }),
    search: ({ type }: SearchPlan) => Promise.resolve({ rows: [row({ type, id: 't' })], next: undefined }),
    commit: (_unit: Unit, recall?: Recall) => {
      if (recall) given.recall = recall;
      return Promise.resolve();
    },
  } satisfies Partial<Store>;
  const recalled = async () => {
    await own.commit({});
    return given.recall?.('r');
  };
  const own = rememberedStore(store as unknown as Store);
  return { now, own, recalled };
};
const referral: Key = { type: 'ServiceRequest', id: 'r' };

it('a commit is given the revision of the worklists as it was when the referral was read, and what was read since', async () => {
  const { now, own, recalled } = moving();
  await own.find(referral, keys('a'));
  await own.find(key('s'), 'all');
  await own.search(plan('Task'), 'all');
  await own.findClaim('current-booking', 'r');
  Object.assign(now, { revision: 4, task: 2 });
  const { revision, reader } = (await recalled()) ?? {};
  expect(revision).toBe(3);
  expect((await reader?.find(key('s'), 'all'))?.version).toBe(1);
  expect((await reader?.search(plan('Task'), 'all'))?.rows[0]?.version).toBe(1);
  expect((await reader?.findClaim('current-booking', 'r'))?.owner).toBe('Appointment/1');
  // what nobody asked for is read
  expect((await reader?.find(key('other'), 'all'))?.version).toBe(2);
});

it('whom a search found is not read again by id, unless somebody else may see him', async () => {
  const found = { type: 'Patient', id: 'p', version: 7, lastUpdated: 0, body: '{}' };
  const asked: string[] = [];
  const store = rememberedStore({
    find: (at: Key, sight: Sight) => {
      asked.push(`${at.id} ${sight === 'all' ? 'all' : 'some'}`);
      return Promise.resolve(undefined);
    },
    search: () => Promise.resolve({ rows: [found], next: undefined }),
  } as unknown as Store);
  await store.search(plan('Patient'), 'all');
  expect(await store.find(found, 'all')).toBe(found);
  expect(await store.find(found, keys('a'))).toBeUndefined();
  expect(asked).toEqual(['p some']);
});

it('what was read before the revision is read again by who adds to the unit', async () => {
  const { now, own, recalled } = moving();
  await own.search(plan('Task'), 'all');
  Object.assign(now, { revision: 4, task: 2 });
  await own.find(referral, 'all');
  const { revision, reader } = (await recalled()) ?? {};
  expect(revision).toBe(4);
  expect((await reader?.search(plan('Task'), 'all'))?.rows[0]?.version).toBe(2);
});

it('nothing is recalled of a referral that the write did not read', async () => {
  const { own, recalled } = moving();
  await own.find(key('s'), 'all');
  expect(await recalled()).toBeUndefined();
});
