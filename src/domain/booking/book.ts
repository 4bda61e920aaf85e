import type { Appointment, ServiceRequest, Slot } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import type { Resource } from '../../fhir/resource.js';
import type { Decision, Facts, Found } from '../command.js';
import { inState, stateOf } from '../referral/referral.js';
import { stateAfter, type ReferralEvent } from '../referral/transitions.js';
import { refusal } from '../refusal.js';

export type BookingFacts = {
  readonly referral: Found | undefined;
  /** the version that a versioned basedOn names */
  readonly referralVersion: string | undefined;
  readonly slot: Found | undefined;
  readonly schedule: Found | undefined;
};

/** Reads the referral, the slot and its schedule that an appointment names. */
export const gatherBooking = async (facts: Facts, appointment: Appointment, baseUrl: string): Promise<BookingFacts> => {
  const based = readReference(appointment.basedOn?.[0]?.reference ?? '', baseUrl);
  const slotKey = readReference(appointment.slot?.[0]?.reference ?? '', baseUrl);
  const slot = slotKey && (await facts.find(slotKey, 'all'));
  const scheduleKey = slot && readReference((slot.resource as unknown as Slot).schedule.reference ?? '', baseUrl);
  return {
    referral: based && (await facts.find(based)),
    referralVersion: based?.version,
    slot,
    schedule: scheduleKey && (await facts.find(scheduleKey, 'all')),
  };
};

const same = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && Date.parse(a) === Date.parse(b);

/** The checks of A016 on a slot for a referral, each with its own error. Returns them narrowed. */
export const checkBookable = (
  appointment: Appointment,
  facts: BookingFacts,
  event: ReferralEvent,
): {
  readonly referral: Found;
  readonly request: ServiceRequest;
  readonly slotFound: Found;
  readonly slot: Slot;
  readonly service: string;
} => {
  const { referral, slot: slotFound, schedule } = facts;
  if (referral?.type !== 'ServiceRequest')
    throw refusal(
      'business-rule',
      'not-found',
      'REFERENCE_NOT_FOUND',
      'The appointment must be based on a referral that exists.',
      'Appointment.basedOn',
    );
  if (facts.referralVersion !== undefined && facts.referralVersion !== String(referral.version))
    throw refusal(
      'conflict',
      'conflict',
      'INVALID_STATE',
      `The referral has moved on: its version is ${String(referral.version)}.`,
      'Appointment.basedOn[0].reference',
    );
  if (slotFound?.type !== 'Slot')
    throw refusal(
      'business-rule',
      'not-found',
      'REFERENCE_NOT_FOUND',
      'The appointment must name one slot that exists.',
      'Appointment.slot',
    );
  const slot = slotFound.resource as unknown as Slot;
  const request = referral.resource as unknown as ServiceRequest;
  stateAfter(stateOf(request) ?? 'NOT_BOOKED', event);
  if (slot.status !== 'free')
    throw refusal('conflict', 'conflict', 'SLOT_NOT_AVAILABLE', 'The slot is not free any more.', 'Appointment.slot[0]');
  if (appointment.start !== undefined && !same(appointment.start, slot.start))
    throw refusal('business-rule', 'business-rule', 'INAPPROPRIATE_SLOT', "The start is not the slot's.", 'Appointment.start');
  if (appointment.end !== undefined && !same(appointment.end, slot.end))
    throw refusal('business-rule', 'business-rule', 'INAPPROPRIATE_SLOT', "The end is not the slot's.", 'Appointment.end');
  const actors = (schedule?.resource['actor'] ?? []) as readonly { reference?: string }[];
  const service = actors.find(({ reference }) => reference?.startsWith('HealthcareService/'))?.reference;
  if (service === undefined || !(request.performer ?? []).some(({ reference }) => reference === service))
    throw refusal(
      'business-rule',
      'business-rule',
      'INAPPROPRIATE_SLOT',
      "The slot is not of a service on the referral's shortlist.",
      'Appointment.slot[0]',
    );
  return { referral, request, slotFound, slot, service };
};

/** A016: books the slot for the referral; slot, appointment and referral change together. */
export const decideBooking = (
  appointment: Appointment,
  facts: BookingFacts,
  made: { readonly id: string; readonly now: string },
): Decision => {
  if (appointment.status !== 'booked')
    throw refusal('business-rule', 'business-rule', 'INAPPROPRIATE_VALUE', 'A booking has the status booked.', 'Appointment.status');
  if ((appointment.slot?.length ?? 0) > 1)
    throw refusal('business-rule', 'business-rule', 'TOO_MANY_ITEMS', 'A booking takes one slot.', 'Appointment.slot');
  const { referral, request, slotFound, slot, service } = checkBookable(appointment, facts, 'book');
  const subject = request.subject.reference ?? '';
  const needed = [subject, service].filter(
    (actor) => !appointment.participant.some((participant) => participant.actor?.reference === actor),
  );
  const booked: Appointment = {
    ...appointment,
    id: made.id,
    start: slot.start,
    end: slot.end,
    created: appointment.created ?? made.now,
    basedOn: [{ reference: `ServiceRequest/${referral.id}` }],
    slot: [{ reference: `Slot/${slotFound.id}` }],
    participant: [...appointment.participant, ...needed.map((reference) => ({ actor: { reference }, status: 'accepted' as const }))],
  };
  const key = { type: 'Appointment', id: made.id };
  return {
    drafts: [
      { ...key, version: 0, resource: booked as unknown as Resource },
      { type: 'Slot', id: slotFound.id, version: slotFound.version, resource: { ...slot, status: 'busy' } as unknown as Resource },
      {
        type: 'ServiceRequest',
        id: referral.id,
        version: referral.version,
        resource: inState(request, stateAfter(stateOf(request) ?? 'NOT_BOOKED', 'book')) as unknown as Resource,
      },
    ],
    result: key,
  };
};
