import type { Service } from '../directory/service.js';
import type { Rule } from '../rules/rule.js';
import { unless } from '../rules/rule.js';

/** eRS-ReviewReason, and for each whether it may name the slot that was tried. */
export const deferralReasons = {
  NO_SLOTS_AT_SERVICE: { slotAllowed: false, flow: 'BOOKABLE' },
  SLOT_NOT_AVAILABLE: { slotAllowed: true, flow: 'BOOKABLE' },
  BOOKING_ATTEMPT_PROBLEM: { slotAllowed: true, flow: 'BOOKABLE' },
  TRIAGE: { slotAllowed: false, flow: 'REVIEW' },
} as const;
export type DeferralReason = keyof typeof deferralReasons;

export type GivenDeferral = {
  readonly reason: DeferralReason | undefined;
  readonly comment: string | undefined;
  /** the service that is to act, if it is on the shortlist */
  readonly service: Service | undefined;
  readonly slotNamed: boolean;
  readonly slotStatus: string | undefined;
  readonly hasFreeSlots: boolean;
};

const commentAtMost = 1000;
const known = (reason: DeferralReason | undefined): reason is DeferralReason =>
  reason !== undefined && Object.hasOwn(deferralReasons, reason);

const reasonGiven: Rule<GivenDeferral> = {
  code: 'MISSING_VALUE',
  expression: 'Appointment.reasonCode',
  issue: 'required',
  evaluate: ({ reason }) => unless(reason !== undefined, 'A proposed appointment says why: a code of eRS-ReviewReason.'),
};

const reasonKnown: Rule<GivenDeferral> = {
  code: 'INVALID_CODE',
  expression: 'Appointment.reasonCode[0].coding[0].code',
  issue: 'code-invalid',
  evaluate: ({ reason }) =>
    unless(reason === undefined || known(reason), `${reason ?? ''} is none of ${Object.keys(deferralReasons).join(', ')}.`),
};

const shortComment: Rule<GivenDeferral> = {
  code: 'INVALID_VALUE',
  expression: 'Appointment.comment',
  evaluate: ({ comment }) =>
    unless((comment ?? '').length <= commentAtMost, `The comment has at most ${String(commentAtMost)} characters.`),
};

const onShortlist: Rule<GivenDeferral> = {
  code: 'INAPPROPRIATE_VALUE',
  expression: 'Appointment.participant',
  evaluate: ({ service }) => unless(service !== undefined, 'The service that is to act must be one of the shortlist that does this.'),
};

const rightFlow: Rule<GivenDeferral> = {
  code: 'INAPPROPRIATE_VALUE',
  expression: 'Appointment.participant',
  evaluate: ({ reason, service }) =>
    unless(
      !known(reason) || !service || service.flows.includes(deferralReasons[reason].flow),
      reason === 'TRIAGE' ? 'The service does no triage.' : 'The service takes no bookings: send the referral for triage.',
    ),
};

const slotOnlyWhereTried: Rule<GivenDeferral> = {
  code: 'FIELD_NOT_PERMITTED',
  expression: 'Appointment.slot',
  evaluate: ({ reason, slotNamed }) =>
    unless(!slotNamed || !known(reason) || deferralReasons[reason].slotAllowed, `${reason ?? ''} goes without a slot.`),
};

const noSlotsIsTrue: Rule<GivenDeferral> = {
  code: 'SLOTS_CURRENTLY_AVAILABLE',
  expression: 'Appointment.reasonCode',
  evaluate: ({ reason, hasFreeSlots }) =>
    unless(reason !== 'NO_SLOTS_AT_SERVICE' || !hasFreeSlots, 'The service has free slots: book one.'),
};

const slotIsGone: Rule<GivenDeferral> = {
  code: 'THIS_SLOT_IS_AVAILABLE',
  expression: 'Appointment.slot[0]',
  evaluate: ({ reason, slotStatus }) => unless(reason !== 'SLOT_NOT_AVAILABLE' || slotStatus !== 'free', 'The slot is free: book it.'),
};

/** A016 as a deferral or as triage. */
export const deferralRules: readonly Rule<GivenDeferral>[] = [
  reasonGiven,
  reasonKnown,
  shortComment,
  onShortlist,
  rightFlow,
  slotOnlyWhereTried,
  noSlotsIsTrue,
  slotIsGone,
];
