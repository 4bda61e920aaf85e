// Whether a search costs the same among many records as among few: loads stores of growing size, in which each search has the same number
// of matches, and prints rows tested and CPU a request for each. Ends with 1 when one grows more than 1.5 times. Usage:
// npm run bench:flatness -- [--sizes 10000,100000,1000000] [--times 2000] [--keep <folder>]
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openSqliteBulk } from '../dist/store/sqlite/bulk-load.js';
import { Connection } from '../dist/store/sqlite/connection.js';
import { SqliteReader } from '../dist/store/sqlite/reader.js';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,100000,1000000' },
    times: { type: 'string', default: '2000' },
    keep: { type: 'string' },
  },
});
const sizes = values.sizes.split(',').map(Number);
const times = Number(values.times);
const mostGrowth = 1.5;
// of a thousand records: these make the rest
const shares = { people: 100, diaries: 20, services: 10, slots: 400 };
const day = 86_400_000;
const start = Date.parse('2027-01-04T09:00:00Z');

const token = (param, code, system = '') => ({ kind: 'token', param, system, code });
const reference = (param, type, id) => ({ kind: 'reference', param, target: { type, id } });
const moment = (param, low) => ({ kind: 'range', param, low, high: low + 1000 });
const padding = 'x'.repeat(800);
const item = (type, id, indexed, accessKeys = []) => ({
  put: {
    type,
    id,
    version: 0,
    lastUpdated: start,
    accessKeys,
    accessLinks: [],
    values: indexed,
    body: `{"resourceType":"${type}","id":"${id}","note":"${padding}"}`,
  },
  claims: [],
});

/** Each patient has five referrals, each diary twenty slots over ten days, each service two diaries, each organisation fifty referrals. */
const makers = (size) => {
  const [people, diaries, services, slots] = Object.values(shares).map((share) => Math.floor((size * share) / 1000));
  const referrals = people * 5 - ((people * 5) % 50);
  return [
    [services, (n) => item('HealthcareService', `h${n}`, [token('identifier', `${n}`, 's')])],
    [diaries, (n) => item('Schedule', `c${n}`, [reference('actor', 'HealthcareService', `h${n % services}`)])],
    [Math.floor(diaries / 10), (n) => item('PractitionerRole', `d${n}`, [token('identifier', `${n}`, 'd')])],
    [
      people,
      (n) =>
        item(
          'Patient',
          `p${n}`,
          [token('identifier', `${n}`, 'n'), { kind: 'text', param: 'family', value: `family${n}` }],
          [`organisation:G${n % Math.ceil(people / 10)}`],
        ),
    ],
    [
      referrals,
      (n) =>
        item(
          'ServiceRequest',
          `r${n}`,
          [
            reference('subject', 'Patient', `p${n % people}`),
            token('status', n % 3 === 0 ? 'draft' : 'active'),
            token('state', n % 2 === 0 ? 'BOOKED' : 'NOT_BOOKED', 'st'),
            token('identifier', `${n}`, 'u'),
            reference('requester', 'PractitionerRole', `d${n % Math.floor(diaries / 10)}`),
            { kind: 'range', param: 'authored', low: start - n * 1000, high: start - n * 1000 + 1 },
          ],
          [`organisation:O${n % (referrals / 50)}`],
        ),
    ],
    [
      slots,
      (n) => {
        const place = Math.floor(n / diaries);
        return item('Slot', `s${n}`, [
          reference('schedule', 'Schedule', `c${n % diaries}`),
          token('status', place % 4 === 0 ? 'busy' : 'free'),
          moment('start', start + (place % 10) * day + place * 60_000),
        ]);
      },
    ],
  ].map(([count, make]) => [count, make, { people, diaries, services, referrals }]);
};

const placesOf = (n, referrals) => [
  { list: 'REVIEW', owner: `O${n % (referrals / 50)}`, authored: start - n * 1000, item: '{"item":{"reference":"x"}}' },
];

const load = async (file, size) => {
  const bulk = openSqliteBulk({ path: file, integrity: true });
  for (const [count, make, { referrals }] of makers(size))
    for (let from = 0; from < count; from += 1000)
      await bulk.add(
        Array.from({ length: Math.min(1000, count - from) }, (_, at) => {
          const made = make(from + at);
          return made.put.type === 'ServiceRequest' ? { ...made, places: placesOf(from + at, referrals) } : made;
        }),
      );
  await bulk.finish(() => undefined);
};

const plan = (type, where, sort = [], count = 50) => ({ type, where, sort, count });
const is = (param, type, id) => ({ kind: 'reference', param, any: [{ type, id }] });
const has = (param, code, system) => ({ kind: 'token', param, any: [system === undefined ? { code } : { code, system }] });
const between = (param, low, high) => [
  { kind: 'range', param, any: [{ prefix: 'ge', low, high: low + 1 }] },
  { kind: 'range', param, any: [{ prefix: 'lt', low: high, high: high + 1 }] },
];
const ascending = (param, kind = 'range') => [{ param, kind, descending: false }];

/** The engine keeps what it has read of a list and of a diary: so many are asked for in turn, in a store of any size. */
const keptAtMost = 100;
const inTurn = (n, of) => ((n % keptAtMost) * 7919) % of;

/** What clients ask for all day, each of another record every time. `n` grows, `of` says how many there are. */
const asked = {
  read: (reader, n, of) => reader.find({ type: 'ServiceRequest', id: `r${(n * 7919) % of.referrals}` }, 'all') && 1,
  'referrals of a patient, active': (reader, n, of) =>
    reader.search(plan('ServiceRequest', [is('patient', 'Patient', `p${(n * 7919) % of.people}`), has('status', 'active')]), 'all').rows
      .length,
  'a patient by NHS number': (reader, n, of) =>
    reader.search(plan('Patient', [has('identifier', `${(n * 7919) % of.people}`, 'n')]), 'all').rows.length,
  'a referral by UBRN': (reader, n, of) =>
    reader.search(plan('ServiceRequest', [has('identifier', `${(n * 7919) % of.referrals}`, 'u')]), 'all').rows.length,
  'free slots of a diary on a day': (reader, n, of) =>
    reader.search(
      plan('Slot', [
        is('schedule', 'Schedule', `c${(n * 7919) % of.diaries}`),
        has('status', 'free'),
        ...between('start', start + day, start + 2 * day),
      ]),
      'all',
    ).rows.length,
  'slots of a diary, by start': (reader, n, of) =>
    reader.search(
      plan(
        'Slot',
        [is('schedule', 'Schedule', `c${(n * 7919) % of.diaries}`), ...between('start', start, start + 9 * day)],
        ascending('start'),
        10,
      ),
      'all',
    ).rows.length,
  'free slots of a service, by start': (reader, n, of) =>
    reader.search(
      plan(
        'Slot',
        [
          { kind: 'chain', param: 'schedule', type: 'Schedule', where: [is('actor', 'HealthcareService', `h${(n * 7919) % of.services}`)] },
          has('status', 'free'),
          ...between('start', start, start + 9 * day),
        ],
        ascending('start'),
        10,
      ),
      'all',
    ).rows.length,
  'the first free slots of all': (reader) =>
    reader.search(plan('Slot', [has('status', 'free'), ...between('start', start, start + 9 * day)], ascending('start'), 10), 'all').rows
      .length,
  'a page of a worklist': (reader, n, of) =>
    reader.worklist({ list: 'REVIEW', owner: `O${inTurn(n, of.referrals / 50)}`, now: start, count: 20 }).rows.length,
  "an organisation's referrals of a state, by age": (reader, n, of) =>
    reader.search(plan('ServiceRequest', [has('state', 'BOOKED', 'st')], ascending('authored'), 10), {
      keys: [`organisation:O${n % (of.referrals / 50)}`],
    }).rows.length,
  'all referrals of a status, by age': (reader) =>
    reader.search(plan('ServiceRequest', [has('status', 'active')], ascending('authored'), 10), 'all').rows.length,
  'all patients, by name': (reader) => reader.search(plan('Patient', [], ascending('family', 'text'), 10), 'all').rows.length,
  'availability of a diary': (reader, n, of) => reader.availability([`c${inTurn(n, of.diaries)}`], start, start + 14 * day).length,
};

const measured = (file, size) => {
  const connection = new Connection(file);
  let rows = 0;
  connection.db.function('checkpoint', () => (rows++, 0));
  const [counting, reader] = [new SqliteReader(connection, true), new SqliteReader(connection)];
  const [[, , of]] = makers(size);
  const result = Object.entries(asked).map(([name, ask]) => {
    let matches = 0;
    rows = 0;
    for (let n = 0; n < 20; n++) matches += ask(counting, n, of);
    const tested = rows;
    for (let n = 0; n < times / 4; n++) ask(reader, n, of);
    const before = process.cpuUsage();
    for (let n = 0; n < times; n++) ask(reader, n + 20, of);
    const { user, system } = process.cpuUsage(before);
    return { name, matches: matches / 20, rows: tested / 20, us: (user + system) / times };
  });
  connection.close();
  return result;
};

const folder = values.keep ?? mkdtempSync(path.join(tmpdir(), 'flatness-'));
mkdirSync(folder, { recursive: true });
const table = Object.fromEntries(Object.keys(asked).map((name) => [name, {}]));
const grown = [];
for (const size of sizes) {
  const file = path.join(folder, `${size}.db`);
  if (!existsSync(file)) await load(file, size);
  for (const { name, matches, rows, us } of measured(file, size)) {
    Object.assign(table[name], { matches, [`rows ${size}`]: rows, [`us ${size}`]: Number(us.toFixed(0)) });
    table[name].first ??= us;
    table[name].growth = Number((us / table[name].first).toFixed(2));
    if (table[name].growth > mostGrowth || rows > table[name][`rows ${sizes[0]}`]) grown.push(`${name} at ${size}`);
  }
}
for (const row of Object.values(table)) delete row.first;
console.table(table);
if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });
if (grown.length > 0) console.log(`grows: ${grown.join('; ')}`);
process.exitCode = grown.length > 0 ? 1 : 0;
