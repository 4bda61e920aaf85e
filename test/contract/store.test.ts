import { linkHash } from '../../src/store/audit-chain.js';
import { Referenced, Stale, Taken, Unresolved, type AuditLink, type Store, type Unit } from '../../src/store/port.js';
import { idsOf, plan, put } from '../builders/units.js';
import { onEveryEngine } from './engines.js';

const refers = (id: string, target: string) =>
  put('Slot', id, 0, { values: [{ kind: 'reference', param: 'schedule', target: { type: 'Schedule', id: target } }] });
const ODS = (code: string) => ({ keys: [`organisation:${code}`] });

/** What every store engine promises. */
onEveryEngine('store', ({ open }) => {
  let store: Store;
  beforeEach(async () => {
    store = await open({ integrity: true });
  });
  afterEach(async () => {
    await store.close();
  });

  it('has nothing more in it when it was warmed up', async () => {
    await store.warmUp?.();
    expect((await store.history({}, { count: 1 }, 'all')).rows).toEqual([]);
    expect(await store.auditChains()).toEqual([]);
    expect(await store.findClaim('slot', 'none')).toBeUndefined();
    await store.commit({ puts: [put('Patient', 'a')], audit: ['{}'] });
    expect((await store.auditChains()).map(({ number }) => number)).toEqual([1]);
  });

  describe('entries', () => {
    const entry = (version: number, body: string | undefined, more: object = {}) =>
      ({ kind: 'client', key: 'a', version, body, ...more }) as const;
    it('are made, changed and removed over the version that was read', async () => {
      await store.commit({ entries: [entry(0, '{"n":1}', { expires: 5_000_000_000_000 })] });
      expect(await store.findEntry('client', 'a')).toEqual({ ...entry(1, '{"n":1}'), expires: 5_000_000_000_000 });
      await store.commit({ entries: [entry(1, '{"n":2}')] });
      expect(await store.listEntries('client')).toEqual([entry(2, '{"n":2}')]);
      expect(await store.listEntries('signing-key')).toEqual([]);
      await store.commit({ entries: [entry(2, undefined)] });
      expect(await store.findEntry('client', 'a')).toBeUndefined();
    });
    it('refuse another version, and take the rest of the unit with them', async () => {
      await store.commit({ entries: [entry(0, '1')] });
      for (const wrong of [entry(0, '2'), entry(2, '2'), entry(2, undefined)])
        await expect(store.commit({ puts: [put('Patient', 'a')], entries: [wrong] })).rejects.toBeInstanceOf(Stale);
      expect(await store.find({ type: 'Patient', id: 'a' }, 'all')).toBeUndefined();
      expect(await store.findEntry('client', 'a')).toEqual(entry(1, '1'));
    });
    it('let one of many racing makers win', async () => {
      const results = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => store.commit({ entries: [entry(0, String(n))] })));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });
  });

  describe('audit', () => {
    const links = async () => {
      const all: AuditLink[] = [];
      for (const { chain } of await store.auditChains()) all.push(...(await store.auditLinks(chain, 0, 1000)));
      return all;
    };
    const unbroken = async (): Promise<void> => {
      for (const { chain, number, hash } of await store.auditChains()) {
        let before = '';
        for (const [index, link] of (await store.auditLinks(chain, 0, 1000)).entries()) {
          expect(link.number).toBe(index + 1);
          expect(link.hash).toBe(linkHash(chain, link.number, before, link.body));
          before = link.hash;
        }
        expect((await store.auditLinks(chain, number - 1, 10)).map((link) => link.hash)).toEqual([hash]);
      }
    };
    it('is written with the unit, as links that hash each other', async () => {
      await store.commit({ puts: [put('Patient', 'a')], audit: ['{"a":1}', '{"b":2}'] });
      await Promise.all(Array.from({ length: 20 }, (_, n) => store.commit({ audit: [`{"n":${String(n)}}`] })));
      expect((await links()).map(({ body }) => body)).toContain('{"a":1}\n{"b":2}');
      expect(await links()).toHaveLength(21);
      await unbroken();
    });
    it('goes with a unit that is refused, and the chain stays whole', async () => {
      await store.commit({ puts: [put('Patient', 'a')], audit: ['first'] });
      const results = await Promise.allSettled([
        store.commit({ puts: [put('Patient', 'a')], audit: ['refused'] }),
        store.commit({ puts: [put('Patient', 'b')], audit: ['second'] }),
        store.commit({ entries: [{ kind: 'client', key: 'x', version: 3, body: '1' }], audit: ['refused'] }),
        store.commit({ audit: ['third'] }),
      ]);
      expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled']);
      expect((await links()).map(({ body }) => body).sort()).toEqual(['first', 'second', 'third']);
      await unbroken();
    });
  });

  describe('writing', () => {
    it('gives back the body byte for byte', async () => {
      const body = '{"resourceType":"Patient","id":"a","x":1.50,"name":"Zoë 😀"}';
      await store.commit({ puts: [put('Patient', 'a', 0, { body })] });
      expect(await store.find({ type: 'Patient', id: 'a' }, 'all')).toMatchObject({ version: 1, body });
    });
    it('refuses a create of what is there, and an update of another version', async () => {
      await store.commit({ puts: [put('Patient', 'a')] });
      await expect(store.commit({ puts: [put('Patient', 'a')] })).rejects.toBeInstanceOf(Stale);
      await expect(store.commit({ puts: [put('Patient', 'a', 2)] })).rejects.toBeInstanceOf(Stale);
    });
    it('keeps all versions', async () => {
      await store.commit({ puts: [put('Patient', 'a')] });
      await store.commit({ puts: [put('Patient', 'a', 1)] });
      expect((await store.findVersion({ type: 'Patient', id: 'a' }, 1, 'all'))?.body).toContain('"v":1');
      expect((await store.findVersion({ type: 'Patient', id: 'a' }, 2, 'all'))?.body).toContain('"v":2');
      expect(await store.findVersion({ type: 'Patient', id: 'a' }, 3, 'all')).toBeUndefined();
    });
    it('writes nothing of a unit of which one part is refused', async () => {
      await store.commit({ puts: [put('Patient', 'a')] });
      await expect(
        store.commit({ puts: [put('Patient', 'b'), put('Patient', 'a')], claims: [{ kind: 'slot', key: 's', owner: 'b' }] }),
      ).rejects.toBeInstanceOf(Stale);
      expect(await store.find({ type: 'Patient', id: 'b' }, 'all')).toBeUndefined();
      expect(await store.findClaim('slot', 's')).toBeUndefined();
    });
    it('stands alone among those that come at the same time, however late it is refused', async () => {
      await store.commit({ puts: [put('Schedule', 'there')], claims: [{ kind: 'slot', key: 'held', owner: 'x' }] });
      const numbers = Array.from({ length: 40 }, (_, n) => n);
      const wanted = (n: number): Unit => {
        const schedule = n % 4 === 0 ? 'none' : 'there';
        const claims = n % 4 === 1 ? [{ kind: 'slot', key: 'held', owner: 'y' } as const] : [];
        const entries = n % 4 === 2 ? [{ kind: 'client', key: 'none', version: 7, body: '1' } as const] : [];
        return {
          puts: [refers(`s${String(n)}`, schedule), put('Patient', `p${String(n)}`)],
          claims,
          entries,
          audit: [`"unit ${String(n)}"`],
        };
      };
      const results = await Promise.allSettled(numbers.map((n) => store.commit(wanted(n))));
      const reasons = [Unresolved, Taken, Stale];
      for (const [n, result] of results.entries()) {
        const expected = reasons[n % 4];
        expect(result.status).toBe(expected === undefined ? 'fulfilled' : 'rejected');
        if (result.status === 'rejected' && expected) expect(result.reason).toBeInstanceOf(expected);
      }
      const good = numbers.filter((n) => n % 4 === 3);
      const { rows } = await store.search(plan('Patient', []), 'all');
      expect([...idsOf(rows)].sort()).toEqual(good.map((n) => `p${String(n)}`).sort());
      expect((await store.history({ type: 'Slot' }, { count: 100 }, 'all')).rows).toHaveLength(good.length);
      const lines: string[] = [];
      for (const { chain } of await store.auditChains())
        for (const { body } of await store.auditLinks(chain, 0, 1000)) lines.push(...body.split('\n'));
      expect(lines.sort()).toEqual(good.map((n) => `"unit ${String(n)}"`).sort());
    });
    it('relies on expected versions', async () => {
      await store.commit({ puts: [put('Patient', 'a')] });
      await expect(
        store.commit({ puts: [put('Patient', 'b')], expects: [{ type: 'Patient', id: 'a', version: 2 }] }),
      ).rejects.toBeInstanceOf(Stale);
      await store.commit({ puts: [put('Patient', 'b')], expects: [{ type: 'Patient', id: 'a', version: 1 }] });
    });
    it('keeps a deleted row and lets it come back', async () => {
      await store.commit({ puts: [put('Patient', 'a')] });
      await store.commit({ puts: [put('Patient', 'a', 1, { body: undefined })] });
      expect(await store.find({ type: 'Patient', id: 'a' }, 'all')).toMatchObject({ version: 2, body: undefined });
      expect((await store.search(plan('Patient', []), 'all')).rows).toEqual([]);
      await store.commit({ puts: [put('Patient', 'a', 2)] });
      expect(await store.find({ type: 'Patient', id: 'a' }, 'all')).toMatchObject({ version: 3 });
    });
    it('lets one of many racing writers win', async () => {
      await store.commit({ puts: [put('Patient', 'a')] });
      const results = await Promise.allSettled(Array.from({ length: 20 }, () => store.commit({ puts: [put('Patient', 'a', 1)] })));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });
  });

  describe('references', () => {
    it('must resolve', async () => {
      await expect(store.commit({ puts: [refers('s', 'none')] })).rejects.toBeInstanceOf(Unresolved);
    });
    it('may point anywhere inside a unit', async () => {
      await store.commit({ puts: [refers('s', 'x'), put('Schedule', 'x')] });
      expect(idsOf(await store.referrers({ type: 'Schedule', id: 'x' }, 'all', 10))).toEqual(['s']);
      expect(idsOf(await store.referrers({ type: 'Schedule', id: 'x' }, 'all', 10, { type: 'Slot', param: 'schedule' }))).toEqual(['s']);
    });
    it('keep their target from being deleted', async () => {
      await store.commit({ puts: [put('Schedule', 'x'), refers('s', 'x')] });
      await expect(store.commit({ puts: [put('Schedule', 'x', 1, { body: undefined })] })).rejects.toBeInstanceOf(Referenced);
      await store.commit({ puts: [put('Slot', 's', 1, { body: undefined }), put('Schedule', 'x', 1, { body: undefined })] });
    });
    it('must not point at what is deleted', async () => {
      await store.commit({ puts: [put('Schedule', 'x')] });
      await store.commit({ puts: [put('Schedule', 'x', 1, { body: undefined })] });
      await expect(store.commit({ puts: [refers('s', 'x')] })).rejects.toBeInstanceOf(Unresolved);
    });
    it('may dangle with integrity off, and resolve when the target comes', async () => {
      const loose = await open({ integrity: false });
      await loose.commit({ puts: [refers('s', 'x')] });
      expect(await loose.find({ type: 'Schedule', id: 'x' }, 'all')).toBeUndefined();
      await loose.commit({ puts: [put('Schedule', 'x')] });
      expect(idsOf(await loose.referrers({ type: 'Schedule', id: 'x' }, 'all', 10))).toEqual(['s']);
      await loose.close();
    });
  });

  describe('claims', () => {
    it('are one owner’s, until released by him', async () => {
      await store.commit({ claims: [{ kind: 'slot', key: 's', owner: 'a' }] });
      await expect(store.commit({ claims: [{ kind: 'slot', key: 's', owner: 'b' }] })).rejects.toBeInstanceOf(Taken);
      await store.commit({ releases: [{ kind: 'slot', key: 's', owner: 'b' }] });
      expect((await store.findClaim('slot', 's'))?.owner).toBe('a');
      await store.commit({ releases: [{ kind: 'slot', key: 's', owner: 'a' }], claims: [{ kind: 'slot', key: 's', owner: 'b' }] });
      expect((await store.findClaim('slot', 's'))?.owner).toBe('b');
    });
    it('fall to another owner when they have expired', async () => {
      await store.commit({ claims: [{ kind: 'hold', key: 's', owner: 'a', expires: Date.now() - 1 }] });
      await store.commit({ claims: [{ kind: 'hold', key: 's', owner: 'b', expires: Date.now() + 60_000 }] });
    });
    it('of a jti hold even against the same owner', async () => {
      const claim = { kind: 'jti', key: 'j', owner: 'token', expires: Date.now() + 60_000 } as const;
      await store.commit({ claims: [claim] });
      await expect(store.commit({ claims: [claim] })).rejects.toBeInstanceOf(Taken);
    });
    it('are won by one of 50 racers', async () => {
      const results = await Promise.allSettled(
        Array.from({ length: 50 }, (_, n) =>
          store.commit({ puts: [put('Appointment', `a${String(n)}`)], claims: [{ kind: 'slot', key: 's', owner: `a${String(n)}` }] }),
        ),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect((await store.search(plan('Appointment', []), 'all')).rows).toHaveLength(1);
    });
  });

  describe('access', () => {
    beforeEach(async () => {
      await store.commit({ puts: [put('Patient', 'p', 0, { accessKeys: ['organisation:GP'] })] });
      expect(await store.keysOf({ type: 'Patient', id: 'p' })).toEqual(['organisation:GP']);
      expect(await store.keysOf({ type: 'Patient', id: 'none' })).toEqual([]);
      await store.commit({
        puts: [
          put('ServiceRequest', 'r', 0, {
            accessKeys: ['organisation:GP', 'organisation:RCD'],
            accessLinks: [{ child: { type: 'Patient', id: 'p' }, root: { type: 'ServiceRequest', id: 'r' } }],
          }),
        ],
      });
    });
    it('narrows reads, versions, searches, counts and history alike', async () => {
      for (const key of [
        { type: 'Patient', id: 'p' },
        { type: 'ServiceRequest', id: 'r' },
      ]) {
        expect(await store.find(key, ODS('GP'))).toBeDefined();
        expect(await store.find(key, ODS('RCD'))).toBeDefined();
        expect(await store.find(key, ODS('XXX'))).toBeUndefined();
        expect(await store.find(key, { keys: [] })).toBeUndefined();
        expect(await store.findVersion(key, 1, ODS('XXX'))).toBeUndefined();
        expect((await store.search(plan(key.type, []), ODS('XXX'))).rows).toEqual([]);
        expect(await store.count(plan(key.type, []), ODS('XXX'), 10)).toBe(0);
        expect((await store.history(key, { count: 10 }, ODS('XXX'))).rows).toEqual([]);
        expect((await store.history({ type: key.type }, { count: 10 }, ODS('RCD'))).rows).toHaveLength(1);
      }
    });
    it('follows the root when its keys change', async () => {
      await store.commit({
        puts: [
          put('ServiceRequest', 'r', 1, {
            accessKeys: ['organisation:R69'],
            accessLinks: [{ child: { type: 'Patient', id: 'p' }, root: { type: 'ServiceRequest', id: 'r' } }],
          }),
        ],
      });
      expect(await store.find({ type: 'Patient', id: 'p' }, ODS('RCD'))).toBeUndefined();
      expect(await store.find({ type: 'Patient', id: 'p' }, ODS('R69'))).toBeDefined();
      expect(await store.find({ type: 'Patient', id: 'p' }, ODS('GP'))).toBeDefined();
    });
  });

  describe('history', () => {
    it('is in the order of commits, paged without loss, since a commit time', async () => {
      for (let n = 0; n < 5; n++) await store.commit({ puts: [put('Patient', 'a', n, { lastUpdated: 5_000 - n })] });
      const first = await store.history({ type: 'Patient', id: 'a' }, { count: 2 }, 'all');
      expect(first.rows.map(({ version }) => version)).toEqual([5, 4]);
      const second = await store.history(
        { type: 'Patient', id: 'a' },
        { count: 10, ...(first.next === undefined ? {} : { after: first.next }) },
        'all',
      );
      expect(second.rows.map(({ version }) => version)).toEqual([3, 2, 1]);
      expect((await store.history({}, { count: 10, since: Date.now() + 60_000 }, 'all')).rows).toEqual([]);
      expect((await store.history({}, { count: 10, since: Date.now() - 60_000 }, 'all')).rows).toHaveLength(5);
    });

    it('shows the versions that were the current one at a time, by what they state of themselves', async () => {
      const [key, times] = [{ type: 'Patient', id: 'a' }, [1000, 2000, 2000, 3000]];
      for (const [n, lastUpdated] of times.entries()) await store.commit({ puts: [put('Patient', 'a', n, { lastUpdated })] });
      const at = async (from: number, to = from) =>
        (await store.history(key, { count: 10, at: { from, to } }, 'all')).rows.map(({ version }) => version);
      expect(await at(999)).toEqual([]);
      expect(await at(1000)).toEqual([1]);
      expect(await at(1999)).toEqual([1]);
      expect(await at(2000)).toEqual([3]);
      expect(await at(1999, 2000)).toEqual([3, 2, 1]);
      expect(await at(3000)).toEqual([4]);
      expect(await at(9000)).toEqual([4]);
    });
  });
});
