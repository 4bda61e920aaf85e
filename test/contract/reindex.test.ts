import type { Predicate, Reindex, Store, Value } from '../../src/store/port.js';
import { idsOf, plan, put, token } from '../builders/units.js';
import { onEveryEngine } from './engines.js';

const range = (param: string, low: number, high: number): Value => ({ kind: 'range', param, low, high });
const text = (param: string, value: string): Value => ({ kind: 'text', param, value });
const reference = (param: string, type: string, id: string): Value => ({ kind: 'reference', param, target: { type, id } });
const slotValues = (schedule: string, status: string, start: number): readonly Value[] => [
  reference('schedule', 'Schedule', schedule),
  token('status', status),
  range('start', start, start + 1),
];

const code = (param: string, value: string): Predicate => ({ kind: 'token', param, any: [{ code: value }] });
const to = (param: string, type: string, id: string): Predicate => ({ kind: 'reference', param, any: [{ type, id }] });
const at = (param: string, low: number): Predicate => ({ kind: 'range', param, any: [{ prefix: 'eq', low, high: low + 1 }] });

onEveryEngine('reindex', ({ open }) => {
  describe('all values of a row that stays as it is', () => {
    let store: Store;
    const found = async (type: string, ...where: readonly Predicate[]): Promise<readonly string[]> =>
      idsOf((await store.search(plan(type, where), 'all')).rows);
    const anew = (reindex: Partial<Reindex> & Pick<Reindex, 'type' | 'id' | 'values'>): Promise<void> =>
      store.commit({ reindexes: [{ version: 1, ...reindex }] });
    beforeEach(async () => {
      store = await open({ integrity: true });
      await store.commit({ puts: [put('Schedule', 'x'), put('Schedule', 'y'), put('Patient', 'p', 0, { values: [token('phone', '1')] })] });
    });
    afterEach(() => store.close());

    it('are those that are given, of every kind, and no others', async () => {
      const all: readonly Value[] = [
        token('telecom', '1', 'phone'),
        text('family', 'smith'),
        range('birthdate', 10, 20),
        range('size|m', 1, 2),
        { kind: 'word', param: '_content', word: 'lorem' },
        { kind: 'position', param: 'near', latitude: 50, longitude: 1 },
        reference('link', 'Patient', 'p'),
      ];
      const conditions: readonly Predicate[] = [
        { kind: 'token', param: 'telecom', any: [{ system: 'phone', code: '1' }] },
        { kind: 'text', param: 'family', mode: 'exact', any: ['smith'] },
        { kind: 'range', param: 'birthdate', any: [{ prefix: 'po', low: 10, high: 20 }] },
        { kind: 'range', param: 'size|m', any: [{ prefix: 'po', low: 1, high: 2 }] },
        { kind: 'word', param: '_content', word: 'lorem' },
        { kind: 'near', param: 'near', any: [{ latitude: 50, longitude: 1, km: 1 }] },
        to('link', 'Patient', 'p'),
      ];
      await anew({ type: 'Patient', id: 'p', values: all });
      for (const condition of conditions) expect([condition.kind, await found('Patient', condition)]).toEqual([condition.kind, ['p']]);
      expect(await found('Patient', code('phone', '1'))).toEqual([]);
      await anew({ type: 'Patient', id: 'p', values: [] });
      for (const condition of conditions) expect([condition.kind, await found('Patient', condition)]).toEqual([condition.kind, []]);
      expect((await store.find({ type: 'Patient', id: 'p' }, 'all'))?.version).toBe(1);
    });
    it('stand in the columns of the narrow tables too, and free slots are counted by them', async () => {
      await store.commit({ puts: [put('Slot', 's', 0, { values: slotValues('x', 'free', 100) })] });
      const counts = async () => (await store.availability(['x', 'y'], 0, 1000)).map(({ count }) => count);
      expect(await counts()).toEqual([1, 0]);
      await anew({ type: 'Slot', id: 's', values: slotValues('y', 'free', 200) });
      expect(await found('Slot', to('schedule', 'Schedule', 'y'), code('status', 'free'), at('start', 200))).toEqual(['s']);
      expect(await found('Slot', to('schedule', 'Schedule', 'x'))).toEqual([]);
      expect(await found('Slot', at('start', 100))).toEqual([]);
      expect(await counts()).toEqual([0, 1]);
      await anew({ type: 'Slot', id: 's', values: slotValues('y', 'busy', 200) });
      expect(await counts()).toEqual([0, 0]);
      expect(await found('Slot', code('status', 'busy'))).toEqual(['s']);
    });
    it('of contained rows are kept alike', async () => {
      await store.commit({ puts: [put('#Patient', 'inner', 0, { values: [token('phone', '1')] })] });
      await anew({ type: '#Patient', id: 'inner', values: [token('phone', '2')] });
      const { rows } = await store.search(plan('Patient', [code('phone', '2')], { contained: 'true' }), 'all');
      expect(idsOf(rows)).toEqual(['inner']);
    });
    it('leave its keys, its links and its history alone', async () => {
      await store.commit({ puts: [put('Task', 't', 0, { accessKeys: ['organisation:A'] })] });
      await anew({ type: 'Task', id: 't', values: [token('status', 'ready')] });
      expect(await store.keysOf({ type: 'Task', id: 't' })).toEqual(['organisation:A']);
      expect(idsOf((await store.search(plan('Task', [code('status', 'ready')]), { keys: ['organisation:A'] })).rows)).toEqual(['t']);
      expect((await store.history({ type: 'Task' }, { count: 10 }, 'all')).rows).toHaveLength(1);
    });
    it('are not those of an earlier version, nor of a row that was deleted', async () => {
      await store.commit({ puts: [put('Patient', 'p', 1, { values: [token('phone', '3')] })] });
      await anew({ type: 'Patient', id: 'p', values: [token('phone', '1')] });
      expect(await found('Patient', code('phone', '3'))).toEqual(['p']);
      await store.commit({ puts: [put('Patient', 'p', 2, { body: undefined })] });
      await anew({ type: 'Patient', id: 'p', version: 3, values: [token('phone', '1')] });
      expect(await found('Patient', code('phone', '1'))).toEqual([]);
    });
    it('hold no reference to what is not there, and keep the others', async () => {
      await anew({ type: 'Patient', id: 'p', values: [reference('link', 'Patient', 'nobody'), reference('other', 'Schedule', 'x')] });
      expect(await found('Patient', to('link', 'Patient', 'nobody'))).toEqual([]);
      expect(await found('Patient', to('other', 'Schedule', 'x'))).toEqual(['p']);
      await expect(store.commit({ puts: [put('Schedule', 'x', 1, { body: undefined })] })).rejects.toMatchObject({ name: 'Referenced' });
    });
  });

  it('with referential integrity off a reference to what is not there is found all the same', async () => {
    const store = await open({ integrity: false });
    await store.commit({ puts: [put('Patient', 'p'), put('Patient', 'q')] });
    await store.commit({ reindexes: [{ type: 'Patient', id: 'p', version: 1, values: [reference('link', 'Practitioner', 'far')] }] });
    await store.commit({
      reindexes: [{ type: 'Patient', id: 'q', version: 1, params: ['link'], values: [reference('link', 'Practitioner', 'away')] }],
    });
    for (const [target, id] of [
      ['far', 'p'],
      ['away', 'q'],
    ] as const)
      expect(idsOf((await store.search(plan('Patient', [to('link', 'Practitioner', target)]), 'all')).rows)).toEqual([id]);
    await store.close();
  });
});
