import type { Appointment, CodeableConcept, Coding, ServiceRequest } from 'fhir/r4.js';
import { changed, changedOwn, type Draft, type Found } from '../command.js';
import type { Concept } from '../reference-data/concept.js';
import type { Referral } from './gather-referral.js';
import { stateAfter } from './moves.js';
import { inState, marked, unreviewed, type Why } from './referral.js';
import { endedTask, openedTask, type Waiting } from './tasks.js';
import { transitionOf, type ReferralEvent } from './transitions.js';

/** One step of a referral along an edge of the transition table. */
export type Step = {
  readonly event: ReferralEvent;
  readonly why?: Why;
  /** changes of the request beside its state */
  readonly request?: (request: ServiceRequest) => ServiceRequest;
  /** why the appointment ends, where the edge ends it */
  readonly ending?: { readonly reason?: CodeableConcept; readonly comment?: string };
  /** what the provider waits for, where the edge opens a task */
  readonly waiting?: Waiting;
  /** what came of the task, where the edge ends it */
  readonly outcome?: { readonly coding?: Coding; readonly comments?: string };
  /** the concept of the referral's priority, for the day of contact */
  readonly priority?: Concept | undefined;
  /** a booking or a move of it with the provider that has the referral already */
  readonly staysWithProvider?: boolean;
  /** only for the edge that leaves it to the reason */
  readonly cancelsAppointment?: boolean;
};

export type Made = { readonly now: string; readonly newId: () => string };

export const freed = (slot: Found): Draft => changedOwn(slot, { ...slot.resource, status: 'free' });

const endings = { cancel: 'cancelled', 'no-show': 'noshow', attend: 'fulfilled' } as const;

/** The appointment that the edge ends, and its slot: free again when it is cancelled, used up when its time has come. */
const endedAppointment = (referral: Referral, step: Step, how: keyof typeof endings): readonly Draft[] => {
  const { appointmentFound, appointment, slotFound } = referral;
  if (!appointmentFound || !appointment) return [];
  const ended: Appointment = {
    ...appointment,
    status: endings[how],
    ...(step.ending?.reason === undefined ? {} : { cancelationReason: step.ending.reason }),
    ...(step.ending?.comment === undefined ? {} : { comment: step.ending.comment }),
  };
  return [changed(appointmentFound, ended), ...(slotFound === undefined || how !== 'cancel' ? [] : [freed(slotFound)])];
};

const appointmentDrafts = (referral: Referral, step: Step): readonly Draft[] => {
  const effect = transitionOf(step.event).appointment;
  if (effect === 'cancel-if-reason-allows') return step.cancelsAppointment === true ? endedAppointment(referral, step, 'cancel') : [];
  return effect === 'cancel' || effect === 'no-show' || effect === 'attend' ? endedAppointment(referral, step, effect) : [];
};

const taskDrafts = (referral: Referral, step: Step, made: Made): readonly Draft[] => {
  const effect = transitionOf(step.event).task;
  const { taskFound, found, request } = referral;
  if (effect === 'none') return [];
  const status = effect === 'cancel' || effect === 'open-triage' || effect === 'open-deferral' ? 'cancelled' : 'completed';
  const ended = taskFound === undefined ? [] : [endedTask(taskFound, status, step.outcome ?? {}, made.now)];
  if (!effect.includes('open') || step.waiting === undefined) return ended;
  const on = { referral: found.id, subject: request.subject, priority: step.priority };
  return [...ended, openedTask(step.waiting, on, { id: made.newId(), now: made.now })];
};

/** A booking, a rejection or a review begins anew what was accepted; the letter and a move of the appointment at one provider do not. */
const keepsAcceptance = (event: ReferralEvent): boolean => event === 'change-letter' || event === 'reschedule';

/** What is booked or sent to a provider is for him to review, unless it is the one who has it already and looked at it. */
const beginsReview = ({ event, staysWithProvider }: Step): boolean =>
  ['book', 'reschedule', 'triage', 'change-shortlist-for-triage'].includes(event) && staysWithProvider !== true;

const nextRequest = (referral: Referral, step: Step): ServiceRequest => {
  const state = stateAfter(step.event, referral);
  const request = step.request?.(referral.request) ?? referral.request;
  const begun = beginsReview(step) ? unreviewed(request) : request;
  if (keepsAcceptance(step.event)) return marked(begun, step.why ?? {});
  return {
    ...inState(begun, state, step.why),
    ...(state === 'CANCELLED_REFERRAL' ? { status: 'revoked' as const } : {}),
  };
};

/** A step that only moves the referral's state, as a booking does. */
const isOwn = ({ why, request }: Step): boolean => why === undefined && request === undefined;

/**
 * All that one step changes: the referral, which is the root of the aggregate and so always gets a new version, its appointment and slot,
 * its task. Throws what the transition table and its guards refuse.
 */
export const changeReferral = (referral: Referral, step: Step, made: Made): readonly Draft[] => [
  (isOwn(step) ? changedOwn : changed)(referral.found, nextRequest(referral, step)),
  ...appointmentDrafts(referral, step),
  ...taskDrafts(referral, step, made),
];
