import { MssqlReader } from '../../src/store/mssql/reader.js';
import type { Terms } from '../../src/store/mssql/terms.js';
import type { Predicate, Prefix, SearchPlan, Sight } from '../../src/store/port.js';
import { encodePosition } from '../../src/store/queries/position.js';
import { goldenFolder } from '../helpers/golden-tsql.js';

/** Every kind of read, as the T-SQL that is sent for it. */
const { golden, left } = goldenFolder('read');

const sentBy = async (read: (reader: MssqlReader) => Promise<unknown>): Promise<string> => {
  const sent: string[] = [];
  const record = (text: string) => {
    sent.push(text);
    return Promise.resolve([]);
  };
  const database = { read: record, readCompiled: ({ text }: { readonly text: string }) => record(text) };
  const terms = { known: () => 7, find: () => Promise.resolve(), textOf: () => Promise.resolve(() => '') };
  await read(new MssqlReader(database, terms as unknown as Terms));
  return sent.join(';\n');
};

const plan = (type: string, where: readonly Predicate[], more: Partial<SearchPlan> = {}): SearchPlan => ({
  type,
  where,
  sort: [],
  count: 20,
  ...more,
});
const token = (param: string, ...codes: readonly string[]): Predicate => ({
  kind: 'token',
  param,
  any: codes.map((code) => ({ code })),
});
const range = (param: string, prefix: Prefix): Predicate => ({
  kind: 'range',
  param,
  any: [{ prefix, low: 1, high: 2 }],
});
const text = (mode: Extract<Predicate, { kind: 'text' }>['mode']): Predicate => ({ kind: 'text', param: 'family', mode, any: ['smi'] });
const smith = token('identifier', '9');
const toPatient: Predicate = { kind: 'chain', param: 'patient', type: 'Patient', where: [smith] };
const named = { type: 'Patient', id: 'p' };
const clinic: Predicate = { kind: 'reference', param: 'schedule', any: [{ type: 'Schedule', id: 's' }] };
const byStart = [{ param: 'start', kind: 'range', descending: false }] as const;
const clinicKeys: Sight = { keys: ['organisation:A', 'organisation:B'] };

const searches: readonly (readonly [string, SearchPlan, Sight?])[] = [
  ['all-of-a-type', plan('Patient', [])],
  ['next-page', plan('Patient', [], { after: encodePosition([5]) })],
  ['id', plan('Patient', [{ kind: 'id', ids: ['a', 'b'] }])],
  ['token', plan('Patient', [{ kind: 'token', param: 'identifier', any: [{ system: 's', code: '9' }] }])],
  ['token-any-system', plan('Patient', [token('identifier', '9', '8')])],
  ['token-of-a-system', plan('Patient', [{ kind: 'token', param: 'identifier', any: [{ system: 's' }] }])],
  ['token-not', plan('Patient', [{ kind: 'token', param: 'gender', not: true, any: [{ code: 'male' }] }])],
  ['token-of-a-value-set', plan('Patient', [token('identifier', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9')])],
  ['token-in-column', plan('Slot', [token('status', 'free', 'busy')])],
  ['reference', plan('Appointment', [{ kind: 'reference', param: 'patient', any: [named] }])],
  ['reference-in-column', plan('ServiceRequest', [{ kind: 'reference', param: 'patient', any: [named] }, token('status', 'active')])],
  ...(['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'po', 'co'] as const).map(
    (prefix) => [`range-${prefix}`, plan('Patient', [range('birthdate', prefix)])] as const,
  ),
  ['moment-in-column', plan('Slot', [clinic, token('status', 'free'), range('start', 'ge'), range('start', 'lt')])],
  ['span-in-column', plan('ServiceRequest', [range('authored', 'eq')])],
  ['text-starts', plan('Patient', [text('starts')])],
  ['text-exact', plan('Patient', [text('exact')])],
  ['text-contains', plan('Patient', [text('contains')])],
  ['text-ends', plan('Patient', [text('ends')])],
  ['text-from', plan('Patient', [text('from')])],
  ['text-below', plan('Patient', [text('below')])],
  ['missing', plan('Patient', [{ kind: 'missing', param: 'birthdate', missing: true }])],
  ['not-missing', plan('Slot', [{ kind: 'missing', param: 'start', missing: false }])],
  ['updated', plan('Patient', [{ kind: 'updated', any: [{ prefix: 'ge', low: 1, high: 2 }] }])],
  ['near', plan('Location', [{ kind: 'near', param: 'near', any: [{ latitude: 53.8, longitude: -1.5, km: 10 }] }])],
  ['word', plan('Patient', [{ kind: 'word', param: '_content', word: 'knee' }])],
  ['either', plan('Patient', [{ kind: 'either', of: [[smith], [text('exact')]] }])],
  ['not', plan('Patient', [{ kind: 'not', where: [smith] }])],
  ['chain', plan('Appointment', [toPatient])],
  ['chain-in-sight', plan('Appointment', [{ ...toPatient, sight: clinicKeys }])],
  ['chain-through-column', plan('ServiceRequest', [toPatient])],
  ['has', plan('Patient', [{ kind: 'has', param: 'patient', type: 'Appointment', where: [token('identifier', 'x')] }])],
  ['has-through-column', plan('Patient', [{ kind: 'has', param: 'subject', type: 'ServiceRequest', where: [smith] }])],
  ['never', plan('Patient', [{ kind: 'never' }])],
  ['in-sight', plan('Patient', []), clinicKeys],
  ['token-in-sight', plan('Patient', [smith]), clinicKeys],
  ['sort-id', plan('Patient', [], { sort: [{ param: '', kind: 'id', descending: false }] })],
  ['sort-updated-descending', plan('Patient', [], { sort: [{ param: '', kind: 'updated', descending: true }] })],
  ['sort-column', plan('Slot', [clinic], { sort: byStart })],
  ['sort-column-next-page', plan('Slot', [clinic], { sort: byStart, after: encodePosition([5, 5]) })],
  [
    'sort-span-descending',
    plan('ServiceRequest', [token('status', 'active', 'draft')], { sort: [{ param: 'authored', kind: 'range', descending: true }] }),
  ],
  [
    'sort-span-next-page',
    plan('ServiceRequest', [token('status', 'active')], {
      sort: [{ param: 'authored', kind: 'range', descending: false }],
      after: encodePosition([null, 5]),
    }),
  ],
  ['sort-text', plan('Patient', [smith], { sort: [{ param: 'family', kind: 'text', descending: false }] })],
  [
    'sort-text-next-page',
    plan('Patient', [smith], { sort: [{ param: 'family', kind: 'text', descending: false }], after: encodePosition(['smith', 5]) }),
  ],
  ['sort-text-of-all', plan('Patient', [], { sort: [{ param: 'family', kind: 'text', descending: false }] })],
  [
    'sort-range-of-all-next-page',
    plan('Patient', [], { sort: [{ param: 'birthdate', kind: 'range', descending: true }], after: encodePosition([5, 5]) }),
  ],
  ['sort-token-descending', plan('Slot', [], { sort: [{ param: 'status', kind: 'token', descending: true }] })],
];

it.each(searches.map(([name, search, sight]) => [name, search, sight ?? 'all'] as const))('search %s', async (name, search, sight) => {
  golden(`read-search-${name}`, await sentBy((reader) => reader.search(search, sight)));
});

const reads: Readonly<Record<string, (reader: MssqlReader) => Promise<unknown>>> = {
  find: (reader) => reader.find(named, 'all'),
  'find-in-sight': (reader) => reader.find(named, clinicKeys),
  'find-version': (reader) => reader.findVersion(named, 2, 'all'),
  'find-many': (reader) => reader.findMany([named], clinicKeys),
  count: (reader) => reader.count(plan('Slot', [clinic, token('status', 'free')]), 'all', 1000),
  'count-distinct': (reader) => reader.count(plan('Patient', [smith]), 'all', 1000),
  'count-of-several': (reader) => reader.count(plan('Slot', [token('status', 'free', 'busy')]), clinicKeys, 1000),
  history: (reader) => reader.history({}, { count: 20 }, 'all'),
  'history-of-one': (reader) => reader.history(named, { count: 20, since: 5 }, clinicKeys),
  'history-of-types': (reader) =>
    reader.history({ types: ['Patient', 'Slot'] }, { count: 20, ascending: true, after: encodePosition([9]) }, 'all'),
  'history-at': (reader) => reader.history({ type: 'Patient' }, { count: 20, at: { from: 1, to: 2 } }, 'all'),
  referrers: (reader) => reader.referrers(named, 'all', 10),
  'referrers-through-column': (reader) => reader.referrers({ type: 'Schedule', id: 's' }, 'all', 10, { type: 'Slot', param: 'schedule' }),
  'referrers-through-parameter': (reader) => reader.referrers(named, clinicKeys, 10, { type: 'Appointment', param: 'patient' }),
  'find-claim': (reader) => reader.findClaim('slot', 's'),
  'find-entry': (reader) => reader.findEntry('client', 'c'),
  'list-entries': (reader) => reader.listEntries('client'),
  'audit-chains': (reader) => reader.auditChains(),
  'audit-links': (reader) => reader.auditLinks('c', 0, 10),
};
it.each(Object.entries(reads))('%s', async (name, read) => {
  golden(`read-${name}`, await sentBy(read));
});

describe('a search sorted by one value', () => {
  const byName = plan('Patient', [], { sort: [{ param: 'family', kind: 'text', descending: false }], count: 2 });
  const answering = (...answers: readonly number[]) => {
    const sent: string[] = [];
    const readCompiled = ({ text: statement }: { readonly text: string }) => {
      const rows = Array.from({ length: answers[sent.length] ?? 0 }, (_, n) => ({
        rid: n,
        id: String(n),
        version: 1,
        last_updated: 1,
        k0: 'a',
      }));
      sent.push(statement);
      return Promise.resolve(rows);
    };
    const terms = { known: () => 7 } as unknown as Terms;
    return { sent, reader: new MssqlReader({ read: () => Promise.resolve([]), readCompiled }, terms) };
  };

  it('ends with the rows that have the value when they fill the page', async () => {
    const { sent, reader } = answering(3);
    expect((await reader.search(byName, 'all')).rows).toHaveLength(2);
    expect(sent).toHaveLength(1);
  });
  it('asks for the page with all others when they do not', async () => {
    const { sent, reader } = answering(1, 2);
    expect(await reader.search(byName, 'all')).toMatchObject({ rows: [{}, {}], next: undefined });
    expect(sent).toHaveLength(2);
  });
});

it('no file is left of a read that is no more', () => {
  expect(left()).toEqual([]);
});
