import { Stale, Taken, Unresolved, type Put, type Store } from '../../src/store/port.js';
import { onEveryEngine } from './engines.js';

const made = (type: string, id: string, values: Put['values'] = []): Put => ({
  ...{ type, id, version: 0, lastUpdated: 1_700_000_000_000, accessKeys: [`patient:${id}`], accessLinks: [] },
  body: JSON.stringify({ resourceType: type, id }),
  values: [{ kind: 'token', param: '_tag', system: 's', code: 'large' }, ...values],
});
const schedule = { type: 'Schedule', id: 'diary' };
const slot = (n: number): Put =>
  made('Slot', `slot-${String(n)}`, [
    { kind: 'reference', param: 'schedule', target: schedule },
    { kind: 'token', param: 'status', system: '', code: 'free' },
    { kind: 'range', param: 'start', low: n * 3_600_000, high: n * 3_600_000 + 1 },
  ]);
/** enough for the way that many rows take on an engine that has one */
const slots = (from = 0): readonly Put[] => Array.from({ length: 60 }, (_, n) => slot(from + n));
const claim = (key: string, owner: string) => ({ kind: 'identifier', key, owner }) as const;

onEveryEngine('large', (engine) => {
  let store: Store;
  beforeAll(async () => {
    store = await engine.open({ integrity: true });
    await store.commit({ puts: [made('Schedule', 'diary')], claims: [claim('taken', 'first')] });
  }, 120_000);
  afterAll(() => store.close());

  const count = () => store.count({ type: 'Slot', where: [], sort: [], count: 1 }, 'all', 1000);

  it('many new resources are one commit: found, counted by day, in history, claimed', async () => {
    await store.commit({ puts: slots(), claims: [claim('new', 'large')], audit: ['{"a":1}'] });
    const free = await store.availability(['diary'], 0, 61 * 3_600_000);
    expect(free).toMatchObject([{ schedule: 'diary', count: 60, first: { id: 'slot-0', version: 1 } }]);
    const where = [{ kind: 'token', param: '_tag', any: [{ system: 's', code: 'large' }] }] as const;
    expect((await store.search({ type: 'Slot', where, sort: [], count: 100 }, 'all')).rows).toHaveLength(60);
    expect((await store.history({ type: 'Slot' }, { count: 100 }, 'all')).rows).toHaveLength(60);
    expect(await store.keysOf({ type: 'Slot', id: 'slot-7' })).toEqual(['patient:slot-7']);
    expect((await store.findClaim('identifier', 'new'))?.owner).toBe('large');
    expect(await store.auditChains()).toHaveLength(1);
  });

  it('what stands in the way of one refuses all of them, and is named', async () => {
    const before = await count();
    await expect(store.commit({ puts: [...slots(100), slot(3)] })).rejects.toEqual(new Stale({ type: 'Slot', id: 'slot-3' }));
    const claims = [claim('free', 'large'), claim('taken', 'large')];
    await expect(store.commit({ puts: slots(100), claims })).rejects.toEqual(new Taken(claim('taken', 'large')));
    const lost = made('Slot', 'lost', [{ kind: 'reference', param: 'schedule', target: { type: 'Schedule', id: 'none' } }]);
    await expect(store.commit({ puts: [...slots(100), lost] })).rejects.toBeInstanceOf(Unresolved);
    expect(await count()).toBe(before);
    expect(await store.findClaim('identifier', 'free')).toBeUndefined();
  });

  it('of two that write the same at once one is written', async () => {
    const both = await Promise.allSettled([1, 2].map(() => store.commit({ puts: slots(200) })));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { name: 'Stale' } });
    expect((await store.availability(['diary'], 200 * 3_600_000, 261 * 3_600_000))[0]?.count).toBe(60);
  });
});
