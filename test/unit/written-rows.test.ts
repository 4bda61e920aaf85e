import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Put, Unit, Value, WorklistPlace } from '../../src/store/port.js';
import { AuditChain } from '../../src/store/audit-chain.js';
import { applyUnit } from '../../src/store/sqlite/apply-unit.js';
import { Connection } from '../../src/store/sqlite/connection.js';
import { migrate } from '../../src/store/sqlite/migrate.js';
import { Terms } from '../../src/store/sqlite/terms.js';

const folder = mkdtempSync(path.join(tmpdir(), 'rows-'));
const connection = new Connection(path.join(folder, 'a.db'));
migrate(connection.db);
const terms = new Terms(connection);
afterAll(() => {
  connection.close();
  rmSync(folder, { recursive: true });
});

const written: string[] = [];
const run = connection.run.bind(connection);
connection.run = (text, ...parameters) => {
  written.push(text.replace(/ (set|where|\(|values|select).*$/s, ''));
  return run(text, ...parameters);
};
let sequence = 0;
/** What a unit writes, but for the rows of the resources themselves: statements and the tables they are of. */
const writes = (unit: Unit): readonly string[] => {
  written.length = 0;
  const now = Date.now();
  const writer = { connection, terms, integrity: true, matches: () => false, committedAt: now, now };
  applyUnit({ ...writer, nextSequence: () => ++sequence, chain: new AuditChain('a') }, unit);
  return written.filter((text) => !/ (resource|resource_version)$/.test(text));
};

const put = (type: string, id: string, version: number, values: readonly Value[], more: Partial<Put> = {}): Put => ({
  ...{ type, id, version, lastUpdated: 1, body: '{}', values, accessKeys: [], accessLinks: [] },
  ...more,
});
const word = (text: string): Value => ({ kind: 'word', param: '_content', word: text });
const slot = (status: string): readonly Value[] => [
  { kind: 'reference', param: 'schedule', target: { type: 'Schedule', id: 's' } },
  { kind: 'token', param: 'status', system: '', code: status },
  { kind: 'range', param: 'start', low: 5, high: 6 },
  { kind: 'token', param: 'specialty', system: 'a', code: 'b' },
  word('clinic'),
];
const key = { type: 'ServiceRequest', id: 'r' };

beforeAll(() => {
  writes({ puts: [put('Schedule', 's', 0, [])] });
  writes({ puts: [put('Slot', '1', 0, slot('free'))] });
});

it('a slot whose status alone changes has one row of one index table written', () => {
  expect(writes({ puts: [put('Slot', '1', 1, slot('busy'))] })).toEqual(['update slot_index']);
  expect(writes({ puts: [put('Slot', '1', 2, slot('busy'))] })).toEqual([]);
});

it('access keys, access links and claims that stay are not written again', () => {
  const links = { accessKeys: ['organisation:A', 'patient:1'], accessLinks: [{ child: { type: 'Schedule', id: 's' }, root: key }] };
  const claims = [{ kind: 'identifier' as const, key: '1', owner: 'ServiceRequest/r' }];
  expect(writes({ puts: [put('ServiceRequest', 'r', 0, [], links)], claims }).length).toBeGreaterThan(4);
  expect(writes({ puts: [put('ServiceRequest', 'r', 1, [], links)], claims })).toEqual([]);
  expect(writes({ puts: [put('ServiceRequest', 'r', 2, [], { ...links, accessKeys: ['patient:1', 'organisation:B'] })] })).toEqual([
    'delete from access_key',
    'insert or ignore into access_key',
  ]);
});

it('a claim that is renewed is written, as its end moves', () => {
  const lease = (expires: number) => [{ kind: 'lease' as const, key: 'l', owner: 'a', expires }];
  writes({ claims: lease(1e15) });
  expect(writes({ claims: lease(2e15) })).toEqual(['insert into claim']);
  expect(connection.get("select expires from claim where kind = 'lease'")).toEqual({ expires: 2e15 });
});

describe('the places of a referral on worklists', () => {
  const place = (list: string, item: string, more: Partial<WorklistPlace> = {}) => ({ list, owner: 'A', authored: 1, item, ...more });
  const stored = () => connection.all("select list, item, service, until from worklist where referral = 'r' order by list");
  const listed = (...places: readonly WorklistPlace[]): Unit => ({ worklists: [{ referral: 'r', places }] });

  it('are there as the last unit has them, whatever they were before', () => {
    writes(listed(place('a', '1'), place('b', '1', { service: 's' })));
    expect(writes(listed(place('b', '2', { service: 's' }), place('c', '2', { until: 9 })))).toEqual([
      'update worklist',
      'update worklist',
    ]);
    expect(stored()).toEqual([
      { list: 'b', item: '2', service: 's', until: null },
      { list: 'c', item: '2', service: null, until: 9 },
    ]);
    writes(listed(place('c', '3')));
    expect(stored()).toEqual([{ list: 'c', item: '3', service: null, until: null }]);
    writes(listed());
    expect(stored()).toEqual([]);
  });

  it('that stay are not written again', () => {
    writes(listed(place('a', '1'), place('b', '1')));
    expect(writes(listed(place('b', '1'), place('a', '1')))).toEqual([]);
  });

  it('that take one from another list leave the one that stays where it is', () => {
    writes(listed(place('a', '1'), place('b', '1')));
    writes(listed(place('c', '1'), place('b', '1')));
    expect(stored().map(({ list }) => list)).toEqual(['b', 'c']);
  });
});
