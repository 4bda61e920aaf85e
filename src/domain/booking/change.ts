import { isDeepStrictEqual } from 'node:util';
import type { Appointment, CodeableConcept, Reference, Slot } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { referenceTo } from '../../fhir/resource.js';
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
import { withPresentSystems } from '../older-names.js';
import { refusal } from '../refusal.js';
import { refuseBreaches } from '../rules/rule.js';
import { sideOf } from '../sides.js';
import type { Situation } from '../situation.js';
import { cancelAtProvider, moveAtProvider } from './at-provider.js';
import { busy, gatherBasis } from './book.js';
import { sameTime } from './booking-rules.js';
import { releaseOf } from './hold.js';
import { checkPlace, gatherPlace, referenceToSlot, withSlot, type Place } from './place.js';
import { refuseLongComments } from '../comments.js';

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

const named = (reference: Reference | undefined, baseUrl: string): string | undefined => {
  const key = readReference(reference?.reference ?? '', baseUrl);
  return key && referenceTo(key);
};
const slotOf = ({ slot }: Appointment, baseUrl: string): string | undefined => named(slot?.[0], baseUrl);

type Unchanged = (wanted: Appointment, before: Appointment, baseUrl: string) => boolean;

/** Whether an element says what it said before, where that is more than the same JSON. */
const unchanged: Readonly<Record<string, Unchanged>> = {
  start: (wanted, { start }) => sameTime(wanted.start, start),
  end: (wanted, { end }) => sameTime(wanted.end, end),
  slot: (wanted, before, baseUrl) => slotOf(wanted, baseUrl) === slotOf(before, baseUrl),
  // of those who take part a client may name as many as it knows
  participant: (wanted, before, baseUrl) => {
    const known = before.participant.map(({ actor }) => named(actor, baseUrl));
    return wanted.participant.every(({ actor }) => actor?.reference === undefined || known.includes(named(actor, baseUrl)));
  },
};
// who may change these is told elsewhere, or nobody reads them
const apart = ['resourceType', 'id', 'meta', 'text', 'basedOn'];
const ofEnding = ['status', 'cancelationReason', 'comment'];
const ofMove = ['slot', 'start', 'end', 'participant'];

/** Refuses what a change says beside what it is for, which would be lost without a word. What it leaves out stays as it is. */
const refuseOtherChanges = (appointment: Appointment, wanted: Appointment, event: ReferralEvent, baseUrl: string): void => {
  const permitted = [...apart, ...(event === 'reschedule' ? ofMove : ofEnding)];
  const said = Object.entries(wanted) as readonly (readonly [keyof Appointment, unknown])[];
  const other = said.find(
    ([name, value]) =>
      !permitted.includes(name) && !(unchanged[name]?.(wanted, appointment, baseUrl) ?? isDeepStrictEqual(value, appointment[name])),
  );
  if (other)
    throw refusal(
      'business-rule',
      'business-rule',
      'FIELD_NOT_PERMITTED',
      `${other[0]} does not change with this: a change ends the appointment or moves it, and nothing else.`,
      `Appointment.${other[0]}`,
    );
};

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

/** A code without its system is one of the list that was asked for: it is kept with its name. */
const withSystem = (reason: CodeableConcept | undefined, system: string): CodeableConcept | undefined =>
  reason?.coding === undefined ? reason : { ...reason, coding: reason.coding.map((coding) => ({ system, ...coding })) };

const ended = async (situation: Situation, wanted: Appointment, referral: Referral, event: ReferralEvent): Promise<Decision> => {
  const { now, newId } = situation;
  // as with a referral: what its state forbids is said before what is wrong with the reason
  stateAfter(event, referral);
  if (wanted.comment !== referral.appointment?.comment) refuseLongComments(wanted.comment, 'comment', 'Appointment.comment');
  const reasons = reasonsOf[event];
  if (reasons !== undefined) await checkReason(situation, wanted, reasons);
  const reason = reasons === undefined ? wanted.cancelationReason : withSystem(wanted.cancelationReason, reasons.system);
  const coding = reason?.coding?.[0];
  const steps = changeReferral(
    referral,
    {
      event,
      why: { ...(coding === undefined ? {} : { reason: coding }), ...(wanted.comment === undefined ? {} : { comments: wanted.comment }) },
      ending: {
        ...(reason === undefined ? {} : { reason }),
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

/** What was sent, less what the slot decides: a client that names another slot leaves the times as they were, and need not know its clinician. */
const asked = (appointment: Appointment, wanted: Appointment): Appointment => {
  const { start, end, ...rest } = wanted;
  return {
    ...rest,
    ...(start === undefined || sameTime(start, appointment.start) ? {} : { start }),
    ...(end === undefined || sameTime(end, appointment.end) ? {} : { end }),
    participant: wanted.participant.filter(({ actor }) => actor?.reference?.startsWith('Patient/') === true),
  };
};

const moved = async (situation: Situation, current: Found, wanted: Appointment, referral: Referral): Promise<Decision> => {
  const { now, newId } = situation;
  const appointment = current.resource as unknown as Appointment;
  if ((wanted.slot ?? []).length > 1)
    throw refusal('business-rule', 'business-rule', 'TOO_MANY_ITEMS', 'A booking takes one slot.', 'Appointment.slot');
  if (slotOf(wanted, situation.baseUrl) === slotOf(appointment, situation.baseUrl))
    throw refusal(
      'business-rule',
      'business-rule',
      'NO_CHANGES_DETECTED',
      'The update neither cancels the appointment nor names another slot.',
      'Appointment.slot',
    );
  // the referral first: what its state forbids is said before what is wrong with the slot
  stateAfter('reschedule', referral);
  const place: Place = await gatherPlace(situation, wanted);
  checkPlace(situation, asked(appointment, wanted), referral, place);
  const { slotFound, service } = place;
  if (sideOf(situation.caller) === 'provider' && service?.organisation !== situation.caller.organisation)
    throw refusal(
      'business-rule',
      'business-rule',
      'INAPPROPRIATE_SLOT',
      'The slot is of another provider: the practice or the patient moves the appointment there.',
      'Appointment.slot[0]',
    );
  const staysWithProvider = service?.organisation === referral.appointmentService?.organisation;
  const steps = changeReferral(referral, { event: 'reschedule', staysWithProvider }, { now, newId });
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

/** A change that names another slot by reference alone leaves beside it the number of the one before, which means nothing then. */
const withoutOldNumber = (wanted: Appointment, appointment: Appointment, baseUrl: string): Appointment => {
  const [slot, ...others] = wanted.slot ?? [];
  const isOld =
    slot?.identifier !== undefined &&
    slotOf(wanted, baseUrl) !== slotOf(appointment, baseUrl) &&
    isDeepStrictEqual(slot.identifier, appointment.slot?.[0]?.identifier);
  if (slot?.reference === undefined || !isOld) return wanted;
  const { identifier: _number, ...rest } = slot;
  return { ...wanted, slot: [rest, ...others] };
};

/** PUT and PATCH of an appointment: cancelled, not attended, attended, or moved to another slot, and nothing else (A034). */
export const changeAppointment = async (situation: Situation, current: Found, sent: Appointment): Promise<Decision> => {
  const appointment = current.resource as unknown as Appointment;
  const wanted = await withSlot(situation, withoutOldNumber(withPresentSystems(sent), appointment, situation.baseUrl));
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
  refuseOtherChanges(appointment, wanted, event, situation.baseUrl);
  return event === 'reschedule' ? moved(situation, current, wanted, referral) : ended(situation, wanted, referral, event);
};
