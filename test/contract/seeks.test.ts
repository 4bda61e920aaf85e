import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Predicate, SearchPlan, Sort } from '../../src/store/port.js';
import { parametersOf, prepare } from '../../src/store/queries/bindings.js';
import { sqlite } from '../../src/store/queries/dialect.js';
import { SearchBuilder } from '../../src/store/queries/search.js';
import { Connection } from '../../src/store/sqlite/connection.js';
import { migrate } from '../../src/store/sqlite/migrate.js';

const folder = mkdtempSync(path.join(tmpdir(), 'seeks-'));
const connection = new Connection(path.join(folder, 'x.db'));
migrate(connection.db);
afterAll(() => {
  connection.close();
  rmSync(folder, { recursive: true, force: true });
});

/** How the engine visits tables: every line but those about the few rows that were found already. */
const visits = (
  type: string,
  where: readonly Predicate[],
  sort: readonly Sort[] = [],
  after?: readonly (string | number | null)[],
): readonly string[] => {
  const plan: SearchPlan = { type, where, sort, count: 20 };
  const prepared = prepare(sqlite, new SearchBuilder(() => 1, sqlite).page(plan, 'all', after));
  const rows = connection.all(`explain query plan ${prepared.text}`, ...parametersOf(prepared, { plan, sight: 'all', after, limit: 21 }));
  return rows.map(({ detail }) => String(detail)).filter((detail) => /^(SEARCH|SCAN)/.test(detail));
};

const token = (param: string, code: string, system?: string): Predicate => ({
  kind: 'token',
  param,
  any: [{ code, ...(system === undefined ? {} : { system }) }],
});
const reference = (param: string, type: string): Predicate => ({ kind: 'reference', param, any: [{ type, id: 'a' }] });
const range = (param: string, prefix: 'ge' | 'lt'): Predicate => ({ kind: 'range', param, any: [{ prefix, low: 1, high: 2 }] });
const byStart: readonly Sort[] = [{ param: 'start', kind: 'range', descending: false }];
const chain: Predicate = { kind: 'chain', param: 'practitioner', type: 'Practitioner', where: [token('identifier', '1', 's')] };

// the searches of the benches and of every request's own look-ups
const hot: readonly (readonly [string, readonly string[]])[] = [
  ['the referrals of a patient by status', visits('ServiceRequest', [reference('patient', 'Patient'), token('status', 'active')])],
  [
    'free slots of a clinic in a window',
    visits('Slot', [reference('schedule', 'Schedule'), token('status', 'free'), range('start', 'ge'), range('start', 'lt')]),
  ],
  ['slots of a clinic by start', visits('Slot', [reference('schedule', 'Schedule'), range('start', 'ge')], byStart)],
  ['the next page of those', visits('Slot', [reference('schedule', 'Schedule'), range('start', 'ge')], byStart, [5, 5])],
  ['free slots by start', visits('Slot', [token('status', 'free'), range('start', 'ge')], byStart)],
  ['a patient by NHS number', visits('Patient', [token('identifier', '9', 'n')])],
  ['the roles of a user', visits('PractitionerRole', [chain])],
  ['a list of patients', visits('Patient', [])],
  ['the next page of those', visits('Patient', [], [], [5])],
];

it.each(hot)('%s is found by seeks alone', (_name, lines) => {
  // `d` is the page of rows found, `t` the other end of a chain
  expect(lines.filter((line) => line.startsWith('SCAN') && !/^SCAN (d|t|h)$/.test(line))).toEqual([]);
});

it('the window of a clinic is one range of its index, in the order asked for', () => {
  const lines = visits('Slot', [reference('schedule', 'Schedule'), range('start', 'ge'), range('start', 'lt')], byStart);
  expect(lines.some((line) => line.includes('slot_schedule_start (schedule=? AND start_at>? AND start_at<?)'))).toBe(true);
});
