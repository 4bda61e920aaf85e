import type { Store, Value } from '../../src/store/port.js';
import { put } from '../builders/units.js';
import { onEveryEngine } from './engines.js';

onEveryEngine('labels', ({ open }) => {
  let store: Store;
  beforeEach(async () => {
    store = await open({ integrity: true });
  });
  afterEach(async () => {
    await store.close();
  });

  const tag = (code: string, param = '_tag', system = 's'): Value => ({ kind: 'token', param, system, code });
  const profile = (value: string): Value => ({ kind: 'text', param: '_profile', value });
  const holding = (id: string, ...values: readonly Value[]) => ({ ...put('Patient', id), values });

  it('all in use on a type are on the rows that come, of each kind up to a limit', async () => {
    await store.commit({
      puts: [
        holding('a', tag('1'), tag('2'), profile('p')),
        holding('b', tag('1'), tag('1', '_tag', 'other')),
        holding('c', tag('r', '_security')),
        holding('d', { kind: 'token', param: 'gender', system: 's', code: 'male' }),
        { ...put('Organization', 'o'), values: [tag('elsewhere')] },
      ],
    });
    expect((await store.labelled('Patient', 100)).map(({ id }) => id).sort()).toEqual(['a', 'b', 'c']);
    expect(await store.labelled('Location', 100)).toEqual([]);
    expect((await store.labelled('Patient', 1)).length).toBeLessThanOrEqual(3);
    await store.commit({ puts: [{ ...put('Patient', 'c'), version: 1, body: undefined }] });
    expect((await store.labelled('Patient', 100)).map(({ id }) => id).sort()).toEqual(['a', 'b']);
  });

  it('history of several types is of the keys that are asked for', async () => {
    await store.commit({ puts: [put('Patient', 'a'), put('Patient', 'b'), put('Organization', 'a')] });
    const keys = [
      { type: 'Patient', id: 'a' },
      { type: 'Organization', id: 'b' },
    ];
    const page = await store.history({ types: ['Patient', 'Organization'], keys }, { count: 10 }, 'all');
    expect(page.rows.map(({ type, id }) => `${type}/${id}`)).toEqual(['Patient/a']);
    expect((await store.history({ type: 'Organization', keys }, { count: 10 }, 'all')).rows).toEqual([]);
  });
});
