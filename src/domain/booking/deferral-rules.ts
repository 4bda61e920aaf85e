import type { Slot } from 'fhir/r4.js';
import type { Service } from '../directory/service.js';
import type { Concept } from '../reference-data/concept.js';
import type { Rule } from '../rules/rule.js';
import { unless } from '../rules/rule.js';
import { lengthOf } from '../text.js';

/** A deferral or triage as it was asked for; what its reason allows is read from the concept (eRS-ReviewReason). */
export type GivenDeferral = {
  readonly reason: string | undefined;
  readonly concept: Concept | undefined;
  readonly comment: string | undefined;
  /** the service that is to act, if it is on the shortlist */
  readonly service: Service | undefined;
  readonly slotNamed: boolean;
  /** whether it says when */
  readonly timed: boolean;
  /** the slot that is named; undefined when there is none of that id */
  readonly slot: Slot | undefined;
  /** whether it may still be booked */
  readonly slotIsFree: boolean;
  /** whether it is in a diary of the service */
  readonly slotIsTheServices: boolean;
  readonly hasFreeSlots: boolean;
};

const commentAtMost = 1000;

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
  evaluate: ({ reason, concept }) =>
    unless(reason === undefined || concept !== undefined, `${reason ?? ''} is no code of eRS-ReviewReason.`),
};

const shortComment: Rule<GivenDeferral> = {
  code: 'INVALID_VALUE',
  expression: 'Appointment.comment',
  evaluate: ({ comment }) =>
    unless(lengthOf(comment ?? '') <= commentAtMost, `The comment has at most ${String(commentAtMost)} characters.`),
};

const onShortlist: Rule<GivenDeferral> = {
  code: 'INAPPROPRIATE_VALUE',
  expression: 'Appointment.participant',
  evaluate: ({ service }) => unless(service !== undefined, 'The service that is to act must be one of the shortlist that does this.'),
};

const rightFlow: Rule<GivenDeferral> = {
  code: 'INAPPROPRIATE_VALUE',
  expression: 'Appointment.participant',
  evaluate: ({ concept, service }) =>
    unless(
      !concept || !service || service.flows.some((flow) => flow === concept.one('requestFlow')),
      concept?.one('kind') === 'triage' ? 'The service does no triage.' : 'The service takes no bookings: send the referral for triage.',
    ),
};

const slotOnlyWhereTried: Rule<GivenDeferral> = {
  code: 'FIELD_NOT_PERMITTED',
  expression: 'Appointment.slot',
  evaluate: ({ concept, slotNamed }) =>
    unless(!slotNamed || !concept || concept.is('slotAllowed'), `${concept?.code ?? ''} goes without a slot.`),
};

const noTimesWithoutSlot: Rule<GivenDeferral> = {
  code: 'FIELD_NOT_PERMITTED',
  expression: 'Appointment.start',
  evaluate: ({ concept, timed }) =>
    unless(!timed || !concept || concept.is('slotAllowed'), `${concept?.code ?? ''} goes without times: the provider says when.`),
};

const mayName = ({ slotNamed, concept }: GivenDeferral): boolean => slotNamed && concept?.is('slotAllowed') === true;

const slotExists: Rule<GivenDeferral> = {
  code: 'REFERENCE_NOT_FOUND',
  expression: 'Appointment.slot[0]',
  issue: 'not-found',
  evaluate: (x) => unless(!mayName(x) || x.slot !== undefined, 'The slot that was tried does not exist.'),
};

const slotOfService: Rule<GivenDeferral> = {
  code: 'INAPPROPRIATE_SLOT',
  expression: 'Appointment.slot[0]',
  evaluate: (x) => unless(!mayName(x) || !x.slot || !x.service || x.slotIsTheServices, 'The slot is not in the diary of the service.'),
};

const noSlotsIsTrue: Rule<GivenDeferral> = {
  code: 'SLOTS_CURRENTLY_AVAILABLE',
  expression: 'Appointment.reasonCode',
  evaluate: ({ concept, hasFreeSlots }) =>
    unless(concept?.one('refusedWhile') !== 'service-has-slots' || !hasFreeSlots, 'The service has free slots: book one.'),
};

const slotIsGone: Rule<GivenDeferral> = {
  code: 'THIS_SLOT_IS_AVAILABLE',
  expression: 'Appointment.slot[0]',
  evaluate: ({ concept, slotIsFree, slotIsTheServices }) =>
    unless(concept?.one('refusedWhile') !== 'slot-is-free' || !slotIsFree || !slotIsTheServices, 'The slot is free: book it.'),
};

/** A016 as a deferral or as triage. */
export const deferralRules: readonly Rule<GivenDeferral>[] = [
  reasonGiven,
  reasonKnown,
  shortComment,
  onShortlist,
  rightFlow,
  slotOnlyWhereTried,
  noTimesWithoutSlot,
  slotExists,
  slotOfService,
  noSlotsIsTrue,
  slotIsGone,
];
