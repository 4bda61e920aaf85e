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

/** Patients with five referrals each and clinics with twenty slots each: more data is more of them, not more for one of them. */
export const volume = (referrals: number): readonly BulkItem[] => {
  const people = referrals / 5;
  const clinics = referrals / 20;
  return [
    ...Array.from({ length: people }, (_, n) =>
      item('Patient', `p${String(n)}`, [
        code('identifier', String(n), 'n'),
        { kind: 'text', param: 'family', value: `family${String(n)}` },
      ]),
    ),
    ...Array.from({ length: clinics / 2 }, (_, n) => item('HealthcareService', `h${String(n)}`, [])),
    ...Array.from({ length: clinics }, (_, n) =>
      item('Schedule', `c${String(n)}`, [reference('actor', 'HealthcareService', `h${String(n % (clinics / 2))}`)]),
    ),
    ...Array.from({ length: referrals }, (_, n) =>
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
      ),
    ),
    ...Array.from({ length: referrals }, (_, n) =>
      item(
        'Appointment',
        `a${String(n)}`,
        [
          code('status', 'booked'),
          { kind: 'range', param: 'date', low: n * minute, high: n * minute + 1 },
          ...(n % 10 === 0 ? [{ kind: 'range', param: 'date', low: (n + 5) * minute, high: (n + 5) * minute + 1 } as const] : []),
        ],
        [],
        // who may read a referral may read its appointment
        { root: { type: 'ServiceRequest', id: `r${String(n)}` } },
      ),
    ),
    ...Array.from({ length: referrals }, (_, n) =>
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
      ),
    ),
  ];
};
