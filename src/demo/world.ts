import { familyNames, givenNames, placeWords } from './facts/names.js';
import { places, type Place } from './facts/places.js';
import { specialties, type Coded, type Specialty } from './facts/specialties.js';
import { randomOf, type Random } from './random.js';
import { sizes, type Scale } from './scales.js';

/**
 * Who and what there is, as small descriptions from which the resources are made: organisations with their sites, clinicians,
 * services. Patients and referrals are too many for that: they are made by number (`patients.ts`, `referrals.ts`).
 */
export type Organisation = {
  readonly ods: string;
  readonly name: string;
  readonly kind: 'practice' | 'trust' | 'independent' | 'commissioner';
  readonly site: Site;
};
export type Site = { readonly code: string; readonly name: string; readonly place: Place; readonly lat: number; readonly lon: number };
export type Clinician = {
  readonly sdsId: string;
  readonly given: string;
  readonly family: string;
  readonly gender: 'female' | 'male';
  readonly posts: readonly { readonly ods: string; readonly functions: readonly string[] }[];
};
export type Flow = 'BOOKABLE' | 'REVIEW' | 'ADVICE_AND_GUIDANCE';
export type Session = { readonly weekday: number; readonly from: number; readonly until: number };
export type Service = {
  readonly id: string;
  readonly organisation: Organisation;
  readonly specialty: Specialty;
  readonly clinicType: Coded;
  readonly flow: Flow;
  /** only of a bookable service */
  readonly binding: 'DIRECTLY_BOOKABLE' | 'INDIRECTLY_BOOKABLE' | undefined;
  readonly appointmentType: Coded;
  readonly clinician: Clinician | undefined;
  readonly waitDays: number;
  readonly letterRequired: boolean;
  readonly exclusions: string | undefined;
  /** opening hours, minutes after midnight by the clock on the wall */
  readonly opening: readonly Session[];
  /** the part of them in which appointments are given */
  readonly sessions: readonly Session[];
  readonly slotMinutes: number;
};
export type World = {
  readonly seed: number;
  readonly scale: Scale;
  readonly practices: readonly Organisation[];
  readonly providers: readonly Organisation[];
  readonly commissioner: Organisation;
  readonly clinicians: readonly Clinician[];
  /** the referring clinicians of a practice, by its ODS code */
  readonly referrers: ReadonlyMap<string, readonly Clinician[]>;
  readonly services: readonly Service[];
};

const kinds = { organisation: 1, clinician: 2, service: 3 } as const;

const siteOf = (code: string, name: string, place: Place, random: Random): Site => ({
  code,
  name,
  place,
  // within about a mile of the middle of the postcode area
  lat: Number((place.lat + (random.next() - 0.5) * 0.02).toFixed(5)),
  lon: Number((place.lon + (random.next() - 0.5) * 0.03).toFixed(5)),
});

const placeAt = (n: number): Place => places[n % places.length] ?? places[0]!;
const letters = 'ABCDEFGHJKLMNPQRTUVWXY';
const base = (n: number, digits: number): string =>
  Array.from({ length: digits }, (_, at) => letters[Math.floor(n / letters.length ** (digits - 1 - at)) % letters.length] ?? '').join('');

/** ODS codes: a practice is a letter and five digits, a trust R and two characters, an independent provider N and four. */
const practiceCode = (n: number): string => (n === 0 ? 'D82106' : `Y${String(90_000 + n).padStart(5, '0')}`);
const isTrust = (n: number): boolean => n < letters.length && n % 5 !== 4;
const providerCode = (n: number): string => ['RCD', 'R69'][n] ?? (isTrust(n) ? `RZ${base(n, 1)}` : `NZ${base(n, 3)}`);

const organisationOf = (seed: number, kind: Organisation['kind'], n: number, code: string): Organisation => {
  const random = randomOf(seed, kinds.organisation, kind.length, n);
  const word = placeWords[n % placeWords.length] ?? 'Ashbrook';
  const place = placeAt(n);
  const round = Math.floor(n / placeWords.length);
  const which = round === 0 ? '' : ` ${String(round + 1)}`;
  const name = {
    practice: `${word} Medical Practice${which}`,
    trust: `${word} Hospitals NHS Trust${which}`,
    independent: `${word} Community Clinics${which}`,
    commissioner: 'NHS Demonstration Integrated Care Board',
  }[kind];
  const site = {
    practice: name,
    trust: `${word} General Hospital${which}`,
    independent: `${word} Health Centre${which}`,
    commissioner: name,
  }[kind];
  return { ods: code, kind, name, site: siteOf(kind === 'practice' ? code : `${code}01`, site, place, random) };
};

const clinicianOf = (seed: number, n: number, sdsId: string, posts: Clinician['posts']): Clinician => {
  const random = randomOf(seed, kinds.clinician, n);
  const gender = random.pick(['female', 'male'] as const);
  return { sdsId, gender, given: random.pick(givenNames[gender]), family: random.pick(familyNames), posts };
};

/** What a provider offers: the first rows are the demo's, each provider has all of them before chance decides. */
const offers: readonly { readonly specialty: number; readonly flow: Flow; readonly direct?: boolean }[] = [
  { specialty: 0, flow: 'BOOKABLE', direct: true },
  { specialty: 0, flow: 'REVIEW' },
  { specialty: 0, flow: 'ADVICE_AND_GUIDANCE' },
  { specialty: 1, flow: 'BOOKABLE', direct: true },
  { specialty: 1, flow: 'ADVICE_AND_GUIDANCE' },
  { specialty: 2, flow: 'BOOKABLE', direct: true },
  { specialty: 2, flow: 'REVIEW' },
  { specialty: 3, flow: 'BOOKABLE', direct: true },
  { specialty: 4, flow: 'BOOKABLE', direct: false },
  { specialty: 5, flow: 'BOOKABLE', direct: true },
  { specialty: 15, flow: 'BOOKABLE', direct: true },
  { specialty: 10, flow: 'BOOKABLE', direct: true },
];

const appointmentTypes = {
  BOOKABLE: { code: 'FIRST_OUTPATIENT', display: 'First Outpatient' },
  REVIEW: { code: 'ASSESSMENT_SERVICE', display: 'Assessment Service' },
  ADVICE_AND_GUIDANCE: { code: 'FIRST_OUTPATIENT', display: 'First Outpatient' },
} as const satisfies Readonly<Record<Flow, Coded>>;

const exclusions = [
  'Patients who need care on the same day',
  'Patients under the care of this team already',
  'Patients who cannot travel to the clinic',
] as const;

const weekdays = [1, 2, 3, 4, 5] as const;

const serviceOf = (
  seed: number,
  n: number,
  { providers, scale }: { readonly providers: readonly Organisation[]; readonly scale: Scale },
  clinicianAt: (ods: string, random: Random) => Clinician | undefined,
): Service => {
  const random = randomOf(seed, kinds.service, n);
  const organisation = providers[n % providers.length]!;
  const row = Math.floor(n / providers.length);
  const offer = offers[row] ?? offers[random.below(offers.length)]!;
  const specialty = (row < offers.length ? specialties[offer.specialty] : random.pick(specialties))!;
  const flow = offer.flow;
  const opensAt = random.pick([480, 510, 540]);
  const closesAt = random.pick([1020, 1050, 1080]);
  const first = random.below(5);
  const mornings = random.below(2) === 0;
  const session = (day: number, morning: boolean): Session =>
    morning ? { weekday: weekdays[day % 5] ?? 1, from: 540, until: 720 } : { weekday: weekdays[day % 5] ?? 1, from: 810, until: 990 };
  return {
    id: String(11_001 + n),
    organisation,
    specialty,
    clinicType: random.pick(specialty.clinicTypes),
    flow,
    binding: flow === 'BOOKABLE' ? (offer.direct === true ? 'DIRECTLY_BOOKABLE' : 'INDIRECTLY_BOOKABLE') : undefined,
    appointmentType: appointmentTypes[flow],
    clinician: clinicianAt(organisation.ods, random),
    waitDays: 7 + random.below(120),
    letterRequired: random.below(3) > 0,
    exclusions: random.below(2) === 0 ? random.pick(exclusions) : undefined,
    opening: weekdays.map((weekday) => ({ weekday, from: opensAt, until: closesAt })),
    sessions: [session(first, mornings), session(first + 2, !mornings)].slice(0, sizes[scale].sessionsAWeek),
    slotMinutes: random.pick([30, 30, 30, 45]),
  };
};

const referring = ['REFERRING_CLINICIAN'] as const;
const providing = ['SERVICE_PROVIDER_CLINICIAN'] as const;

/** The world of a seed and a scale; the same ones give the same world. Contract section 8 fixes the first organisations and users. */
export const makeWorld = (seed: number, scale: Scale): World => {
  const size = sizes[scale];
  const practices = Array.from({ length: size.practices }, (_, n) => organisationOf(seed, 'practice', n, practiceCode(n)));
  const providers = Array.from({ length: size.providers }, (_, n) =>
    organisationOf(seed, isTrust(n) ? 'trust' : 'independent', n, providerCode(n)),
  );
  const commissioner = organisationOf(seed, 'commissioner', 0, 'QZ1');
  let number = 0;
  const sds = (): string => `5559${String(++number).padStart(8, '0')}`;
  const referrers = new Map(
    practices.map(({ ods }, n) => [
      ods,
      n === 0
        ? [
            clinicianOf(seed, -1, '021600556514', [{ ods, functions: referring }]),
            clinicianOf(seed, 0, sds(), [{ ods, functions: ['REFERRING_CLINICIAN_ADMIN', 'REFERRING_ADMIN'] }]),
          ]
        : [clinicianOf(seed, number + 1, sds(), [{ ods, functions: referring }])],
    ]),
  );
  const consultant = clinicianOf(seed, -2, '555032006106', [
    { ods: 'RCD', functions: providing },
    { ods: 'R69', functions: providing },
  ]);
  const secretary = clinicianOf(seed, -3, '555073103100', [
    { ods: 'RCD', functions: ['SERVICE_PROVIDER_CLINICIAN_ADMIN', 'SERVICE_PROVIDER_ADMIN'] },
  ]);
  const consultants = new Map(
    providers.map(({ ods }) => [
      ods,
      [
        ...(ods === 'RCD' || ods === 'R69' ? [consultant] : []),
        clinicianOf(seed, number + 1, sds(), [{ ods, functions: providing }]),
        clinicianOf(seed, number + 1, sds(), [{ ods, functions: providing }]),
      ],
    ]),
  );
  const clinicianAt = (ods: string, random: Random): Clinician | undefined =>
    random.below(3) === 0 ? undefined : random.pick(consultants.get(ods) ?? [consultant]);
  const services = Array.from({ length: size.services }, (_, n) => serviceOf(seed, n, { providers, scale }, clinicianAt));
  const clinicians = [...new Set([...[...referrers.values()].flat(), secretary, ...[...consultants.values()].flat()])];
  return { seed, scale, practices, providers, commissioner, clinicians, referrers, services };
};
