import type { ReferralState } from '../referral/states.js';
import { transitions } from '../referral/transitions.js';

/** What a worklist selects: the states that its items are in, and whose side it is for. */
export type Worklist = {
  readonly states: readonly (ReferralState | 'PROVIDER_RESPONSE_REQUIRED')[];
  readonly side: 'referrer' | 'provider';
};

/** The worklists of A008 and A023 (e-RS facts, worklists); who may fetch each, its concept says (eRS-ReferralListSelector). */
export const worklists = {
  REFERRALS_FOR_REVIEW: { states: ['BOOKED', 'AWAITING_TRIAGE'], side: 'provider' },
  APPOINTMENT_SLOT_ISSUES: { states: ['DEFERRED_TO_PROVIDER', 'TRIAGED_PROVIDER_TO_ACTION'], side: 'provider' },
  LETTERS_OUTSTANDING: {
    // a letter is owed for as long as it may be added (A012)
    states: transitions['change-letter'].from,
    side: 'referrer',
  },
  REJECTED_TRIAGE_RESPONSE: { states: ['REJECTED', 'TRIAGE_RESPONSE'], side: 'referrer' },
  ASSESSMENT_RETURNED_CANCELLED_DNA: {
    states: ['ASSESSMENT_RESULT', 'APPT_CANCELLED_BY_PATIENT', 'APPT_CANCELLED_BY_PROVIDER', 'DID_NOT_ATTEND'],
    side: 'referrer',
  },
  AWAITING_BOOKING: { states: ['NOT_BOOKED'], side: 'referrer' },
  ADVICE_AND_GUIDANCE_REQUESTS: { states: ['PROVIDER_RESPONSE_REQUIRED'], side: 'provider' },
} as const satisfies Readonly<Record<string, Worklist>>;

export type WorklistName = keyof typeof worklists;
