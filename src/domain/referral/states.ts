/** The states of a referral (eRS-ReferralState), in the order of its life. */
export const referralStates = [
  'NOT_BOOKED',
  'BOOKED',
  'DEFERRED_TO_PROVIDER',
  'AWAITING_TRIAGE',
  'TRIAGE_RESPONSE',
  'TRIAGED_PROVIDER_TO_ACTION',
  'REJECTED',
  'APPT_CANCELLED_BY_PATIENT',
  'APPT_CANCELLED_BY_PROVIDER',
  'DID_NOT_ATTEND',
  'ASSESSMENT_RESULT',
  'CANCELLED_REFERRAL',
] as const;
export type ReferralState = (typeof referralStates)[number];

/** The states of a request for advice (eRS-AdviceAndGuidanceStatus). */
export const adviceStates = [
  'PROVIDER_RESPONSE_REQUIRED',
  'REFERRER_TO_SUBMIT_FURTHER_INFORMATION',
  'REFERRER_TO_REVIEW_RESPONSE',
  'CONVERSATION_ENDED_CANCELLED',
  'CONVERSATION_ENDED_CLOSED',
  'ADVICE_CONVERTED',
] as const;
export type AdviceState = (typeof adviceStates)[number];
