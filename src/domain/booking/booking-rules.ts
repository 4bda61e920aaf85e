import type { Appointment, Reference, Slot } from 'fhir/r4.js';
import type { Found } from '../command.js';
import { isDirectlyBookable, type Service } from '../directory/service.js';
import { hasBegun, hasLapsed, type Holds } from './hold.js';
import type { Rule } from '../rules/rule.js';
import { unless } from '../rules/rule.js';

/** A booking as it was asked for, and what it names. */
export type GivenBooking = {
  readonly appointment: Appointment;
  readonly slotFound: Found | undefined;
  /** actors of the slot's schedule */
  readonly actors: readonly Reference[];
  /** the service of the slot's schedule */
  readonly service: Service | undefined;
  readonly shortlist: readonly Service[];
  /** the subject of the referral, `Patient/…` */
  readonly subject: string | undefined;
  readonly holds: Holds;
  /** who asks, as a hold names him */
  readonly holder: string;
  readonly now: string;
};

const slotOf = ({ slotFound }: GivenBooking): Slot | undefined => slotFound?.resource as unknown as Slot | undefined;
/** True for one moment, and for one that is not said. */
export const sameTime = (a: string | undefined, b: string | undefined): boolean =>
  a === undefined || (b !== undefined && Date.parse(a) === Date.parse(b));
const idsOf = (references: readonly (Reference | undefined)[], type: string): readonly string[] =>
  references.flatMap((reference) => (reference?.reference?.startsWith(`${type}/`) === true ? [reference.reference] : []));
const named = ({ appointment }: Pick<GivenBooking, 'appointment'>, type: string): readonly string[] =>
  idsOf(
    appointment.participant.map(({ actor }) => actor),
    type,
  );

type Asked = Pick<GivenBooking, 'appointment' | 'subject'>;

const oneSlot: Rule<Asked> = {
  code: 'TOO_MANY_ITEMS',
  expression: 'Appointment.slot',
  evaluate: ({ appointment }) => unless((appointment.slot ?? []).length <= 1, 'A booking takes one slot.'),
};

const slotExists: Rule<GivenBooking> = {
  code: 'REFERENCE_NOT_FOUND',
  expression: 'Appointment.slot',
  issue: 'not-found',
  evaluate: ({ slotFound }) => unless(slotFound?.type === 'Slot', 'The appointment must name one slot that exists.'),
};

const slotOfShortlist: Rule<GivenBooking> = {
  code: 'INAPPROPRIATE_SLOT',
  expression: 'Appointment.slot[0]',
  evaluate: ({ slotFound, service, shortlist }) =>
    unless(!slotFound || shortlist.some(({ id }) => id === service?.id), "The slot is not of a service on the referral's shortlist."),
};

const directlyBookable: Rule<GivenBooking> = {
  code: 'INAPPROPRIATE_VALUE',
  expression: 'Appointment.slot[0]',
  evaluate: ({ service }) =>
    unless(
      !service || isDirectlyBookable(service),
      `${service?.name ?? ''} is not directly bookable: its appointments are made with the provider.`,
    ),
};

const startIsTheSlots: Rule<GivenBooking> = {
  code: 'INAPPROPRIATE_SLOT',
  expression: 'Appointment.start',
  evaluate: (x) => unless(!slotOf(x) || sameTime(x.appointment.start, slotOf(x)?.start), "The start is not the slot's."),
};

const endIsTheSlots: Rule<GivenBooking> = {
  code: 'INAPPROPRIATE_SLOT',
  expression: 'Appointment.end',
  evaluate: (x) => unless(!slotOf(x) || sameTime(x.appointment.end, slotOf(x)?.end), "The end is not the slot's."),
};

/** R4 appointment.html: minutesDuration may be less than the time between start and end, as where any time within it would do. */
const fitsTheSlot: Rule<GivenBooking> = {
  code: 'INVALID_VALUE',
  expression: 'Appointment.minutesDuration',
  evaluate: (x) => {
    const slot = slotOf(x);
    const minutes = slot ? (Date.parse(slot.end) - Date.parse(slot.start)) / 60_000 : Number.POSITIVE_INFINITY;
    return unless(!((x.appointment.minutesDuration ?? 0) > minutes), `The slot has ${String(minutes)} minutes.`);
  },
};

const serviceIsTheSlots: Rule<GivenBooking> = {
  code: 'INAPPROPRIATE_SLOT',
  expression: 'Appointment.participant',
  evaluate: (x) =>
    unless(
      !x.service || named(x, 'HealthcareService').every((reference) => reference === `HealthcareService/${x.service?.id ?? ''}`),
      'The service that takes part is not the one of the slot.',
    ),
};

const clinicianIsTheSlots: Rule<GivenBooking> = {
  code: 'INAPPROPRIATE_SLOT',
  expression: 'Appointment.participant',
  evaluate: (x) =>
    unless(
      !x.slotFound || named(x, 'Practitioner').every((reference) => idsOf(x.actors, 'Practitioner').includes(reference)),
      'The clinician that takes part is not the one of the slot.',
    ),
};

const patientIsTheReferrals: Rule<Asked> = {
  code: 'INAPPROPRIATE_VALUE',
  expression: 'Appointment.participant',
  evaluate: (x) =>
    unless(
      x.subject === undefined || named(x, 'Patient').every((reference) => reference === x.subject),
      'The patient that takes part is not the one of the referral.',
    ),
};

// what has begun could neither be accepted nor cancelled (A013, A034)
const notBegun: Rule<GivenBooking> = {
  code: 'INAPPROPRIATE_SLOT',
  expression: 'Appointment.slot[0]',
  evaluate: (x) => {
    const slot = slotOf(x);
    return unless(!slot || !hasBegun(slot, x.now), 'The slot has begun, or is over.');
  },
};

const available: Rule<GivenBooking> = {
  code: 'SLOT_NOT_AVAILABLE',
  expression: 'Appointment.slot[0]',
  category: 'conflict',
  issue: 'conflict',
  evaluate: (x) => {
    const slot = slotOf(x);
    const { live, ranOut } = x.holds;
    const held = slot?.status === 'busy-tentative' && live?.holder === x.holder;
    return unless(
      !slot || slot.status === 'free' || held || hasLapsed(slot, x.holds),
      ranOut?.holder === x.holder
        ? 'The hold of the caller ran out, and somebody else has the slot now: choose another one.'
        : 'The slot is not free any more.',
    );
  },
};

const oneService: Rule<Asked> = {
  code: 'TOO_MANY_ITEMS',
  expression: 'Appointment.participant',
  evaluate: (x) => unless(new Set(named(x, 'HealthcareService')).size <= 1, 'One service is to act.'),
};

const oneReason: Rule<Asked> = {
  code: 'TOO_MANY_ITEMS',
  expression: 'Appointment.reasonCode',
  evaluate: ({ appointment }) => unless((appointment.reasonCode ?? []).length <= 1, 'One reason is given.'),
};

/** What a proposed appointment may name, which is a deferral or triage and no booking. */
export const proposalRules: readonly Rule<Asked>[] = [oneReason, oneSlot, oneService, patientIsTheReferrals];

/** A016: each check of a booking with its own error; the slot's availability comes last, so that it alone is a conflict. */
export const bookingRules: readonly Rule<GivenBooking>[] = [
  oneSlot,
  slotExists,
  slotOfShortlist,
  directlyBookable,
  startIsTheSlots,
  endIsTheSlots,
  fitsTheSlot,
  serviceIsTheSlots,
  clinicianIsTheSlots,
  patientIsTheReferrals,
  notBegun,
  available,
];
