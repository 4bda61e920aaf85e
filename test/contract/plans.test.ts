import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Database, type Reading } from '../../src/store/mssql/database.js';
import { openMssqlBulk } from '../../src/store/mssql/bulk-load.js';
import { MssqlReader } from '../../src/store/mssql/reader.js';
import { scripts } from '../../src/store/mssql/schema/scripts.js';
import { Terms } from '../../src/store/mssql/terms.js';
import type { Predicate, SearchPlan, Sight, Sort } from '../../src/store/port.js';
import { volume } from '../builders/volume.js';
import { createDatabase, dropDatabase } from '../helpers/mssql-database.js';
import { plannedVisits, serverPlans } from '../helpers/server-plans.js';

/**
 * On SQL Server every hot read seeks: the server's own plans on a volume of data (PLAN_ROWS referrals, slots and appointments each, with all
 * else half a million records). On a tenth of it a server rightly walks a small table. What the plans sought is kept in golden/plans.json.
 */
const server = process.env['MSSQL_URL'];
const usualRows = 100_000;
const rows = Number(process.env['PLAN_ROWS'] ?? String(usualRows));
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

it('the indexes that the plans seek are in the schema, and each hot read has a plan', () => {
  const texts = scripts.flatMap(({ steps }) => steps.map(({ text }) => text)).join('\n');
  expect(Object.keys(golden)).toEqual(Object.keys(hot));
  const named = Object.values(golden).flatMap((sought) => sought.map((one) => one.split('.')[1] ?? ''));
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

if (server === undefined) it.todo('plans of the reads on SQL Server (npm run test:mssql)');
else
  describe(`on ${String(rows)} referrals, slots and appointments`, () => {
    let database: Database;
    let plans: Awaited<ReturnType<typeof serverPlans>>;
    const sent: { text: string; parameters: readonly (string | number | null)[] }[] = [];
    let reader: MssqlReader;
    const seen: Record<string, readonly string[]> = {};
    beforeAll(async () => {
      await createDatabase(server, name);
      const url = new URL(server);
      url.pathname = `/${name}`;
      const bulk = await openMssqlBulk({ url: url.href, integrity: true });
      const all = volume(rows);
      for (let from = 0; from < all.length; from += 2000) await bulk.add(all.slice(from, from + 2000));
      const entries = Array.from({ length: rows }, (_, n) => ({ kind: 'client', key: `c${String(n)}`, version: 0, body: '{}' }) as const);
      await bulk.addEntries(entries);
      await bulk.finish(() => undefined);
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
    });
    afterAll(async () => {
      await plans.close();
      await database.close();
      await dropDatabase(server, name);
    });

    it.each(Object.entries(hot))('%s is found by seeks', async (what, read) => {
      sent.length = 0;
      await read(reader);
      const sought = new Set<string>();
      for (const statement of sent) {
        const visits = plannedVisits(await plans.linesOf(statement));
        expect(visits.length).toBeGreaterThan(0);
        expect(visits.filter(({ how }) => how === 'scan')).toEqual([]);
        for (const { table, index } of visits) sought.add(`${table}.${index}`);
      }
      seen[what] = [...sought].sort();
      // on more or fewer rows another index may be the better one
      if (rows === usualRows && process.env['UPDATE_GOLDEN'] !== '1') expect(seen[what]).toEqual(golden[what]);
    });

    it('the plans are kept', () => {
      expect(Object.keys(seen)).toEqual(Object.keys(hot));
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(goldenFile, `${JSON.stringify(seen, null, 2)}\n`);
    });
  });
