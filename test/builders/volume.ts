import type { BulkItem, Key, Value } from '../../src/store/port.js';

const item = (
  type: string,
  id: string,
  values: readonly Value[],
  accessKeys: readonly string[] = [],
  { root, ...more }: Partial<Pick<BulkItem, 'claims' | 'places'> & { readonly root: Key }> = {},
): BulkItem => ({
  put: {
    ...{ type, id, version: 0, lastUpdated: 1_700_000_000_000, accessKeys, values },
    accessLinks: root ? [{ child: { type, id }, root }] : [],
    body: JSON.stringify({ resourceType: type, id }),
  },
  claims: [],
  ...more,
});
const reference = (param: string, type: string, id: string): Value => ({ kind: 'reference', param, target: { type, id } });
const code = (param: string, text: string, system = ''): Value => ({ kind: 'token', param, system, code: text });

/** ms */
export const minute = 60_000;

type Maker = (n: number) => BulkItem;

/** How many there are of each type, and how the n-th is made. */
const makers = (referrals: number): readonly (readonly [count: number, make: Maker])[] => {
  const people = referrals / 5;
  const clinics = referrals / 20;
  const patient: Maker = (n) =>
    item('Patient', `p${String(n)}`, [code('identifier', String(n), 'n'), { kind: 'text', param: 'family', value: `family${String(n)}` }]);
  const service: Maker = (n) => item('HealthcareService', `h${String(n)}`, []);
  const diary: Maker = (n) => item('Schedule', `c${String(n)}`, [reference('actor', 'HealthcareService', `h${String(n % (clinics / 2))}`)]);
  const referral: Maker = (n) =>
    item(
      'ServiceRequest',
      `r${String(n)}`,
      [
        reference('subject', 'Patient', `p${String(n % people)}`),
        code('status', n % 3 === 0 ? 'draft' : 'active'),
        code('state', n % 2 === 0 ? 'BOOKED' : 'NOT_BOOKED', 'st'),
        code('identifier', String(n), 'u'),
        { kind: 'range', param: 'authored', low: 1_000_000 - n, high: 1_000_001 - n },
      ],
      // an organisation has fifty referrals, however many there are in all
      [`organisation:${String(n % (referrals / 50))}`],
      { places: [{ list: 'L', owner: String(n % (referrals / 50)), authored: n, item: '{}' }] },
    );
  const date = (at: number): Value => ({ kind: 'range', param: 'date', low: at * minute, high: at * minute + 1 });
  const appointment: Maker = (n) =>
    item('Appointment', `a${String(n)}`, [code('status', 'booked'), date(n), ...(n % 10 === 0 ? [date(n + 5)] : [])], [], {
      // who may read a referral may read its appointment
      root: { type: 'ServiceRequest', id: `r${String(n)}` },
    });
  const slot: Maker = (n) =>
    item(
      'Slot',
      `s${String(n)}`,
      [
        reference('schedule', 'Schedule', `c${String(n % clinics)}`),
        code('status', n % 4 === 0 ? 'busy' : 'free'),
        { kind: 'range', param: 'start', low: n, high: n + 1 },
      ],
      [],
      { claims: n % 4 === 0 ? [{ kind: 'slot', key: `s${String(n)}`, owner: `Appointment/a${String(n)}` }] : [] },
    );
  return [
    [people, patient],
    [clinics / 2, service],
    [clinics, diary],
    [referrals, referral],
    [referrals, appointment],
    [referrals, slot],
  ];
};

/** Patients with five referrals each and clinics with twenty slots each: more data is more of them, not more for one of them. */
export function* volumeOf(referrals: number): Generator<BulkItem> {
  for (const [count, make] of makers(referrals)) for (let n = 0; n < count; n++) yield make(n);
}
export const volume = (referrals: number): readonly BulkItem[] => [...volumeOf(referrals)];

/** Some at a time, so that a large volume never stands in memory. */
export function* batchesOf<T>(items: Iterable<T>, together: number): Generator<readonly T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < together) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
