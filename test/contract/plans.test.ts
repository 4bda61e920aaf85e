import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Database, type Inputs, type Reading } from '../../src/store/mssql/database.js';
import { openMssqlBulk } from '../../src/store/mssql/bulk-load.js';
import { serveDatabase } from '../../src/store/mssql/mssql-store.js';
import { MssqlReader } from '../../src/store/mssql/reader.js';
import { scripts } from '../../src/store/mssql/schema/scripts.js';
import { Terms } from '../../src/store/mssql/terms.js';
import type { Predicate, Put, Reindex, SearchPlan, Sight, Sort, Store, Unit, Value } from '../../src/store/port.js';
import { put, token as value } from '../builders/units.js';
import { batchesOf, volumeOf } from '../builders/volume.js';
import { createDatabase, dropDatabase, tables as filled } from '../helpers/mssql-database.js';
import { plannedVisits, serverPlans } from '../helpers/server-plans.js';

/**
 * On SQL Server every hot read and write seeks: the server's own plans on a volume of data (PLAN_ROWS referrals, slots and appointments each, with all
 * else half a million records). On a tenth of it a server rightly walks a small table. What the plans sought is kept in golden/plans.json.
 */
const server = process.env['MSSQL_URL'];
const usualRows = 100_000;
const rows = Number(process.env['PLAN_ROWS'] ?? String(usualRows));
/** tables that a server rightly walks, as it does those with one row or with terms */
const walked = 5000;
const tables = [...filled, 'term', 'commit_order'];
const name = `referrals_plans_${String(process.pid)}`;
jest.setTimeout(rows * 20 + 300_000);

const reference = (param: string, type: string, id: string): Predicate => ({ kind: 'reference', param, any: [{ type, id }] });
const token = (param: string, code: string, system?: string): Predicate => ({
  ...{ kind: 'token', param },
  any: [{ code, ...(system === undefined ? {} : { system }) }],
});
const range = (param: string, prefix: 'ge' | 'lt', low: number): Predicate => ({
  kind: 'range',
  param,
  any: [{ prefix, low, high: low + 1 }],
});
const search =
  (type: string, where: readonly Predicate[], sort: readonly Sort[] = [], sight: Sight = 'all') =>
  (reader: MssqlReader): Promise<unknown> =>
    reader.search({ type, where, sort, count: 20 } satisfies SearchPlan, sight);
const byStart: readonly Sort[] = [{ param: 'start', kind: 'range', descending: false }];
const newest: readonly Sort[] = [{ param: 'authored', kind: 'range', descending: true }];
const clinic = reference('schedule', 'Schedule', 'c1');
const own = { type: 'ServiceRequest', id: 'r7' };

const goldenFile = path.join(__dirname, '../golden/plans.json');
type Sought = Readonly<Record<string, readonly string[]>>;
const golden = existsSync(goldenFile) ? (JSON.parse(readFileSync(goldenFile, 'utf8')) as Sought) : {};

const hot: Readonly<Record<string, (reader: MssqlReader) => Promise<unknown>>> = {
  'a record': (reader) => reader.find(own, 'all'),
  'a record of somebody': (reader) => reader.find(own, { keys: ['organisation:7'] }),
  'a version of a record': (reader) => reader.findVersion(own, 1, 'all'),
  'records by id': (reader) => reader.findMany([own, { type: 'Patient', id: 'p1' }], 'all'),
  'the history of a record': (reader) => reader.history(own, { count: 20 }, 'all'),
  'the newest of a type': (reader) => reader.history({ type: 'Slot' }, { count: 1 }, 'all'),
  'what refers to a diary': (reader) => reader.referrers({ type: 'Schedule', id: 'c1' }, 'all', 10, { type: 'Slot', param: 'schedule' }),
  'the referrals of a patient by status': search('ServiceRequest', [reference('patient', 'Patient', 'p1'), token('status', 'active')]),
  'the free slots of a clinic in a window': search('Slot', [
    clinic,
    token('status', 'free'),
    range('start', 'ge', 5),
    range('start', 'lt', 900),
  ]),
  'the slots of a clinic by start': search('Slot', [clinic, range('start', 'ge', 5)], byStart),
  'the newest referrals of a status': search('ServiceRequest', [token('status', 'active')], newest),
  'the referrals of a status since a moment': search(
    'ServiceRequest',
    [token('status', 'active'), range('authored', 'ge', 999_000)],
    newest,
  ),
  'free slots by start': search('Slot', [token('status', 'free'), range('start', 'ge', 5)], byStart),
  'a patient by number': search('Patient', [token('identifier', '9', 'n')]),
  'a list of patients': search('Patient', []),
  'appointments by date': search('Appointment', [range('date', 'ge', 60_000)], [{ param: 'date', kind: 'range', descending: false }]),
  'the referrals that an organisation may see': search('ServiceRequest', [token('status', 'active')], [], { keys: ['organisation:7'] }),
  'a claim': (reader) => reader.findClaim('slot', 's4'),
  'an entry': (reader) => reader.findEntry('client', 'c1'),
  'a worklist': (reader) => reader.worklist({ list: 'L', owner: '7', now: 5, count: 20 }),
  'free slots of diaries': (reader) => reader.availability(['c1', 'c2'], 0, 86_400_000),
};

const to = (param: string, type: string, id: string): Value => ({ kind: 'reference', param, target: { type, id } });
const at = (param: string, low: number): Value => ({ kind: 'range', param, low, high: low + 1 });
const referral = (id: string, version: number, more: Partial<Put> = {}): Put =>
  put('ServiceRequest', id, version, {
    values: [
      to('subject', 'Patient', 'p7'),
      value('status', 'active'),
      value('state', 'BOOKED', 'st'),
      value('identifier', id, 'u'),
      at('authored', 7),
    ],
    accessKeys: ['organisation:7'],
    ...more,
  });
const pageOf = (more: Partial<Reindex>): readonly Reindex[] =>
  Array.from({ length: 50 }, (_, n) => {
    const { type, id, values } = referral(`r${String(n)}`, 2);
    return { type, id, values, version: 2, ...more };
  });
const place = { list: 'L', owner: '7', authored: 7, item: '{}' };

/** Each record has version 2. */
const hotWrites: Readonly<Record<string, Unit>> = {
  'a referral is made': {
    puts: [referral('new', 0)],
    expects: [{ type: 'Patient', id: 'p7', version: 2 }],
    claims: [{ kind: 'identifier', key: '000000000001', owner: 'ServiceRequest/new' }],
    worklists: [{ referral: 'new', places: [place] }],
    audit: ['{}'],
  },
  'a slot is booked': {
    puts: [
      referral('r7', 2),
      put('Slot', 's1', 2, { values: [to('schedule', 'Schedule', 'c1'), value('status', 'busy'), at('start', 1)] }),
      put('Appointment', 'new', 0, {
        values: [value('status', 'booked'), at('date', 60_000)],
        accessLinks: [{ child: { type: 'Appointment', id: 'new' }, root: own }],
      }),
    ],
    expects: [{ type: 'Patient', id: 'p7', version: 2 }],
    claims: [{ kind: 'slot', key: 's1', owner: 'Appointment/new' }],
    releases: [{ kind: 'hold', key: 's1', owner: 'somebody' }],
    worklists: [{ referral: 'r7', places: [place] }],
    audit: ['{}'],
  },
  'a token id is used': { claims: [{ kind: 'jti', key: 'once', owner: 'token', expires: 5_000_000_000_000 }] },
  'a page is indexed anew': { reindexes: pageOf({}) },
  'a page is indexed for a new parameter': { reindexes: pageOf({ params: ['shoe-size'], values: [value('shoe-size', '9')] }) },
  'a job is claimed': { entries: [{ kind: 'client', key: 'c5', version: 1, body: '{"by":"me"}' }] },
};

/** Of two indexes that are as good the server's sample of the rows decides. */
const eitherOf = (kept: string): readonly string[] => kept.split(' or ');

it('the indexes that the plans seek are in the schema, and each hot read and write has a plan', () => {
  const texts = scripts.flatMap(({ steps }) => steps.map(({ text }) => text)).join('\n');
  expect(Object.keys(golden)).toEqual([...Object.keys(hot), ...Object.keys(hotWrites)]);
  const named = Object.values(golden).flatMap((sought) => sought.flatMap(eitherOf).map((one) => one.split('.')[1] ?? ''));
  expect(named.filter((index) => !new RegExp(`\\b${index}\\b`).test(texts))).toEqual([]);
});

const hash = '0123456789abcdef0123456789abcdef';
it.each([
  [
    'seek',
    ['Index Scan using resource_type_idresource%HASH on resource r  (cost=0.4..2 rows=1)', "Index Cond: ((type = 5) AND (id = 'x'::text))"],
  ],
  ['seek', ['Index Scan using claim_pk on claim  (cost=0.4..2)', `Index Cond: (("kind" = 'slot') AND ("key" = 'k'))`]],
  [
    'seek',
    [
      'Bitmap Heap Scan on slot_index h  (cost=0.4..2)',
      'Bitmap Index Scan on slot_startslot_index%HASH  (cost=0.4..2)',
      'Index Cond: ((start_at >= 5) AND (start_at < 9))',
    ],
  ],
  ['scan', ['Index Only Scan using slot_startslot_index%HASH on slot_index h  (cost=0.4..2)', 'Index Cond: (rid = 7)']],
  ['scan', ['Index Scan using slot_start on slot_index h  (cost=0.4..2)', 'Index Cond: (start_at IS NOT NULL)']],
  ['scan', ['Index Scan using slot_start on slot_index h  (cost=0.4..2)', 'Filter: (start_at >= 5)']],
  ['scan', ['Seq Scan on access_link l  (cost=0..1 rows=1)', 'Index Scan using resource_pk on resource', 'Index Cond: (rid = l.root)']],
  ['seek', ['Index Seek(OBJECT:([db].[dbo].[slot_index].[slot_start] AS [h]), SEEK:([h].[start_at] >= (5)) ORDERED FORWARD)']],
  ['scan', ['Clustered Index Scan(OBJECT:([db].[dbo].[resource].[resource_pk] AS [r]))']],
] as const)('a plan is read as the %s that it is: %j', (how, lines) => {
  expect(plannedVisits(lines.map((line) => line.replace('%HASH', hash)))[0]?.how).toBe(how);
});

if (server === undefined) it.skip('plans of the reads on SQL Server (npm run test:mssql)', () => undefined);
else
  describe(`on ${String(rows)} referrals, slots and appointments`, () => {
    let database: Database;
    let plans: Awaited<ReturnType<typeof serverPlans>>;
    const sent: { text: string; parameters: readonly (string | number | null)[] }[] = [];
    const run: (readonly string[])[] = [];
    const small = new Set<string>();
    let reader: MssqlReader;
    let store: Store;
    const seen: Record<string, readonly string[]> = {};
    beforeAll(async () => {
      await createDatabase(server, name);
      const url = new URL(server);
      url.pathname = `/${name}`;
      const bulk = await openMssqlBulk({ url: url.href, integrity: true });
      for (const batch of batchesOf(volumeOf(rows), 2000)) await bulk.add(batch);
      const entries = Array.from(
        { length: usualRows },
        (_, n) => ({ kind: 'client', key: `c${String(n)}`, version: 0, body: '{}' }) as const,
      );
      await bulk.addEntries(entries);
      await bulk.finish(() => undefined);
      // a whole table is written over
      url.searchParams.set('requestTimeout', '3600000');
      database = await Database.open(url.href);
      // each record has an earlier version
      await database.execute(`insert into resource_version (rid, version, last_updated, body) select rid, version, last_updated, body from resource;
        update resource set version = 2; exec sp_updatestats`);
      const terms = new Terms(database);
      await terms.load();
      const recording: Reading = {
        read: (text, inputs) => {
          const names = Object.keys(inputs ?? {});
          const numbered = names.reduce((all, each, at) => all.replaceAll(new RegExp(`@${each}\\b`, 'g'), `@${String(at + 1)}`), text);
          sent.push({ text: numbered, parameters: names.map((each) => inputs?.[each] as string | number | null) });
          return database.read(text, inputs);
        },
        readCompiled: (statement) => {
          sent.push(statement);
          return database.readCompiled(statement);
        },
      };
      reader = new MssqlReader(recording, terms);
      plans = await serverPlans(url.href);
      for (const table of tables) {
        const [count] = await database.read(`select count(*) as n from (select top (${String(walked + 1)}) 1 as one from ${table}) t`);
        if (Number(count?.['n']) <= walked) small.add(table);
      }
      const running = Object.assign(Object.create(database) as Database, {
        send: async (text: string, inputs: Inputs = {}) => {
          if (!text.includes('begin transaction')) return database.send(text, inputs);
          run.push(await plans.linesOfRun(text, inputs));
          return [];
        },
        close: () => Promise.resolve(),
      });
      store = await serveDatabase(running, undefined, true);
    });
    afterAll(async () => {
      await store.close();
      await plans.close();
      await database.close();
      await dropDatabase(server, name);
    });

    const expectSeeks = (what: string, plansOf: readonly (readonly string[])[]): void => {
      const sought = new Set<string>();
      for (const lines of plansOf) {
        const all = plannedVisits(lines);
        expect(all.length).toBeGreaterThan(0);
        const visits = all.filter(({ table }) => !small.has(table));
        expect(visits.filter(({ how }) => how === 'scan')).toEqual([]);
        for (const { table, index } of visits) sought.add(`${table}.${index}`);
      }
      seen[what] = [...sought].sort();
      // on more or fewer rows another index may be the better one
      if (rows !== usualRows || process.env['UPDATE_GOLDEN'] === '1') return;
      const kept = golden[what] ?? [];
      const oneOf = (index: string): string => kept.find((either) => eitherOf(either).includes(index)) ?? index;
      expect([...sought].map(oneOf).sort()).toEqual(kept);
    };

    it.each(Object.entries(hot))('%s is found by seeks', async (what, read) => {
      sent.length = 0;
      await read(reader);
      const plansOf: (readonly string[])[] = [];
      for (const statement of sent) plansOf.push(await plans.linesOf(statement));
      expectSeeks(what, plansOf);
    });

    it.each(Object.entries(hotWrites))('%s by seeks', async (what, unit) => {
      run.length = 0;
      await store.commit(unit);
      expectSeeks(what, run);
    });

    it('the plans are kept', () => {
      expect(Object.keys(seen)).toEqual([...Object.keys(hot), ...Object.keys(hotWrites)]);
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(goldenFile, `${JSON.stringify(seen, null, 2)}\n`);
    });
  });
