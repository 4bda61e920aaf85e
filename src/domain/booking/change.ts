import type { Appointment, Slot } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { changed, type Decision, type Found } from '../command.js';
import { systems, type ReferenceSystem } from '../codes.js';
import { referenceToService, type Service } from '../directory/service.js';
import { codeWithin } from '../reference-data/code-within.js';
import { gatherConcept } from '../reference-data/concept.js';
import { reasonRules, type GivenReason } from '../reference-data/reason-rules.js';
import { changeReferral, freed } from '../referral/change-referral.js';
import type { Referral } from '../referral/gather-referral.js';
import { stateAfter } from '../referral/moves.js';
import type { ReferralEvent } from '../referral/transitions.js';
import { refusal } from '../refusal.js';
import { refuseBreaches } from '../rules/rule.js';
import { sideOf } from '../sides.js';
import type { Situation } from '../situation.js';
import { cancelAtProvider, moveAtProvider } from './at-provider.js';
import { busy, gatherBasis } from './book.js';
import { releaseOf } from './hold.js';
import { checkPlace, gatherPlace, referenceToSlot, type Place } from './place.js';

/** What a change of an appointment is, told by the status that is wanted. */
const eventOf = (wanted: Appointment, side: ReturnType<typeof sideOf>): ReferralEvent | undefined => {
  switch (wanted.status) {
    case 'cancelled':
      return side === 'provider' ? 'cancel-by-provider' : 'cancel-for-patient';
    case 'noshow':
      return 'not-attended';
    case 'fulfilled':
      return 'attended';
    case 'booked':
      return 'reschedule';
    default:
      return undefined;
  }
};

type Reasons = { readonly id: ReferenceSystem; readonly system: string };
const cancellations: Reasons = { id: 'APPOINTMENT-CANCELLATION-REASON', system: systems.appointmentCancellation };

/** The reference data that the reason of an ending is from; one who came has no need of one. */
const reasonsOf: Readonly<Partial<Record<ReferralEvent, Reasons>>> = {
  'cancel-for-patient': cancellations,
  'cancel-by-provider': cancellations,
  'not-attended': { id: 'APPOINTMENT-NON-ATTENDANCE-REASON', system: systems.nonAttendance },
};

/** Who may use which reason: a referrer those of A034; a patient too, but he may say it in words; a provider's system any that is in effect. */
const checkReason = async (situation: Situation, wanted: Appointment, { id, system }: Reasons): Promise<void> => {
  const { facts, caller, now } = situation;
  const side = sideOf(caller);
  const code = codeWithin(wanted.cancelationReason?.coding ?? [], system);
  if (code === undefined && (side === 'patient' || id === 'APPOINTMENT-NON-ATTENDANCE-REASON')) return;
  const referring = side === 'referrer' || side === 'patient';
  const given: GivenReason = {
    code,
    concept: await gatherConcept(facts, id, code),
    comment: wanted.comment,
    businessFunction: side === 'referrer' ? caller.businessFunction : undefined,
    usage: referring ? { property: 'usage', value: 'CANCEL' } : undefined,
    expression: 'Appointment.cancelationReason',
    commentExpression: 'Appointment.comment',
    now,
  };
  refuseBreaches(reasonRules, given);
};

const slotIdOf = (appointment: Appointment): string | undefined => readReference(appointment.slot?.[0]?.reference ?? '', '')?.id;

const refuseOtherReferral = (wanted: Appointment, referral: Referral, baseUrl: string): void => {
  const based = readReference(wanted.basedOn?.[0]?.reference ?? '', baseUrl);
  if (based && based.id !== referral.found.id)
    throw refusal(
      'business-rule',
      'business-rule',
      'FIELD_NOT_PERMITTED',
      'The referral of an appointment does not change.',
      'Appointment.basedOn',
    );
};

const ended = async (situation: Situation, wanted: Appointment, referral: Referral, event: ReferralEvent): Promise<Decision> => {
  const { now, newId } = situation;
  // as with a referral: what its state forbids is said before what is wrong with the reason
  stateAfter(event, referral);
  const reasons = reasonsOf[event];
  if (reasons !== undefined) await checkReason(situation, wanted, reasons);
  const coding = wanted.cancelationReason?.coding?.[0];
  const steps = changeReferral(
    referral,
    {
      event,
      why: { ...(coding === undefined ? {} : { reason: coding }), ...(wanted.comment === undefined ? {} : { comments: wanted.comment }) },
      ending: {
        ...(wanted.cancelationReason === undefined ? {} : { reason: wanted.cancelationReason }),
        ...(wanted.comment === undefined ? {} : { comment: wanted.comment }),
      },
    },
    { now, newId },
  );
  const undo = event.startsWith('cancel') ? await cancelAtProvider(situation, referral) : undefined;
  return {
    drafts: steps,
    ...(undo === undefined ? {} : { undo }),
    result: { type: 'Appointment', id: referral.appointmentFound?.id ?? '' },
  };
};

const participantsAfterMove = (appointment: Appointment, service: Service | undefined): Appointment['participant'] => {
  if (!service || appointment.participant.some(({ actor }) => actor?.reference === `HealthcareService/${service.id}`))
    return appointment.participant;
  const others = appointment.participant.filter(({ actor }) => !/^(HealthcareService|Practitioner)\//.test(actor?.reference ?? ''));
  return [...others, { actor: referenceToService(service), status: 'accepted' }];
};

/** Those of what was sent that the slot decides: a client that names another slot need not know its times or its clinician. */
const asked = (wanted: Appointment): Appointment => {
  const { start: _start, end: _end, ...rest } = wanted;
  return { ...rest, participant: wanted.participant.filter(({ actor }) => actor?.reference?.startsWith('Patient/') === true) };
};

const moved = async (situation: Situation, current: Found, wanted: Appointment, referral: Referral): Promise<Decision> => {
  const { now, newId } = situation;
  const appointment = current.resource as unknown as Appointment;
  if (slotIdOf(wanted) === slotIdOf(appointment))
    throw refusal(
      'business-rule',
      'business-rule',
      'NO_CHANGES_DETECTED',
      'The update neither cancels the appointment nor names another slot.',
      'Appointment.slot',
    );
  const steps = changeReferral(referral, { event: 'reschedule' }, { now, newId });
  const place: Place = await gatherPlace(situation, wanted);
  checkPlace(situation, asked(wanted), referral, place);
  const { slotFound, service } = place;
  if (!slotFound) throw new Error('the rules demand a slot');
  const undo = await moveAtProvider(situation, referral, { service: service?.id ?? '', slot: slotFound.id, referral: referral.found.id });
  const slot = slotFound.resource as unknown as Slot;
  const next: Appointment = {
    ...appointment,
    start: slot.start,
    end: slot.end,
    slot: [referenceToSlot(slotFound)],
    participant: participantsAfterMove(appointment, service),
  };
  return {
    drafts: [changed(current, next), busy(slotFound), ...(referral.slotFound === undefined ? [] : [freed(referral.slotFound)]), ...steps],
    releases: releaseOf(slotFound.id, place.holds.live),
    undo,
    result: { type: 'Appointment', id: current.id },
  };
};

/** PUT and PATCH of an appointment: cancelled, not attended, attended, or moved to another slot, and nothing else (A034). */
export const changeAppointment = async (situation: Situation, current: Found, wanted: Appointment): Promise<Decision> => {
  const appointment = current.resource as unknown as Appointment;
  if (appointment.status !== 'booked')
    throw refusal(
      'business-rule',
      'business-rule',
      'INVALID_STATE',
      `An appointment that is ${appointment.status} does not change any more.`,
      'Appointment.status',
    );
  const event = eventOf(wanted, sideOf(situation.caller));
  if (event === undefined)
    throw refusal(
      'business-rule',
      'business-rule',
      'INAPPROPRIATE_VALUE',
      'An update cancels the appointment, says whether the patient came, or moves it to another slot.',
      'Appointment.status',
    );
  const referral = await gatherBasis(situation, { ...appointment, basedOn: appointment.basedOn?.slice(0, 1) ?? [] });
  refuseOtherReferral(wanted, referral, situation.baseUrl);
  return event === 'reschedule' ? moved(situation, current, wanted, referral) : ended(situation, wanted, referral, event);
};
