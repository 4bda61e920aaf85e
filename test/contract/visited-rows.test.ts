import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Predicate, SearchPlan, Sight, Sort } from '../../src/store/port.js';
import { openSqliteBulk } from '../../src/store/sqlite/bulk-load.js';
import { Connection } from '../../src/store/sqlite/connection.js';
import { SqliteReader } from '../../src/store/sqlite/reader.js';
import { minute, volume } from '../builders/volume.js';

const folder = mkdtempSync(path.join(tmpdir(), 'visited-'));
const open: Connection[] = [];
afterAll(() => {
  for (const connection of open) connection.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A reader whose statements count the rows that they test, as those do that have a limit of time. */
const filled = async (referrals: number) => {
  const file = path.join(folder, `${String(referrals)}.db`);
  const bulk = openSqliteBulk({ path: file, integrity: true });
  await bulk.add(volume(referrals));
  await bulk.finish(() => undefined);
  const connection = new Connection(file);
  open.push(connection);
  let rows = 0;
  connection.db.function('checkpoint', () => {
    rows++;
    return 0;
  });
  const reader = new SqliteReader(connection, true);
  return (plan: SearchPlan, sight: Sight = 'all') => {
    rows = 0;
    const page = reader.search(plan, sight);
    return { matches: page.rows.length, rows };
  };
};

const plan = (type: string, where: readonly Predicate[], sort: readonly Sort[] = [], count = 10): SearchPlan => ({
  ...{ type, where, sort, count },
});
const is = (param: string, type: string, id: string): Predicate => ({ kind: 'reference', param, any: [{ type, id }] });
const has = (param: string, text: string, system?: string): Predicate => ({
  kind: 'token',
  param,
  any: [{ code: text, ...(system === undefined ? {} : { system }) }],
});
const from = (low: number): Predicate => ({ kind: 'range', param: 'start', any: [{ prefix: 'ge', low, high: low + 1 }] });
const dated = (prefix: 'ge' | 'lt', n: number): Predicate => ({
  ...{ kind: 'range', param: 'date' },
  any: [{ prefix, low: n * minute, high: (n + 1) * minute }],
});
const by = (param: string, kind: Sort['kind'] = 'range', descending = false): readonly Sort[] => [{ param, kind, descending }];
const byStart = by('start');
const newest = by('authored', 'range', true);
const authored = (low: number): Predicate => ({ kind: 'range', param: 'authored', any: [{ prefix: 'ge', low, high: low + 1 }] });
const ofService: Predicate = {
  ...{ kind: 'chain', param: 'schedule', type: 'Schedule' },
  where: [{ kind: 'reference', param: 'actor', any: [{ type: 'HealthcareService', id: 'h1' }] }],
};
const ofPatient: Predicate = { kind: 'chain', param: 'patient', type: 'Patient', where: [has('identifier', '3', 'n')] };
const byIdentifier: Predicate = {
  kind: 'either',
  of: [[{ kind: 'token', param: 'patient', any: [{ system: 'n', code: '3' }], identifying: true }], [ofPatient]],
};

const ofOrganisation: Sight = { keys: ['organisation:4'] };

// the most rows that the search may test, of which `matches` are found
const hot: readonly (readonly [string, SearchPlan, { readonly matches: number; readonly atMost: number }, Sight?])[] = [
  ['the referrals of a patient', plan('ServiceRequest', [is('patient', 'Patient', 'p3')]), { matches: 5, atMost: 5 }],
  ['those of a status', plan('ServiceRequest', [is('patient', 'Patient', 'p3'), has('status', 'draft')]), { matches: 2, atMost: 5 }],
  ['those of an NHS number', plan('ServiceRequest', [ofPatient]), { matches: 5, atMost: 5 }],
  ['the same by :identifier', plan('ServiceRequest', [byIdentifier]), { matches: 5, atMost: 5 }],
  ['a referral by UBRN', plan('ServiceRequest', [has('identifier', '7', 'u')]), { matches: 1, atMost: 1 }],
  ['a patient by NHS number', plan('Patient', [has('identifier', '7', 'n')]), { matches: 1, atMost: 1 }],
  ['free slots of a clinic', plan('Slot', [is('schedule', 'Schedule', 'c1'), has('status', 'free')], [], 20), { matches: 20, atMost: 21 }],
  ['the first slots of a clinic', plan('Slot', [is('schedule', 'Schedule', 'c1'), from(0)], byStart), { matches: 10, atMost: 11 }],
  ['the first free slots', plan('Slot', [has('status', 'free'), from(0)], byStart), { matches: 10, atMost: 11 }],
  ['free slots of a service', plan('Slot', [ofService, has('status', 'free'), from(0)], byStart), { matches: 10, atMost: 41 }],
  ['a page of patients', plan('Patient', []), { matches: 10, atMost: 11 }],
  ['patients by name', plan('Patient', [], by('family', 'text')), { matches: 10, atMost: 11 }],
  ['patients by name, backwards', plan('Patient', [], by('family', 'text', true)), { matches: 10, atMost: 11 }],
  ['referrals of a status by age', plan('ServiceRequest', [has('status', 'active')], by('authored')), { matches: 10, atMost: 11 }],
  ['the newest of a status', plan('ServiceRequest', [has('status', 'active')], newest), { matches: 10, atMost: 11 }],
  ['those since a moment', plan('ServiceRequest', [has('status', 'active'), authored(999_970)], newest), { matches: 10, atMost: 11 }],
  ['few since a moment', plan('ServiceRequest', [has('status', 'active'), authored(999_990)]), { matches: 7, atMost: 8 }],
  ['the newest of all', plan('ServiceRequest', [], newest), { matches: 10, atMost: 11 }],
  ['the newest of a state', plan('ServiceRequest', [has('state', 'BOOKED', 'st')], newest), { matches: 10, atMost: 22 }],
  ['the oldest of all', plan('ServiceRequest', [], by('authored')), { matches: 10, atMost: 11 }],
  ['the first slots of all', plan('Slot', [], byStart), { matches: 10, atMost: 11 }],
  ['appointments of a status by date', plan('Appointment', [has('status', 'booked')], by('date')), { matches: 10, atMost: 14 }],
  ['the last appointments', plan('Appointment', [], by('date', 'range', true)), { matches: 10, atMost: 14 }],
  ['appointments to come by date', plan('Appointment', [dated('ge', 106)], by('date')), { matches: 10, atMost: 14 }],
  [
    'appointments that were, the last first',
    plan('Appointment', [dated('lt', 99)], by('date', 'range', true)),
    { matches: 10, atMost: 15 },
  ],
  ["an organisation's referrals by age", plan('ServiceRequest', [], by('authored')), { matches: 10, atMost: 50 }, ofOrganisation],
  [
    "an organisation's referrals of a state",
    plan('ServiceRequest', [has('state', 'BOOKED', 'st')], by('authored')),
    { matches: 10, atMost: 50 },
    ofOrganisation,
  ],
];

it('a search of few matches tests as many rows among 60,000 as among 3,000', async () => {
  const few = await filled(1000);
  const many = await filled(20_000);
  for (const [name, asked, { matches, atMost }, sight] of hot) {
    const small = few(asked, sight);
    const large = many(asked, sight);
    expect([name, large.matches]).toEqual([name, matches]);
    expect([name, large]).toEqual([name, small]);
    expect([name, large.rows > 0 && large.rows <= atMost, large.rows]).toEqual([name, true, large.rows]);
  }
}, 180_000);

it('the count is of rows: a search that no index helps tests all of the type', async () => {
  const all = await filled(2000);
  const contains: Predicate = { kind: 'text', param: 'family', mode: 'contains', any: ['nowhere'] };
  expect(all(plan('Patient', [contains]))).toEqual({ matches: 0, rows: 400 });
}, 60_000);
