import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { Occupied, Taken, Unresolved, type BulkItem, type Store } from '../../src/store/port.js';
import { openSqliteBulk } from '../../src/store/sqlite/bulk-load.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.js';

const folder = mkdtempSync(path.join(tmpdir(), 'bulk-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const item = (type: string, id: string, more: Partial<BulkItem['put']> = {}, claims: BulkItem['claims'] = []): BulkItem => ({
  put: {
    ...{ type, id, version: 0, lastUpdated: 1_700_000_000_000, accessKeys: [], accessLinks: [] },
    body: JSON.stringify({ resourceType: type, id }),
    values: [{ kind: 'token', param: '_tag', system: 's', code: id }],
    ...more,
  },
  claims,
});

/** One resource of each kind of index row; the referral is named before its patient within the batch. */
const items = (): readonly BulkItem[] => [
  item('ServiceRequest', 'r.1', {
    values: [
      { kind: 'reference', param: 'subject', target: { type: 'Patient', id: 'p1' } },
      { kind: 'token', param: 'status', system: '', code: 'active' },
      { kind: 'range', param: 'authored', low: 1, high: 2 },
      { kind: 'text', param: 'instantiates-uri', value: 'urn:x' },
    ],
    accessKeys: ['organisation:RCD', 'patient:p1'],
    accessLinks: [{ child: { type: 'Patient', id: 'p1' }, root: { type: 'ServiceRequest', id: 'r.1' } }],
  }),
  item('Patient', 'p1', { values: [{ kind: 'text', param: 'family', value: 'oakwell' }], accessKeys: ['patient:p1'] }),
  item('Slot', 's1', { values: [{ kind: 'token', param: 'status', system: '', code: 'free' }] }, [
    { kind: 'slot', key: 's1', owner: 'Appointment/a' },
  ]),
];

const tables = ['search_token', 'search_reference', 'search_range', 'search_text', 'slot_index', 'service_request_index'];

/** What a database holds, without what depends on when it was written. */
const contentsOf = (file: string): unknown => {
  const db = new DatabaseSync(file);
  const all = (text: string): readonly unknown[] => db.prepare(text).all();
  const contents = {
    resources: all('select id, version, last_updated, body from resource order by id'),
    rows: tables.map((table) => all(`select count(*) as n from ${table}`)),
    keys: all('select r.id, k.key from access_key k join resource r using (rid) order by 1, 2'),
    links: all(
      'select c.id as child, r.id as root from access_link l join resource c on c.rid = l.child join resource r on r.rid = l.root',
    ),
    claims: all('select * from claim'),
    indexes: all("select name, sql from sqlite_master where type = 'index' order by name"),
  };
  db.close();
  return contents;
};

const searched = async (store: Store): Promise<unknown> => {
  const plan = {
    type: 'ServiceRequest',
    where: [{ kind: 'reference', param: 'subject', any: [{ type: 'Patient', id: 'p1' }] }],
    sort: [],
    count: 5,
  } as const;
  const page = await store.search(plan, { keys: ['organisation:RCD'] });
  const patient = await store.find({ type: 'Patient', id: 'p1' }, { keys: ['organisation:RCD'] });
  return [page.rows.map(({ id }) => id), patient?.id];
};

it('what is filled in bulk is the same as what is committed, and answers the same', async () => {
  const committed = path.join(folder, 'committed.db');
  const store = await openSqliteStore({ path: committed, integrity: true });
  await store.commit({ puts: items().map(({ put }) => put), claims: items().flatMap(({ claims }) => claims) });
  const answers = await searched(store);
  await store.close();

  const filled = path.join(folder, 'filled.db');
  const bulk = openSqliteBulk({ path: filled, integrity: true });
  await bulk.add(items());
  const report = await bulk.finish(() => undefined);
  expect(report.resources).toBe(3);
  expect(contentsOf(filled)).toEqual(contentsOf(committed));

  const served = await openSqliteStore({ path: filled, integrity: true });
  expect(await searched(served)).toEqual(answers);
  expect(answers).toEqual([['r.1'], 'p1']);
  await served.commit({ puts: [item('Patient', 'p2').put] });
  await served.close();
  expect(readdirSync(folder).filter((name) => /loading|scratch/.test(name))).toEqual([]);
});

it('refuses a store that is being served, or that has patients, and leaves it as it is', async () => {
  const file = path.join(folder, 'served.db');
  const store = await openSqliteStore({ path: file, integrity: true });
  expect(() => openSqliteBulk({ path: file, integrity: true })).toThrow(Occupied);
  await store.commit({ puts: [item('Patient', 'p1').put] });
  await store.close();
  expect(() => openSqliteBulk({ path: file, integrity: true })).toThrow('patients');
});

it('a fault or an abandoned load leaves nothing behind', async () => {
  const file = path.join(folder, 'none.db');
  const dangling = openSqliteBulk({ path: file, integrity: true });
  const lost = item('Slot', 's', { values: [{ kind: 'reference', param: 'schedule', target: { type: 'Schedule', id: 'none' } }] });
  expect(() => dangling.add([lost])).toThrow(Unresolved);
  await dangling.abandon();
  const twice = openSqliteBulk({ path: file, integrity: true });
  const claim = (owner: string) => ({ kind: 'slot', key: 'same', owner }) as const;
  await twice.add([item('Slot', 'a', {}, [claim('Appointment/1')]), item('Slot', 'b', {}, [claim('Appointment/2')])]);
  await expect(twice.finish(() => undefined)).rejects.toThrow(Taken);
  await twice.abandon();
  expect(readdirSync(folder).filter((name) => name.startsWith('none'))).toEqual([]);
});
