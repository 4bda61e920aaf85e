import { linkHash } from '../../src/store/audit-chain.js';
import {
  Matched,
  Referenced,
  Stale,
  Taken,
  Unresolved,
  type AuditLink,
  type Predicate,
  type Reindex,
  type SearchPlan,
  type Store,
  type Value,
} from '../../src/store/port.js';
import { put, token } from '../builders/units.js';
import { onEveryEngine } from './engines.js';

const plan = (type: string, where: SearchPlan['where'], more: Partial<SearchPlan> = {}): SearchPlan => ({
  type,
  where,
  sort: [],
  count: 50,
  ...more,
});
const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);
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
    const refers = (id: string, target: string) =>
      put('Slot', id, 0, { values: [{ kind: 'reference', param: 'schedule', target: { type: 'Schedule', id: target } }] });
    it('must resolve', async () => {
      await expect(store.commit({ puts: [refers('s', 'none')] })).rejects.toBeInstanceOf(Unresolved);
    });
    it('may point anywhere inside a unit', async () => {
      await store.commit({ puts: [refers('s', 'x'), put('Schedule', 'x')] });
      expect(ids(await store.referrers({ type: 'Schedule', id: 'x' }, 'all', 10))).toEqual(['s']);
      expect(ids(await store.referrers({ type: 'Schedule', id: 'x' }, 'all', 10, { type: 'Slot', param: 'schedule' }))).toEqual(['s']);
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
      expect(ids(await loose.referrers({ type: 'Schedule', id: 'x' }, 'all', 10))).toEqual(['s']);
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

  describe('search', () => {
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
      ids((await store.search(plan(type, where, more), 'all')).rows);

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
      expect(
        await found('Slot', [{ kind: 'chain', param: 'schedule', type: 'Schedule', where: [{ kind: 'id', ids: ['x'] }] }]),
      ).toHaveLength(4);
      expect(await found('Patient', [{ kind: 'has', param: 'patient', type: 'Appointment', where: [{ kind: 'id', ids: ['a'] }] }])).toEqual(
        ['p'],
      );
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
          seen.push(...ids(page.rows));
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
      expect(ids(next.rows)).toEqual(['q']);
      expect(next.places).toBeUndefined();
    });
    it('If-None-Exist holds at commit', async () => {
      const unmatched = [plan('Patient', [{ kind: 'token', param: 'identifier', any: [{ code: '999' }] }])];
      await expect(store.commit({ puts: [put('Patient', 'z')], unmatched })).rejects.toBeInstanceOf(Matched);
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
  });
});
