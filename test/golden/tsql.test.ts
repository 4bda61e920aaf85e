import { narrowTables } from '../../src/store/layout.js';
import { scripts } from '../../src/store/mssql/schema/scripts.js';
import { unitBatch, termsOf } from '../../src/store/mssql/unit-batch.js';
import type { Terms } from '../../src/store/mssql/terms.js';
import type { Unit } from '../../src/store/port.js';
import { put, token } from '../builders/units.js';
import { goldenFolder } from '../helpers/golden-tsql.js';

/** Every T-SQL text that the store writes with, as a file to review. */
const { golden, left } = goldenFolder('schema', 'unit');

const numbers = new Map<string, number>();
const terms = {
  number: (text: string): number => {
    const known = numbers.get(text) ?? numbers.size + 1;
    numbers.set(text, known);
    return known;
  },
} as unknown as Terms;
const batchOf = (unit: Unit, integrity = true) => unitBatch(terms, unit, { integrity, unmatched: [], link: undefined });

const slot = put('Slot', 's', 0, {
  values: [
    { kind: 'reference', param: 'schedule', target: { type: 'Schedule', id: 'x' } },
    token('status', 'free'),
    { kind: 'range', param: 'start', low: 100, high: 101 },
    token('slot-type', 'a', 'b'),
  ],
  accessKeys: ['organisation:RCD'],
});

it.each(scripts.map((script) => [`schema-${String(script.number).padStart(4, '0')}-${script.name.replaceAll(' ', '-')}`, script] as const))(
  '%s',
  (name, { steps }) => {
    golden(name, steps.map(({ text, optional }) => `${optional === true ? '-- where the server takes it\n' : ''}${text};`).join('\n\n'));
  },
);

const units: readonly (readonly [string, Unit, boolean?])[] = [
  ['unit-claim', { claims: [{ kind: 'jti', key: 'j', owner: 'token', expires: 5 }] }],
  ['unit-worklist', { worklists: [{ referral: 'r', places: [{ list: 'L', owner: 'RCD', authored: 5, service: 's', item: '{}' }] }] }],
  ['unit-entry', { entries: [{ kind: 'job', key: 'a', version: 0, body: '{}' }] }],
  [
    'unit-create',
    { puts: [put('Patient', 'p', 0, { values: [token('identifier', '999', 'nhs'), { kind: 'text', param: 'family', value: 'smith' }] })] },
  ],
  ['unit-create-slot', { puts: [slot] }],
  ['unit-create-several', { puts: Array.from({ length: 5 }, (_, n) => ({ ...slot, id: String(n) })) }],
  ['unit-create-many', { puts: Array.from({ length: 21 }, (_, n) => ({ ...slot, id: String(n) })) }],
  ['unit-update', { puts: [{ ...slot, version: 1 }] }],
  ['unit-reindex', { reindexes: [{ type: 'Patient', id: 'p', version: 2, params: ['shoe-size'], values: [token('shoe-size', '9')] }] }],
  ['unit-reindex-whole', { reindexes: [{ type: 'Slot', id: 's', version: 1, values: slot.values }] }],
  ['unit-reindex-whole-without-integrity', { reindexes: [{ type: 'Slot', id: 's', version: 1, values: slot.values }] }, false],
  ['unit-delete', { puts: [{ ...slot, version: 1, body: undefined }] }],
  ['unit-create-without-integrity', { puts: [slot] }, false],
  [
    'unit-booking',
    {
      expects: [{ type: 'ServiceRequest', id: 'r', version: 3 }],
      puts: [
        put('Appointment', 'a', 0, { values: [{ kind: 'reference', param: 'slot', target: { type: 'Slot', id: 's' } }] }),
        { ...slot, version: 1 },
      ],
      claims: [{ kind: 'slot', key: 's', owner: 'Appointment/a' }],
      releases: [{ kind: 'hold', key: 's', owner: 'h' }],
    },
  ],
];
it.each(units.map(([name, unit, integrity]) => [name, unit, integrity ?? true] as const))('%s', (name, unit, integrity) => {
  golden(name, batchOf(unit, integrity).text);
});

it('no file is left of a statement that is no more', () => {
  expect(left()).toEqual([]);
});

describe('a unit', () => {
  it('of the same shape has the same text, whatever its values: the server keeps one plan', () => {
    const other = { ...slot, id: 't', body: `${slot.body ?? ''} ` };
    expect(batchOf({ puts: [other] }).text).toBe(batchOf({ puts: [slot] }).text);
    expect(batchOf({ puts: [other, slot] }).text).toBe(batchOf({ puts: [slot] }).text);
  });
  it('sends its rows in the order of their keys', () => {
    const sent = batchOf({ puts: [put('Slot', 'b'), put('Patient', 'z'), put('Slot', 'a')] });
    expect(sent.puts.map(({ type, id }) => `${type}/${id}`)).toEqual(['Patient/z', 'Slot/a', 'Slot/b']);
  });
  it('sends bodies as bytes beside the list that says where each stands', () => {
    const { inputs } = batchOf({ puts: [put('Patient', 'a', 0, { body: 'Zoë' }), put('Patient', 'b', 0, { body: '😀' })] });
    const bodies = inputs['bodies'] as Buffer;
    const rows = JSON.parse(String(inputs['puts'])) as readonly { readonly start: number; readonly length: number }[];
    expect(rows.map(({ start, length }) => bodies.subarray(start - 1, start - 1 + length).toString('utf8'))).toEqual(['Zoë', '😀']);
  });
  it('knows its terms before it is sent', () => {
    expect([...termsOf({ puts: [slot] })].sort()).toEqual(['Schedule', 'Slot', 'Slot.slot-type', 'b', 'free'].sort());
  });
});

it('the schema has the column of every hot search parameter', () => {
  const all = scripts.flatMap(({ steps }) => steps.map(({ text }) => text)).join('\n');
  for (const { table, columns } of Object.values(narrowTables)) {
    const text = new RegExp(`create table ${table} \\(([^;]*)\\)`).exec(all)?.[1] ?? '';
    for (const { column } of columns) expect(text).toMatch(new RegExp(`\\b${column} `));
  }
});
