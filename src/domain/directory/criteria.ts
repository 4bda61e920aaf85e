import type { CodeableConcept, HealthcareService, Reference } from 'fhir/r4.js';
import type { Position } from './postcodes.js';
import { takesPriority } from './service-summary.js';
import type { Flow, Service } from './service.js';

/** What A010 searches by; a criterion that is not there holds for every service. Ages in years, distances in miles, waits in days. */
export type SearchCriteria = {
  readonly requestType: 'APPOINTMENT_REQUEST' | 'ADVICE_AND_GUIDANCE_REQUEST';
  /** eRS-Priority */
  readonly priority?: string;
  readonly ageAndGenderAppropriate: boolean;
  readonly specialty?: string;
  readonly clinicType?: string;
  /** SNOMED CT */
  readonly clinicalTerm?: string;
  /** SDS user id */
  readonly namedClinician?: string;
  /** ODS code */
  readonly organisation?: string;
  readonly postcode?: string;
  readonly distanceLimit?: number;
  readonly waitLimit?: number;
  readonly bookableType?: 'DIRECTLY_BOOKABLE' | 'INDIRECTLY_BOOKABLE';
  readonly flow?: Flow;
};

/** A service with what the search needs beside the rules' view of it. */
export type ListedService = Service & {
  readonly specialties: readonly string[];
  readonly clinicTypes: readonly string[];
  /** ids of Locations, and their site codes */
  readonly locations: readonly string[];
  /** where it is, as it says itself */
  readonly place: Reference | undefined;
  readonly position?: Position;
};

export type Searcher = {
  /** years */
  readonly age?: number;
  readonly gender?: string;
  /** the middle of the postcode */
  readonly position?: Position;
};

const codes = (concepts: readonly CodeableConcept[] | undefined): readonly string[] =>
  (concepts ?? []).flatMap(({ coding }) => (coding ?? []).flatMap(({ code }) => code ?? []));

export const listed = (service: Service, resource: HealthcareService, position: Position | undefined): ListedService => ({
  ...service,
  specialties: codes(resource.specialty),
  clinicTypes: codes(resource.category),
  locations: (resource.location ?? []).flatMap(({ reference, identifier }) => [
    ...(reference?.startsWith('Location/') === true ? [reference.slice(9)] : []),
    ...(identifier?.value === undefined ? [] : [identifier.value]),
  ]),
  place: resource.location?.[0],
  ...(position === undefined ? {} : { position }),
});

const milesPerRadian = 3958.8;
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Great-circle distance in miles. */
export const milesBetween = (a: Position, b: Position): number => {
  const half = (x: number, y: number): number => Math.sin(radians(y - x) / 2) ** 2;
  const root = half(a.lat, b.lat) + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * half(a.lon, b.lon);
  return 2 * milesPerRadian * Math.asin(Math.min(1, Math.sqrt(root)));
};

/** Age in whole years on a day. Both YYYY-MM-DD. */
export const ageOn = (day: string, born: string): number => {
  const years = Number(day.slice(0, 4)) - Number(born.slice(0, 4));
  return born.length < 10 || day.slice(5) >= born.slice(5) ? years : years - 1;
};

const treats = ({ summary }: Service, { age, gender }: Searcher): boolean => {
  if (age !== undefined && (age < (summary.minimumAge ?? 0) || age > (summary.maximumAge ?? 200))) return false;
  return gender !== 'female' && gender !== 'male' ? true : summary.genders.includes(gender);
};

type Test = (service: ListedService, criteria: SearchCriteria, searcher: Searcher) => boolean;

const isAdvice = ({ requestType }: SearchCriteria): boolean => requestType === 'ADVICE_AND_GUIDANCE_REQUEST';

/** One test a criterion. */
const tests: readonly Test[] = [
  ({ active }) => active,
  ({ flows }, criteria) =>
    isAdvice(criteria) ? flows.includes('ADVICE_AND_GUIDANCE') : flows.some((flow) => flow === 'BOOKABLE' || flow === 'REVIEW'),
  ({ summary }, { priority }) => priority === undefined || takesPriority(summary, priority),
  (service, { ageAndGenderAppropriate }, searcher) => !ageAndGenderAppropriate || treats(service, searcher),
  ({ specialties }, { specialty }) => specialty === undefined || specialties.includes(specialty),
  ({ clinicTypes }, { clinicType }) => clinicType === undefined || clinicTypes.includes(clinicType),
  ({ summary }, { clinicalTerm }) => clinicalTerm === undefined || summary.clinicalTerms.some(({ code }) => code === clinicalTerm),
  ({ summary }, { namedClinician }) => namedClinician === undefined || summary.clinician?.sdsId === namedClinician,
  ({ organisation: own }, { organisation }) => organisation === undefined || own === organisation,
  ({ binding }, { bookableType }) => bookableType === undefined || binding === bookableType,
  ({ flows }, { flow }) => flow === undefined || flows.includes(flow),
  // nobody waits for advice
  ({ summary }, criteria) =>
    criteria.waitLimit === undefined ||
    isAdvice(criteria) ||
    (summary.indicativeWaitDays ?? Number.POSITIVE_INFINITY) <= criteria.waitLimit,
  ({ position }, { distanceLimit }, searcher) =>
    distanceLimit === undefined ||
    (position !== undefined && searcher.position !== undefined && milesBetween(position, searcher.position) <= distanceLimit),
];

export const meets: Test = (service, criteria, searcher) => tests.every((test) => test(service, criteria, searcher));
