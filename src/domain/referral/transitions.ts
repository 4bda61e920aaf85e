import type { OperationCode } from '../../access/operation-rules.js';
import type { GuardName } from './guards.js';
import type { ReferralState } from './states.js';

export type { ReferralState } from './states.js';

/** On which side of a referral somebody acts. */
export type Actor = 'referrer' | 'provider' | 'patient';

/** What an edge does with the referral's current appointment. */
export type AppointmentEffect = 'none' | 'book' | 'move' | 'cancel' | 'cancel-if-reason-allows' | 'no-show' | 'attend';

/** What an edge does with the provider's task: one is open while the referral waits for the provider. */
export type TaskEffect = 'none' | 'open-deferral' | 'open-triage' | 'complete' | 'complete-and-open-deferral' | 'cancel';

/** The code that A029 names an action by (eRS-AvailableActionsForUser). */
export type AvailableAction =
  | 'RECORD_REVIEW_OUTCOME'
  | 'CREATE_APPOINTMENT'
  | 'CHANGE_SHORTLIST'
  | 'CHANGE_SHORTLIST_AND_SEND_FOR_TRIAGE'
  | 'CANCEL_REFERRAL'
  | 'CANCEL_DIRECTLY_BOOKED_APPOINTMENT';

export type Transition = {
  /** the endpoint of the e-RS API; none where e-RS has the provider's system do it */
  readonly ers: readonly string[];
  /** the row of the access table that says which business functions may; the edge's actors narrow it */
  readonly operation: OperationCode;
  readonly actors: readonly Actor[];
  /** none: the referral begins here */
  readonly from: readonly ReferralState[];
  /** `same`: the state stays */
  readonly to: ReferralState | 'same';
  readonly guards: readonly GuardName[];
  readonly appointment: AppointmentEffect;
  readonly task: TaskEffect;
  /** shown by A029: CREATE_APPOINTMENT is A016, which books, defers and sends for triage */
  readonly action?: AvailableAction;
};

/** The states in which a referral has no booking and waits for nobody but the referrer or the patient. */
const returned = [
  'NOT_BOOKED',
  'TRIAGE_RESPONSE',
  'REJECTED',
  'APPT_CANCELLED_BY_PATIENT',
  'APPT_CANCELLED_BY_PROVIDER',
  'DID_NOT_ATTEND',
  'ASSESSMENT_RESULT',
] as const;
const waiting = ['DEFERRED_TO_PROVIDER', 'AWAITING_TRIAGE', 'TRIAGED_PROVIDER_TO_ACTION'] as const;
const unbooked = [...returned, ...waiting] as const;
const alive = [...unbooked, 'BOOKED'] as const;
/** After the appointment, or when the patient did not come to it, the letter stays as the provider had it (A012). */
const lettered = [
  'NOT_BOOKED',
  'TRIAGE_RESPONSE',
  'REJECTED',
  'APPT_CANCELLED_BY_PATIENT',
  'APPT_CANCELLED_BY_PROVIDER',
  ...waiting,
  'BOOKED',
] as const;

/**
 * The life of a referral as data (e-RS facts, states and transitions): what may happen in which state, who may do it, what must hold, and
 * what follows. The operations are guarded by it, A029 answers from it, and docs/referral-states.md is drawn from it.
 */
export const transitions = {
  create: {
    ers: ['A011'],
    operation: 'ers.createReferral',
    actors: ['referrer'],
    from: [],
    to: 'NOT_BOOKED',
    guards: [],
    appointment: 'none',
    task: 'none',
  },
  'create-for-triage': {
    ers: ['A021'],
    operation: 'ers.createReferralAndSendForTriage',
    actors: ['referrer'],
    from: [],
    to: 'AWAITING_TRIAGE',
    guards: [],
    appointment: 'none',
    task: 'open-triage',
  },
  'convert-advice': {
    ers: ['A027'],
    operation: 'ers.createFromCommunicationRequestActionLater',
    actors: ['provider'],
    from: [],
    to: 'TRIAGED_PROVIDER_TO_ACTION',
    guards: [],
    appointment: 'none',
    task: 'open-deferral',
  },
  book: {
    ers: ['A016'],
    operation: 'Appointment.c',
    actors: ['referrer', 'patient'],
    from: [...returned, 'DEFERRED_TO_PROVIDER', 'TRIAGED_PROVIDER_TO_ACTION'],
    to: 'BOOKED',
    guards: ['own-referral', 'patient-alive', 'no-current-appointment', 'bookable-service'],
    appointment: 'book',
    task: 'complete',
    action: 'CREATE_APPOINTMENT',
  },
  defer: {
    ers: ['A016'],
    operation: 'Appointment.c',
    actors: ['referrer', 'patient'],
    from: returned,
    to: 'DEFERRED_TO_PROVIDER',
    guards: ['own-referral', 'patient-alive', 'no-current-appointment', 'appointment-service'],
    appointment: 'none',
    task: 'open-deferral',
    action: 'CREATE_APPOINTMENT',
  },
  triage: {
    ers: ['A016'],
    operation: 'Appointment.c',
    actors: ['referrer'],
    from: returned,
    to: 'AWAITING_TRIAGE',
    guards: ['own-referral', 'patient-alive', 'no-current-appointment', 'triage-service'],
    appointment: 'none',
    task: 'open-triage',
    action: 'CREATE_APPOINTMENT',
  },
  'change-shortlist': {
    ers: ['A031'],
    operation: 'ers.changeShortlist',
    actors: ['referrer'],
    from: unbooked,
    to: 'NOT_BOOKED',
    guards: ['own-referral', 'patient-alive'],
    appointment: 'none',
    task: 'cancel',
    action: 'CHANGE_SHORTLIST',
  },
  'change-shortlist-for-triage': {
    ers: ['A032'],
    operation: 'ers.changeShortlistAndSendForTriage',
    actors: ['referrer'],
    from: unbooked,
    to: 'AWAITING_TRIAGE',
    guards: ['own-referral', 'patient-alive'],
    appointment: 'none',
    task: 'open-triage',
    action: 'CHANGE_SHORTLIST_AND_SEND_FOR_TRIAGE',
  },
  'change-letter': {
    ers: ['A012'],
    operation: 'ers.maintainReferralLetter',
    actors: ['referrer'],
    from: lettered,
    to: 'same',
    guards: ['own-referral', 'appointment-ahead'],
    appointment: 'none',
    task: 'none',
  },
  accept: {
    ers: ['A013'],
    operation: 'ers.acceptReferral',
    actors: ['provider'],
    from: ['BOOKED'],
    to: 'BOOKED',
    guards: ['own-service', 'appointment-ahead', 'clinical-information', 'not-accepted'],
    appointment: 'none',
    task: 'none',
  },
  reject: {
    ers: ['A014'],
    operation: 'ers.rejectReferral',
    actors: ['provider'],
    from: ['BOOKED'],
    to: 'REJECTED',
    guards: ['own-service', 'appointment-ahead', 'clinical-information'],
    appointment: 'cancel',
    task: 'none',
  },
  'cancel-action-later': {
    ers: ['A022'],
    operation: 'ers.cancelAppointmentActionLater',
    actors: ['provider'],
    from: ['BOOKED'],
    to: 'TRIAGED_PROVIDER_TO_ACTION',
    guards: ['own-service', 'appointment-ahead'],
    appointment: 'cancel',
    task: 'open-deferral',
  },
  'review-accept': {
    ers: ['A028'],
    operation: 'ers.recordReviewOutcome',
    actors: ['provider'],
    from: ['AWAITING_TRIAGE', 'DEFERRED_TO_PROVIDER'],
    to: 'TRIAGED_PROVIDER_TO_ACTION',
    guards: ['own-task'],
    appointment: 'none',
    task: 'complete-and-open-deferral',
    action: 'RECORD_REVIEW_OUTCOME',
  },
  'review-return': {
    ers: ['A028'],
    operation: 'ers.recordReviewOutcome',
    actors: ['provider'],
    from: ['AWAITING_TRIAGE', 'DEFERRED_TO_PROVIDER'],
    to: 'TRIAGE_RESPONSE',
    guards: ['own-task'],
    appointment: 'none',
    task: 'complete',
    action: 'RECORD_REVIEW_OUTCOME',
  },
  reschedule: {
    ers: ['A034'],
    operation: 'Appointment.u',
    actors: ['referrer', 'provider', 'patient'],
    from: ['BOOKED'],
    to: 'BOOKED',
    guards: ['own-referral', 'patient-alive', 'own-service', 'appointment-ahead', 'moved-here'],
    appointment: 'move',
    task: 'none',
  },
  'cancel-for-patient': {
    ers: ['A034'],
    operation: 'Appointment.u',
    actors: ['referrer', 'patient'],
    from: ['BOOKED'],
    to: 'APPT_CANCELLED_BY_PATIENT',
    guards: ['own-referral', 'appointment-ahead', 'directly-bookable'],
    appointment: 'cancel',
    task: 'none',
    action: 'CANCEL_DIRECTLY_BOOKED_APPOINTMENT',
  },
  'cancel-by-provider': {
    ers: [],
    operation: 'Appointment.u',
    actors: ['provider'],
    from: ['BOOKED'],
    to: 'APPT_CANCELLED_BY_PROVIDER',
    guards: ['own-service', 'appointment-ahead', 'directly-bookable'],
    appointment: 'cancel',
    task: 'none',
    action: 'CANCEL_DIRECTLY_BOOKED_APPOINTMENT',
  },
  'not-attended': {
    ers: [],
    operation: 'Appointment.u',
    actors: ['provider'],
    from: ['BOOKED'],
    to: 'DID_NOT_ATTEND',
    guards: ['own-service', 'appointment-begun'],
    appointment: 'no-show',
    task: 'none',
  },
  attended: {
    ers: [],
    operation: 'Appointment.u',
    actors: ['provider'],
    from: ['BOOKED'],
    to: 'ASSESSMENT_RESULT',
    guards: ['own-service', 'appointment-begun'],
    appointment: 'attend',
    task: 'none',
  },
  cancel: {
    ers: ['A036'],
    operation: 'ers.cancelReferral',
    actors: ['referrer', 'provider'],
    from: alive,
    to: 'CANCELLED_REFERRAL',
    guards: ['own-referral'],
    appointment: 'cancel-if-reason-allows',
    task: 'cancel',
    action: 'CANCEL_REFERRAL',
  },
} as const satisfies Readonly<Record<string, Transition>>;

export type ReferralEvent = keyof typeof transitions;

export const referralEvents = Object.keys(transitions) as readonly ReferralEvent[];

export const transitionOf = (event: ReferralEvent): Transition => transitions[event];
