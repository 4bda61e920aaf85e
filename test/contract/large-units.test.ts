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
    const both = await Promise.allSettled([1, 2].map((n) => store.commit({ puts: slots(200), audit: [`{"n":${String(n)}}`] })));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { name: 'Stale' } });
    expect((await store.availability(['diary'], 200 * 3_600_000, 261 * 3_600_000))[0]?.count).toBe(60);
  });

  // what an engine does for few rows it must do for the next one as well
  it.each([20, 21])('a unit of %i of everything is written as a whole, new and changed', async (many) => {
    const all = Array.from({ length: many }, (_, n) => `${String(many)}-${String(n)}`);
    const root = { type: 'Schedule', id: 'diary' };
    const unit = (version: number) => ({
      puts: all.map((id) => ({
        ...made('Slot', id, [{ kind: 'reference', param: 'schedule', target: schedule } as const]),
        ...{ version, accessKeys: [`patient:${id}`, `version:${String(version)}`], accessLinks: [{ child: { type: 'Slot', id }, root }] },
      })),
      entries: all.map((key) => ({ kind: 'job', key, version, body: `"${String(version)}"` }) as const),
      worklists: all.map((referral) => ({
        referral,
        places: [{ list: `L${String(many)}`, owner: 'o', authored: version, item: `"${referral}"` }],
      })),
      claims: all.map((key) => claim(key, `v${String(version)}`)),
    });
    await store.commit(unit(0));
    const changed = unit(1);
    await store.commit({ ...changed, releases: all.map((key) => claim(key, 'v0')), expects: [{ ...schedule, version: 1 }] });
    const keys = all.map((id) => ({ type: 'Slot', id }));
    expect((await store.findMany(keys, { keys: ['version:1'] })).map(({ version }) => version)).toEqual(all.map(() => 2));
    expect(await store.findMany(keys, { keys: ['version:0'] })).toEqual([]);
    const entries = await Promise.all(all.map((key) => store.findEntry('job', key)));
    expect(entries.map((entry) => [entry?.version, entry?.body])).toEqual(all.map(() => [2, '"1"']));
    const claims = await Promise.all(all.map((key) => store.findClaim('identifier', key)));
    expect(claims.map((found) => found?.owner)).toEqual(all.map(() => 'v1'));
    const page = await store.worklist({ list: `L${String(many)}`, owner: 'o', now: 1, count: 50 });
    expect(page.rows.map(({ referral, authored }) => [referral, authored]).sort()).toEqual(all.map((id) => [id, 1]).sort());
    expect(await store.referrers(schedule, 'all', 100, { type: 'Slot', param: 'schedule' })).toHaveLength(100);
    await store.commit({ expects: keys.map((key) => ({ ...key, version: 2 })), releases: all.map((key) => claim(key, 'v1')) });
    expect(await Promise.all(all.map((key) => store.findClaim('identifier', key)))).toEqual(all.map(() => undefined));
    const stale = keys.map((key, n) => ({ ...key, version: n === many - 1 ? 1 : 2 }));
    await expect(store.commit({ expects: stale })).rejects.toBeInstanceOf(Stale);
  });
});
