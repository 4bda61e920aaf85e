import { Matched, type Predicate, type Reindex, type SearchPlan, type Store, type Value } from '../../src/store/port.js';
import { idsOf, plan, put, token } from '../builders/units.js';
import { onEveryEngine } from './engines.js';

const ODS = (code: string) => ({ keys: [`organisation:${code}`] });

/** What a search promises over every store engine. */
onEveryEngine('searches', ({ open }) => {
  let store: Store;
  beforeEach(async () => {
    store = await open({ integrity: true });
  });
  afterEach(async () => {
    await store.close();
  });

  beforeEach(async () => {
    await store.commit({
      puts: [
        put('Schedule', 'x'),
        put('Patient', 'p', 0, {
          values: [
            token('identifier', '999', 'nhs'),
            { kind: 'text', param: 'family', value: 'smith' },
            { kind: 'range', param: 'birthdate', low: 10, high: 20 },
          ],
        }),
        put('Patient', 'q', 0, { values: [token('identifier', '998', 'nhs'), { kind: 'text', param: 'family', value: 'smythe' }] }),
      ],
    });
    await store.commit({
      puts: [1, 2, 3, 4].map((n) =>
        put('Slot', `s${String(n)}`, 0, {
          values: [
            { kind: 'reference', param: 'schedule', target: { type: 'Schedule', id: 'x' } },
            token('status', n === 3 ? 'busy' : 'free'),
            { kind: 'range', param: 'start', low: n * 100, high: n * 100 + 1 },
          ],
        }),
      ),
    });
    await store.commit({
      puts: [put('Appointment', 'a', 0, { values: [{ kind: 'reference', param: 'patient', target: { type: 'Patient', id: 'p' } }] })],
    });
  });
  const found = async (type: string, where: SearchPlan['where'], more: Partial<SearchPlan> = {}) =>
    idsOf((await store.search(plan(type, where, more), 'all')).rows);

  it('by token, with and without system, and not', async () => {
    expect(await found('Patient', [{ kind: 'token', param: 'identifier', any: [{ system: 'nhs', code: '999' }] }])).toEqual(['p']);
    expect(await found('Patient', [{ kind: 'token', param: 'identifier', any: [{ code: '998' }, { code: '997' }] }])).toEqual(['q']);
    expect(await found('Patient', [{ kind: 'token', param: 'identifier', any: [{ system: 'other', code: '999' }] }])).toEqual([]);
    expect(await found('Patient', [{ kind: 'token', param: 'identifier', not: true, any: [{ code: '999' }] }])).toEqual(['q']);
  });
  it('by columns: schedule, status, window', async () => {
    const where: SearchPlan['where'] = [
      { kind: 'reference', param: 'schedule', any: [{ type: 'Schedule', id: 'x' }] },
      { kind: 'token', param: 'status', any: [{ code: 'free' }] },
      { kind: 'range', param: 'start', any: [{ prefix: 'ge', low: 200, high: 201 }] },
    ];
    expect(await found('Slot', where)).toEqual(['s2', 's4']);
    expect(await found('Slot', where, { sort: [{ param: 'start', kind: 'range', descending: true }] })).toEqual(['s4', 's2']);
    expect(await store.count(plan('Slot', where), 'all', 10)).toBe(2);
    expect(await store.count(plan('Slot', []), 'all', 3)).toBe(3);
  });
  it('by text and range', async () => {
    expect(await found('Patient', [{ kind: 'text', param: 'family', mode: 'starts', any: ['smi'] }])).toEqual(['p']);
    expect(await found('Patient', [{ kind: 'text', param: 'family', mode: 'contains', any: ['th'] }])).toEqual(['p', 'q']);
    expect(await found('Patient', [{ kind: 'text', param: 'family', mode: 'exact', any: ['smythe'] }])).toEqual(['q']);
    expect(await found('Patient', [{ kind: 'range', param: 'birthdate', any: [{ prefix: 'eq', low: 5, high: 25 }] }])).toEqual(['p']);
    expect(await found('Patient', [{ kind: 'missing', param: 'birthdate', missing: true }])).toEqual(['q']);
  });
  it('through chains and backwards', async () => {
    const smith: SearchPlan['where'] = [{ kind: 'token', param: 'identifier', any: [{ code: '999' }] }];
    expect(await found('Appointment', [{ kind: 'chain', param: 'patient', type: 'Patient', where: smith }])).toEqual(['a']);
    expect(await found('Slot', [{ kind: 'chain', param: 'schedule', type: 'Schedule', where: [{ kind: 'id', ids: ['x'] }] }])).toHaveLength(
      4,
    );
    expect(await found('Patient', [{ kind: 'has', param: 'patient', type: 'Appointment', where: [{ kind: 'id', ids: ['a'] }] }])).toEqual([
      'p',
    ]);
  });
  it('pages through every match once, also while rows are added, in any order', async () => {
    for (const sort of [
      [],
      [{ param: 'start', kind: 'range', descending: true }],
      [{ param: '', kind: 'updated', descending: false }],
    ] as SearchPlan['sort'][]) {
      const seen: string[] = [];
      let after: string | undefined;
      do {
        const page = await store.search(plan('Slot', [], { sort, count: 1, ...(after === undefined ? {} : { after }) }), 'all');
        seen.push(...idsOf(page.rows));
        after = page.next;
      } while (after !== undefined);
      expect([...seen].sort()).toEqual(['s1', 's2', 's3', 's4']);
    }
  });
  it('an update replaces the old values', async () => {
    await store.commit({ puts: [put('Patient', 'q', 1, { values: [token('identifier', '997', 'nhs')] })] });
    expect(await found('Patient', [{ kind: 'token', param: 'identifier', any: [{ code: '998' }] }])).toEqual([]);
    expect(await found('Patient', [{ kind: 'token', param: 'identifier', any: [{ code: '997' }] }])).toEqual(['q']);
    expect(await found('Patient', [{ kind: 'text', param: 'family', mode: 'starts', any: ['smythe'] }])).toEqual([]);
  });
  it('a row is indexed anew where it stands, for some parameters alone', async () => {
    const key = { type: 'Patient', id: 'q' };
    const size = (code: string): Reindex => ({ ...key, version: 1, params: ['size', 'weight'], values: [token('size', code)] });
    const weight: Value = { kind: 'range', param: 'weight||kg', low: 1, high: 2 };
    const withCode = (param: string, code: string): Predicate => ({ kind: 'token', param, any: [{ code }] });
    await store.commit({ reindexes: [{ ...size('9'), values: [token('size', '9'), weight] }] });
    expect(await found('Patient', [withCode('size', '9')])).toEqual(['q']);
    expect(await found('Patient', [{ kind: 'range', param: 'weight||kg', any: [{ prefix: 'gt', low: 0, high: 1 }] }])).toEqual(['q']);
    await store.commit({ reindexes: [size('10')] });
    expect(await found('Patient', [withCode('size', '9')])).toEqual([]);
    expect(await found('Patient', [withCode('size', '10')])).toEqual(['q']);
    expect(await found('Patient', [{ kind: 'missing', param: 'weight||kg', missing: false }])).toEqual([]);
    expect((await store.find(key, 'all'))?.version).toBe(1);
    expect(await found('Patient', [withCode('identifier', '998')])).toEqual(['q']);
  });
  it('a row that moved on is not indexed by what it was, nor does a reference that leads nowhere refuse the others', async () => {
    const stale: Reindex = { type: 'Patient', id: 'q', version: 9, params: ['size'], values: [token('size', '9')] };
    const nowhere: Value = { kind: 'reference', param: 'friend', target: { type: 'Patient', id: 'nobody' } };
    const other: Value = { kind: 'reference', param: 'friend', target: { type: 'Patient', id: 'q' } };
    await store.commit({ reindexes: [stale, { type: 'Patient', id: 'p', version: 1, params: ['friend'], values: [nowhere, other] }] });
    expect(await found('Patient', [{ kind: 'token', param: 'size', any: [{ code: '9' }] }])).toEqual([]);
    const friend = (id: string): Predicate => ({ kind: 'reference', param: 'friend', any: [{ type: 'Patient', id }] });
    expect(await found('Patient', [friend('q')])).toEqual(['p']);
    expect(await found('Patient', [friend('nobody')])).toEqual([]);
  });
  it('contained resources are rows of a type of their own, for those who ask and for chains', async () => {
    const smith: Predicate = { kind: 'text', param: 'family', mode: 'exact', any: ['smith'] };
    await store.commit({
      puts: [
        put('Appointment', 'c', 0, { values: [{ kind: 'reference', param: 'patient', target: { type: '#Patient', id: 'inner' } }] }),
        put('#Patient', 'inner', 0, { values: [{ kind: 'text', param: 'family', value: 'smith' }], accessKeys: ['organisation:A'] }),
      ],
    });
    expect(await found('Patient', [smith])).toEqual(['p']);
    expect(await found('Patient', [smith], { contained: 'true' })).toEqual(['inner']);
    expect(await found('Patient', [], { contained: 'true' })).toEqual(['inner']);
    expect(await found('Patient', [], { contained: 'both' })).toEqual(['p', 'q', 'inner']);
    const both = await store.search(plan('Patient', [smith], { contained: 'both' }), 'all');
    expect(both.rows.map(({ type }) => type)).toEqual(['Patient', '#Patient']);
    expect(await store.count(plan('Patient', [smith], { contained: 'both' }), 'all', 10)).toBe(2);
    expect(await store.count(plan('Patient', [smith], { contained: 'both' }), ODS('B'), 10)).toBe(0);
    expect(await found('Appointment', [{ kind: 'chain', param: 'patient', type: 'Patient', where: [smith] }])).toEqual(['a', 'c']);
    await store.commit({ puts: [put('Appointment', 'c', 1, { body: undefined }), put('#Patient', 'inner', 1, { body: undefined })] });
    expect(await found('Patient', [smith], { contained: 'both' })).toEqual(['p']);
  });
  it('the places of a page continue a walk behind each of its rows', async () => {
    const sort = [{ param: 'family', kind: 'text', descending: false }] as const;
    const page = await store.search(plan('Patient', [], { sort, placed: true }), 'all');
    expect(page.places?.map(({ keys }) => keys)).toEqual([['smith'], ['smythe']]);
    const next = await store.search(plan('Patient', [], { sort, after: page.places?.[0]?.after ?? '' }), 'all');
    expect(idsOf(next.rows)).toEqual(['q']);
    expect(next.places).toBeUndefined();
  });
  it('If-None-Exist holds at commit', async () => {
    const unmatched = [plan('Patient', [{ kind: 'token', param: 'identifier', any: [{ code: '999' }] }])];
    await expect(store.commit({ puts: [put('Patient', 'z')], unmatched })).rejects.toBeInstanceOf(Matched);
  });

  it('takes ids and texts that look like numbers for texts, from page to page', async () => {
    const wanted = ['007', '07', '10', '7', '9'];
    await store.commit({ puts: wanted.map((id) => put('Location', id, 0, { values: [{ kind: 'text', param: 'name', value: id }] })) });
    for (const [kind, param] of [
      ['id', '_id'],
      ['text', 'name'],
    ] as const) {
      const seen: string[] = [];
      for (let after: string | undefined = ''; after !== undefined;) {
        const sort = [{ kind, param, descending: false }];
        const page = await store.search(plan('Location', [], { sort, count: 1, placed: true, ...(after === '' ? {} : { after }) }), 'all');
        expect(page.places?.[0]?.keys).toEqual(idsOf(page.rows));
        seen.push(...idsOf(page.rows));
        after = page.next;
      }
      expect(seen).toEqual(wanted);
    }
  });
});
