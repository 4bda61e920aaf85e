import type { Appointment, ServiceRequest } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import type { Resource } from '../../fhir/resource.js';
import type { Decision, Draft, Facts, Found } from '../command.js';
import { inState, stateOf } from '../referral/referral.js';
import { stateAfter, type ReferralEvent } from '../referral/transitions.js';
import { refusal } from '../refusal.js';
import { checkBookable, gatherBooking, type BookingFacts } from './book.js';

export type ChangeFacts = { readonly current: Found; readonly before: BookingFacts; readonly wanted: BookingFacts };

export const gatherChange = async (facts: Facts, current: Found, wanted: Appointment, baseUrl: string): Promise<ChangeFacts> => ({
  current,
  before: await gatherBooking(facts, current.resource as unknown as Appointment, baseUrl),
  wanted: await gatherBooking(facts, wanted, baseUrl),
});

type Actor = 'patient' | 'referrer' | 'provider';

/** A034 and rescheduling: an update of an appointment may cancel it or move it to another slot, and nothing else. */
export const decideChange = (wanted: Appointment, facts: ChangeFacts, actor: Actor): Decision => {
  const appointment = facts.current.resource as unknown as Appointment;
  if (appointment.status !== 'booked')
    throw refusal(
      'business-rule',
      'business-rule',
      'INVALID_STATE',
      `An appointment that is ${appointment.status} does not change any more.`,
      'Appointment.status',
    );
  if (wanted.status === 'cancelled') return cancelled(wanted, facts, actor === 'provider' ? 'cancel-by-provider' : 'cancel-by-patient');
  if (wanted.status !== 'booked')
    throw refusal(
      'business-rule',
      'business-rule',
      'INAPPROPRIATE_VALUE',
      'An update cancels the appointment or moves it to another slot.',
      'Appointment.status',
    );
  return moved(wanted, facts);
};

const freed = (slot: Found): Draft => ({
  type: 'Slot',
  id: slot.id,
  version: slot.version,
  resource: { ...slot.resource, status: 'free' },
});

const cancelled = (wanted: Appointment, { current, before }: ChangeFacts, event: ReferralEvent): Decision => {
  const key = { type: 'Appointment', id: current.id };
  const { referral, slot } = before;
  const request = referral?.resource as unknown as ServiceRequest | undefined;
  const reason = wanted.cancelationReason;
  return {
    drafts: [
      {
        ...key,
        version: current.version,
        resource: {
          ...current.resource,
          status: 'cancelled',
          ...(reason === undefined ? {} : { cancelationReason: reason }),
          ...(wanted.comment === undefined ? {} : { comment: wanted.comment }),
        },
      },
      ...(slot === undefined ? [] : [freed(slot)]),
      ...(referral === undefined || request === undefined
        ? []
        : [
            {
              type: 'ServiceRequest',
              id: referral.id,
              version: referral.version,
              resource: inState(request, stateAfter(stateOf(request) ?? 'BOOKED', event)) as unknown as Resource,
            },
          ]),
    ],
    result: key,
  };
};

const moved = (given: Appointment, { current, before, wanted }: ChangeFacts): Decision => {
  if (wanted.slot?.id === before.slot?.id)
    throw refusal(
      'business-rule',
      'business-rule',
      'NO_CHANGES_DETECTED',
      'The update neither cancels the appointment nor names another slot.',
      'Appointment.slot',
    );
  const based = readReference(given.basedOn?.[0]?.reference ?? '', '');
  if (based && before.referral && based.id !== before.referral.id)
    throw refusal(
      'business-rule',
      'business-rule',
      'FIELD_NOT_PERMITTED',
      'The referral of an appointment does not change.',
      'Appointment.basedOn',
    );
  const { referral, request, slotFound, slot } = checkBookable(
    { ...given, start: undefined, end: undefined } as unknown as Appointment,
    { ...wanted, referral: before.referral, referralVersion: undefined },
    'change-slot',
  );
  const key = { type: 'Appointment', id: current.id };
  return {
    drafts: [
      {
        ...key,
        version: current.version,
        resource: { ...current.resource, start: slot.start, end: slot.end, slot: [{ reference: `Slot/${slotFound.id}` }] },
      },
      { type: 'Slot', id: slotFound.id, version: slotFound.version, resource: { ...(slot as unknown as Resource), status: 'busy' } },
      ...(before.slot === undefined ? [] : [freed(before.slot)]),
      { type: 'ServiceRequest', id: referral.id, version: referral.version, resource: request as unknown as Resource },
    ],
    result: key,
  };
};
