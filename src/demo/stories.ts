import type { ReferralState } from '../domain/referral/transitions.js';
import { openingsOn, slotId, type Opening } from './diary.js';
import { addDays, instantOf } from './local-time.js';
import type { Person } from './patients.js';
import { randomOf, type Random } from './random.js';
import { hasAppointment, isPast, keepsSlot, type Story } from './referrals.js';
import type { Service, World } from './world.js';

export type Dates = {
  /** the day on which the diaries were opened, YYYY-MM-DD */
  readonly since: string;
  readonly timeZone: string;
};

const kind = 21;
/** Every state, the more frequent ones more often. */
export const states: readonly ReferralState[] = [
  ...['BOOKED', 'NOT_BOOKED', 'AWAITING_TRIAGE', 'BOOKED', 'DEFERRED_TO_PROVIDER', 'NOT_BOOKED', 'TRIAGE_RESPONSE'],
  ...['BOOKED', 'APPT_CANCELLED_BY_PATIENT', 'TRIAGED_PROVIDER_TO_ACTION', 'REJECTED', 'NOT_BOOKED', 'DID_NOT_ATTEND'],
  ...['APPT_CANCELLED_BY_PROVIDER', 'ASSESSMENT_RESULT', 'CANCELLED_REFERRAL', 'BOOKED', 'AWAITING_TRIAGE'],
] as readonly ReferralState[];

export const priorities = ['ROUTINE', 'ROUTINE', 'ROUTINE', 'URGENT', 'TWO_WEEK_WAIT'] as const;

/** True when the service treats somebody of that age and gender. */
export const treats = (service: Service, person: Person, today: string): boolean => {
  const { minimumAge = 0, maximumAge = 200, gender } = service.specialty;
  const [thisYear = 0, born = 0] = [today, person.born].map((day) => Number(day.slice(0, 4)));
  const age = thisYear - born - (today.slice(5) < person.born.slice(5) ? 1 : 0);
  return age >= minimumAge && age <= maximumAge && (gender === undefined || gender === person.gender);
};

/** What a service must offer for a referral to be in the state: its binding, or its flow where it is not booked. */
export const fits = (state: ReferralState): string =>
  ['AWAITING_TRIAGE', 'TRIAGE_RESPONSE', 'TRIAGED_PROVIDER_TO_ACTION'].includes(state) ? 'REVIEW' : 'DIRECTLY_BOOKABLE';

/** Days, in working days, within which a provider contacts the patient: properties of e-RS's priorities. */
export const contactDays = {
  AWAITING_TRIAGE: { ROUTINE: 40, URGENT: 5, TWO_WEEK_WAIT: 2 },
  DEFERRED_TO_PROVIDER: { ROUTINE: 40, URGENT: 10, TWO_WEEK_WAIT: 5 },
} as const;

/** Eight weeks of clinic days before or after the diaries were opened, in an order of their own. */
const openingOf = (service: Service, past: boolean, dates: Dates, taken: ReadonlySet<string>, random: Random): Opening | undefined => {
  const start = random.below(56);
  for (let step = 0; step < 56; step++) {
    const distance = 1 + ((start + step) % 56);
    const openings = openingsOn(service, addDays(dates.since, past ? -distance : distance), dates.timeZone);
    const free = openings.filter((opening) => !taken.has(slotId(opening)));
    if (free.length > 0) return random.pick(free);
  }
  return undefined;
};

/**
 * The referral number `n`: who refers whom to which services, and how far it has come. A slot is given once: `taken` holds the ids
 * that are gone, and is added to.
 */
export const storyOf = (
  world: World,
  n: number,
  {
    person,
    services,
    dates,
    taken,
  }: { readonly person: Person; readonly services: readonly Service[]; readonly dates: Dates; readonly taken: Set<string> },
): Story | undefined => {
  const random = randomOf(world.seed, kind, n);
  const state = states[n % states.length] ?? 'NOT_BOOKED';
  const suitable = services.filter((service) => (service.binding ?? service.flow) === fits(state) && treats(service, person, dates.since));
  if (suitable.length === 0) return undefined;
  const chosen = random.pick(suitable);
  const same = suitable.filter(({ specialty, id }) => specialty === chosen.specialty && id !== chosen.id);
  const opening = hasAppointment(state) ? openingOf(chosen, isPast(state), dates, taken, random) : undefined;
  if (hasAppointment(state) && !opening) return undefined;
  if (opening && keepsSlot(state)) taken.add(slotId(opening));
  const referrer = world.referrers.get(person.practice.ods)?.[0];
  if (!referrer) return undefined;
  return {
    id: random.uuid(),
    ubrn: String(70_000_000 + n).padStart(12, '0'),
    state,
    person,
    referrer,
    shortlist: [chosen, ...same.slice(0, random.below(3))],
    priority: random.pick(priorities),
    reason: random.below(100),
    authored: instantOf(addDays(dates.since, -(isPast(state) ? 60 : 1) - random.below(28)), 540 + random.below(480), dates.timeZone),
    opening,
    timeZone: dates.timeZone,
  };
};
