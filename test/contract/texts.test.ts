import { put, token } from '../builders/units.js';
import { onEveryEngine } from './engines.js';

/** Signs that JSON, SQL or a driver may treat as their own. */
const strange = ['quote " and \\ and \' and ]', 'lines\r\nand\ttabs', 'parts\u001fof one', 'Ærø £ 𝄞 % _ [a-z]'];

onEveryEngine('texts', ({ open }) => {
  it('of more than an index holds, cut within a character, are found', async () => {
    const store = await open({ integrity: true });
    const text = `${'x'.repeat(355)}𝄞${'y'.repeat(100)}`;
    const values = [token('identifier', text, 's'), { kind: 'text', param: 'family', value: text } as const];
    await store.commit({ puts: [put('Patient', 'p', 0, { values })] });
    // so many travel in bulk
    await store.commit({ puts: Array.from({ length: 60 }, (_, n) => put('Group', String(n), 0, { values })) });
    const found = async (type: string, where: object): Promise<number> =>
      (await store.search({ type, where: [where as never], sort: [], count: 100 }, 'all')).rows.length;
    const many = Array.from({ length: 60 }, (_, n) => ({ code: `${String(n)}"` }));
    for (const any of [[{ code: text, system: 's' }], [...many, { code: text }]])
      expect(await found('Patient', { kind: 'token', param: 'identifier', any })).toBe(1);
    expect(await found('Patient', { kind: 'text', param: 'family', mode: 'exact', any: [text] })).toBe(1);
    expect(await found('Group', { kind: 'token', param: 'identifier', any: [{ code: text }] })).toBe(60);
    await store.close();
  });
  it('with half of a character, or none, are a question that has an answer', async () => {
    const store = await open({ integrity: true });
    const plan = { type: 'Patient', sort: [], count: 5 };
    for (const any of [['\ud800'], ['x\udc00', 'y'], ['a\0b'], ['a\0b', 'y']])
      expect((await store.search({ ...plan, where: [{ kind: 'text', param: 'family', mode: 'exact', any }] }, 'all')).rows).toEqual([]);
    expect(await store.findClaim('identifier', '\ud800')).toBeUndefined();
    await store.close();
  });
  it('are found as they were written, whatever signs they have, also among many', async () => {
    const store = await open({ integrity: true });
    const values = strange.flatMap((text) => [
      token('identifier', text, `s ${text}`),
      { kind: 'text', param: 'family', value: text } as const,
    ]);
    await store.commit({
      puts: [put('Patient', 'p', 0, { values }), put('Patient', 'q')],
      claims: strange.map((key) => ({ kind: 'identifier', key, owner: 'p' })),
      entries: strange.map((key) => ({ kind: 'demo', key, version: 0, body: key })),
    });
    const found = async (where: object): Promise<readonly string[]> => {
      const plan = { type: 'Patient', where: [where as never], sort: [], count: 5 };
      return (await store.search(plan, 'all')).rows.map(({ id }) => id);
    };
    for (const text of strange) {
      expect([text, await found({ kind: 'token', param: 'identifier', any: [{ code: text, system: `s ${text}` }] })]).toEqual([
        text,
        ['p'],
      ]);
      expect([text, await found({ kind: 'text', param: 'family', mode: 'exact', any: [text] })]).toEqual([text, ['p']]);
      expect((await store.findClaim('identifier', text))?.owner).toBe('p');
    }
    const many = Array.from({ length: 60 }, (_, n) => ({ code: `${String(n)}"` }));
    expect(await found({ kind: 'token', param: 'identifier', any: [...many, { code: strange[0] }] })).toEqual(['p']);
    // side by side, and one by one
    const entries = await Promise.all(strange.map((key) => store.findEntry('demo', key)));
    expect(entries.map((entry) => entry?.body)).toEqual(strange);
    // an update finds the old values, and leaves what stays
    await store.commit({ puts: [put('Patient', 'p', 1, { values: values.slice(0, 2) })] });
    expect(await found({ kind: 'text', param: 'family', mode: 'exact', any: [strange[0]] })).toEqual(['p']);
    expect(await found({ kind: 'text', param: 'family', mode: 'exact', any: [strange[2]] })).toEqual([]);
    await store.close();
  });
});
