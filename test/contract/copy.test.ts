import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { copyStore } from '../../src/store/copy/copy-store.js';
import { openCopySource, openCopyTarget, openStore } from '../../src/store/open-store.js';
import { Occupied, type Put, type SearchPlan, type Store } from '../../src/store/port.js';
import { makeDatabase } from '../helpers/mssql-database.js';

jest.setTimeout(120_000);
const folder = mkdtempSync(path.join(tmpdir(), 'copy-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const embedded = (name: string): string => `sqlite:${path.join(folder, `${name}.db`)}`;
const open = (databaseUrl: string): Promise<Store> => openStore({ databaseUrl, databaseReplicaUrl: undefined, referentialIntegrity: true });
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
/** The embedded driver lets go of a file when the statements of a connection are collected, or its process ends. */
const end = async (...closing: readonly { readonly close: () => Promise<void> }[]): Promise<void> => {
  for (const one of closing) await one.close();
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
};
const silent = (): void => undefined;

const longText = `urn:${'long '.repeat(120)}end`;
const put = (type: string, id: string, version: number, values: Put['values'], more: Partial<Put> = {}): Put => ({
  ...{ type, id, version, values, lastUpdated: 1_700_000_000_000 + version, accessKeys: [`patient:${id}`], accessLinks: [] },
  body: JSON.stringify({ resourceType: type, id, url: longText, version }),
  ...more,
});
const subject = { kind: 'reference', param: 'subject', target: { type: 'Patient', id: 'p1' } } as const;
const status = (code: string) => ({ kind: 'token', param: 'status', system: '', code }) as const;

/** Some of everything that a store may hold. */
const fill = async (store: Store): Promise<void> => {
  const authored = { kind: 'range', param: 'authored', low: 1.5, high: Number.POSITIVE_INFINITY } as const;
  await store.commit({
    puts: [
      put('Patient', 'p1', 0, [{ kind: 'text', param: 'family', value: 'o’akwell' }]),
      put('ServiceRequest', 'r1', 0, [subject, status('active'), authored], {
        accessLinks: [{ child: { type: 'Patient', id: 'p1' }, root: { type: 'ServiceRequest', id: 'r1' } }],
      }),
      put('Patient', 'gone', 0, []),
      put('ValueSet', 'v', 0, [
        { kind: 'text', param: 'url', value: longText },
        { kind: 'word', param: '_content', word: 'long' },
      ]),
      put('Location', 'l', 0, [{ kind: 'position', param: 'near', latitude: 53.8, longitude: -1.55 }]),
    ],
    claims: [{ kind: 'identifier', key: 'ubrn', owner: 'ServiceRequest/r1' }],
    entries: [{ kind: 'client', key: 'c', version: 0, body: '{"id":"c","name":"Ærø"}', expires: 4_000_000_000_000 }],
    worklists: [
      { referral: 'r1', places: [{ list: 'REVIEW', owner: 'RCD', authored: 3, service: 's', due: 9, item: '{"text":"Ærø"}' }] },
      { referral: 'r0', places: [{ list: 'REVIEW', owner: 'RCD', authored: 2, until: 4_000_000_000_000, item: '{}' }] },
    ],
    audit: ['{"resourceType":"AuditEvent"}'],
  });
  const slot = (id: string, at: number, code: string) =>
    put('Slot', id, 0, [
      { kind: 'reference', param: 'schedule', target: { type: 'Schedule', id: 'd' } },
      status(code),
      { kind: 'range', param: 'start', low: at, high: at + 1 },
    ]);
  await store.commit({ puts: [put('Schedule', 'd', 0, []), slot('s1', 5, 'free'), slot('s2', 6, 'free'), slot('s3', 7, 'busy')] });
  await store.commit({
    puts: [put('ServiceRequest', 'r1', 1, [subject, status('completed')]), put('Patient', 'gone', 1, [], { body: undefined })],
  });
};

const plan = (type: string, where: SearchPlan['where']): SearchPlan => ({ type, where, sort: [], count: 10 });

/** What the port tells of it. */
const answers = async (store: Store): Promise<unknown> => {
  const ids = async (asked: SearchPlan) => (await store.search(asked, 'all')).rows.map(({ id, version, body }) => [id, version, body]);
  const chains = await store.auditChains();
  return {
    bySubject: await ids(plan('ServiceRequest', [{ kind: 'reference', param: 'subject', any: [subject.target] }])),
    byStatus: await ids(plan('ServiceRequest', [{ kind: 'token', param: 'status', any: [{ code: 'completed' }] }])),
    byUrl: await ids(plan('ValueSet', [{ kind: 'text', param: 'url', mode: 'exact', any: [longText] }])),
    byWord: await ids(plan('ValueSet', [{ kind: 'word', param: '_content', word: 'long' }])),
    near: await ids(plan('Location', [{ kind: 'near', param: 'near', any: [{ latitude: 53.8, longitude: -1.5, km: 10 }] }])),
    seen: await store.find({ type: 'Patient', id: 'p1' }, { keys: ['patient:r1'] }),
    old: await store.findVersion({ type: 'ServiceRequest', id: 'r1' }, 1, 'all'),
    gone: await store.find({ type: 'Patient', id: 'gone' }, 'all'),
    history: (await store.history({}, { count: 50 }, 'all')).rows,
    worklist: await store.worklist({ list: 'REVIEW', owner: 'RCD', now: 5, count: 10 }),
    // whether a store keeps a record is its own matter
    availability: (await store.availability(['d'], 0, 86_400_000)).map(({ first, ...diary }) => ({
      ...diary,
      first: { ...first, kept: null },
    })),
    claim: await store.findClaim('identifier', 'ubrn'),
    entry: await store.findEntry('client', 'c'),
    audit: await Promise.all(chains.map(({ chain }) => store.auditLinks(chain, 0, 10))),
  };
};

const filled = async (url: string): Promise<unknown> => {
  const store = await open(url);
  await fill(store);
  const all = await answers(store);
  await end(store);
  return all;
};

/** `writes`: how many pieces are written before the process dies. */
const copy = async (from: string, to: string, writes = Number.POSITIVE_INFINITY): Promise<void> => {
  const source = await openCopySource(from);
  const target = await openCopyTarget(to).catch(async (error: unknown) => {
    await end(source);
    throw error;
  });
  let left = writes;
  const dying = Object.create(target) as typeof target;
  dying.write = (table, piece) => (left-- > 0 ? target.write(table, piece) : Promise.reject(new Error('killed')));
  try {
    await copyStore(source, dying, silent);
  } finally {
    await end(dying, source);
  }
};

const url = process.env['MSSQL_URL'];
const routes: Readonly<Record<string, (name: string) => Promise<string>>> = {
  'the embedded store': (name) => Promise.resolve(embedded(name)),
  ...(url === undefined
    ? {}
    : {
        'SQL Server': async (name: string) => {
          const own = new URL(url);
          own.pathname = `/referrals_copy_${name}_${String(Date.now())}`;
          await makeDatabase(url, own.pathname.slice(1));
          return own.href;
        },
      }),
};

for (const [engine, nameOf] of Object.entries(routes))
  describe(`a copy into ${engine}`, () => {
    it('answers as the original, also after it was cut off, and back again; what is written then follows on', async () => {
      const original = embedded(`original-${engine}`);
      const expected = await filled(original);
      const middle = await nameOf('middle');
      for (const writes of [0, 3, 4]) await expect(copy(original, middle, writes)).rejects.toThrow('killed');
      await expect(copy(embedded(`original-${engine}`).replace('original', 'other'), middle)).rejects.toThrow();
      await copy(original, middle);
      const served = await open(middle);
      expect(await answers(served)).toEqual(expected);
      await served.commit({ puts: [put('Patient', 'p2', 0, []), put('ServiceRequest', 'r2', 0, [subject, status('active')])] });
      const newest = await served.history({}, { count: 2 }, 'all');
      expect(newest.rows.map(({ id }) => id).sort()).toEqual(['p2', 'r2']);
      const grown = await answers(served);
      await end(served);
      const back = embedded(`back-${engine}`);
      await copy(middle, back);
      const again = await open(back);
      expect(await answers(again)).toEqual(grown);
      await end(again);
    });

    it('is refused where something is, and leaves it as it is', async () => {
      const from = embedded(`from-${engine}`);
      await filled(from);
      const full = await nameOf('full');
      const before = await filled(full);
      await expect(copy(from, full)).rejects.toThrow(Occupied);
      const store = await open(full);
      expect(await answers(store)).toEqual(before);
      await end(store);
    });

    it('is not served before it is whole, and not at all when the source changed meanwhile', async () => {
      const from = embedded(`changing-${engine}`);
      await filled(from);
      const to = await nameOf('changing');
      const source = await openCopySource(from);
      const target = await openCopyTarget(to);
      const changed = Object.create(source) as typeof source;
      changed.read = async (table, after) => {
        const piece = await source.read(table, after);
        return table.name === 'claim' && written.has(table.name) ? { ...piece, rows: [] } : piece;
      };
      const written = new Set<string>();
      const watching = Object.create(target) as typeof target;
      watching.write = async (table, piece) => {
        await target.write(table, piece);
        written.add(table.name);
      };
      await expect(copyStore(changed, watching, silent)).rejects.toThrow('claim differs');
      await end(source, target);
      if (to.startsWith('sqlite:')) expect(readdirSync(folder)).not.toContain(path.basename(to.slice('sqlite:'.length)));
      else await expect(open(to)).rejects.toThrow('not finished');
    });
  });

it('a store that is served is not copied', async () => {
  const served = embedded('served');
  const store = await open(served);
  await fill(store);
  await expect(openCopySource(served)).rejects.toThrow(Occupied);
  await end(store);
});
