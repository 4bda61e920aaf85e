import { refusal } from '../refusal.js';

export type ReferralState =
  | 'NOT_BOOKED'
  | 'BOOKED'
  | 'DEFERRED_TO_PROVIDER'
  | 'AWAITING_TRIAGE'
  | 'TRIAGE_RESPONSE'
  | 'TRIAGED_PROVIDER_TO_ACTION'
  | 'REJECTED'
  | 'APPT_CANCELLED_BY_PATIENT'
  | 'APPT_CANCELLED_BY_PROVIDER'
  | 'DID_NOT_ATTEND'
  | 'ASSESSMENT_RESULT'
  | 'CANCELLED_REFERRAL';
export type ReferralEvent = 'book' | 'change-slot' | 'cancel-by-patient' | 'cancel-by-provider' | 'accept' | 'reject';

type Edge = { readonly from: readonly ReferralState[]; readonly to: ReferralState };
const unbooked = [
  'NOT_BOOKED',
  'TRIAGE_RESPONSE',
  'TRIAGED_PROVIDER_TO_ACTION',
  'REJECTED',
  'APPT_CANCELLED_BY_PATIENT',
  'APPT_CANCELLED_BY_PROVIDER',
  'DID_NOT_ATTEND',
] as const;

/** The edges of the referral's life: what may happen in which state, and what follows. */
export const transitions = {
  book: { from: unbooked, to: 'BOOKED' },
  'change-slot': { from: ['BOOKED'], to: 'BOOKED' },
  'cancel-by-patient': { from: ['BOOKED'], to: 'APPT_CANCELLED_BY_PATIENT' },
  'cancel-by-provider': { from: ['BOOKED'], to: 'APPT_CANCELLED_BY_PROVIDER' },
  accept: { from: ['BOOKED'], to: 'BOOKED' },
  reject: { from: ['BOOKED'], to: 'REJECTED' },
} as const satisfies Readonly<Record<ReferralEvent, Edge>>;

/** The state after the event; throws business-rule INVALID_STATE when the table has no such edge. */
export const stateAfter = (state: ReferralState, event: ReferralEvent): ReferralState => {
  const edge: Edge = transitions[event];
  if (!edge.from.includes(state))
    throw refusal('business-rule', 'business-rule', 'INVALID_STATE', `A referral in the state ${state} does not allow: ${event}.`);
  return edge.to;
};
