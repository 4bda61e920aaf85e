import type { Reader, SearchPlan, Store } from '../../src/store/port.js';
import { put, token } from '../builders/units.js';
import { onEveryEngine } from './engines.js';

const a = { type: 'Patient', id: 'a' };
const b = { type: 'Observation', id: 'b' };
/** of known size, answered where it is asked */
const short: SearchPlan = {
  type: 'Patient',
  where: [{ kind: 'token', param: 'identifier', any: [{ code: '1' }] }],
  sort: [],
  count: 5,
};
/** of unknown size: the embedded store reads it in a thread */
const long: SearchPlan = {
  ...short,
  where: [{ kind: 'not', where: [{ kind: 'token', param: 'gender', any: [{ code: 'male' }] }] }],
};

onEveryEngine('snapshot', ({ open }) => {
  let store: Store;
  const values = [token('identifier', '1')];
  const write = (version: number) => store.commit({ puts: [put(a.type, a.id, version, { values }), put(b.type, b.id, version)] });
  beforeEach(async () => {
    store = await open({ integrity: true });
    await write(0);
  });
  afterEach(async () => {
    await store.close();
  });

  const versionsOf = async (reader: Reader, plan: SearchPlan, between: () => Promise<void>) => {
    const [row] = (await reader.search(plan, 'all')).rows;
    await between();
    const [many] = await reader.findMany([b], 'all');
    return [row?.version, (await reader.find(b, 'all'))?.version, many?.version];
  };

  for (const [name, plan] of [
    ['short', short],
    ['long', long],
  ] as const) {
    it(`shows one state, whatever is committed while it reads: ${name} search`, async () => {
      let version = 1;
      const commit = async (): Promise<void> => {
        await write(version++);
      };
      expect(await store.snapshot((reader) => versionsOf(reader, plan, commit))).toEqual([1, 1, 1]);
      // the same steps without a snapshot show two states
      const [first, second] = await versionsOf(store, plan, commit);
      expect(second).toBe((first ?? 0) + 1);
      // the next snapshot is not older than its call
      const now = await store.snapshot((reader) => versionsOf(reader, plan, () => Promise.resolve()));
      expect(now).toEqual([version, version, version]);
    });
  }

  it('keeps the state of its first read when a search of unknown size comes later', async () => {
    let version = 1;
    const seen = await store.snapshot(async (reader) => {
      const first = await reader.find(a, 'all');
      await write(version++);
      const [row] = (await reader.search(long, 'all')).rows;
      const last = await reader.find(b, 'all');
      return [first?.version, row?.version, last?.version];
    });
    expect(new Set(seen).size).toBe(1);
  });

  it('reads side by side, many at once, while a writer goes on', async () => {
    const state = { done: false };
    const writer = (async () => {
      for (let version = 1; version < 60; version++) await write(version);
      state.done = true;
    })();
    let pairs = 0;
    const reading = async (plan: SearchPlan): Promise<void> => {
      while (!state.done) {
        const [page, found, count] = await store.snapshot((reader) =>
          Promise.all([reader.search(plan, 'all'), reader.find(b, 'all'), reader.count(plan, 'all', 10)]),
        );
        expect([page.rows[0]?.version, count]).toEqual([found?.version, 1]);
        pairs++;
        await new Promise(setImmediate);
      }
    };
    await Promise.all([writer, ...Array.from({ length: 8 }, (_, n) => reading(n % 2 === 0 ? short : long))]);
    expect(pairs).toBeGreaterThan(8);
  });

  it('gives back what it held when the reading fails', async () => {
    const failing = (plan: SearchPlan) =>
      store.snapshot(async (reader) => {
        await reader.search(plan, 'all');
        throw new Error('of the reading');
      });
    for (let n = 0; n < 12; n++) await expect(failing(n % 2 === 0 ? short : long)).rejects.toThrow('of the reading');
    expect((await store.snapshot((reader) => reader.search(short, 'all'))).rows).toHaveLength(1);
    expect((await store.snapshot((reader) => reader.search(long, 'all'))).rows).toHaveLength(1);
  });
});
