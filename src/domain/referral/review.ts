import type { CodeableConcept, Coding } from 'fhir/r4.js';
import { cancelAtProvider } from '../booking/at-provider.js';
import { systems } from '../codes.js';
import type { Decision, Draft, Found } from '../command.js';
import { attachFiles, type GivenFiles } from '../documents/attachments.js';
import type { Service } from '../directory/service.js';
import { gatherConcept, type Concept } from '../reference-data/concept.js';
import { gatherPriority, gatherPriorityInEffect, gatherPriorityOf } from '../reference-data/priority.js';
import { reasonRules } from '../reference-data/reason-rules.js';
import { refusal } from '../refusal.js';
import { refuseBreaches } from '../rules/rule.js';
import type { Situation } from '../situation.js';
import { refuseLongComments } from '../comments.js';
import { changeReferral, type Step } from './change-referral.js';
import { gatherReferral, type Referral } from './gather-referral.js';
import { stateAfter } from './moves.js';
import { withPriority } from './referral.js';
import { transitionOf, type ReferralEvent } from './transitions.js';

const reviewEvents = ['review-accept', 'review-return'] as const;

const at = (name: string): string => `Parameters.parameter.where(name='${name}')`;

const checkLength = (text: string | undefined, name: string): void => {
  refuseLongComments(text, name, at(name));
};

const decisionOf = (referral: Referral, drafts: readonly Draft[]): Decision => ({ drafts, result: referral.found });

/** e-RS has the provider say that an appointment it booked itself is cancelled in its own system (facts, services: binding). */
const checkCancelledInPas = (referral: Referral, cancelledInPas: boolean | undefined): void => {
  const indirect = referral.appointmentService?.binding === 'INDIRECTLY_BOOKABLE';
  if (indirect && cancelledInPas === undefined)
    throw refusal(
      'business-rule',
      'required',
      'MISSING_VALUE',
      'An appointment booked with the provider: say whether it is cancelled there.',
      at('appointmentCancelledInPAS'),
    );
  if (indirect && cancelledInPas === false)
    throw refusal(
      'business-rule',
      'business-rule',
      'INAPPROPRIATE_VALUE',
      'This cancels an appointment booked with the provider once it is cancelled there.',
      at('appointmentCancelledInPAS'),
    );
  if (!indirect && cancelledInPas !== undefined)
    throw refusal(
      'business-rule',
      'business-rule',
      'FIELD_NOT_PERMITTED',
      'A directly booked appointment is cancelled by this.',
      at('appointmentCancelledInPAS'),
    );
};

/** A013: a booked referral, accepted once. */
export const acceptReferral = async (situation: Situation, found: Found): Promise<Decision> => {
  const referral = await gatherReferral(situation, found);
  const { now } = situation;
  return decisionOf(referral, changeReferral(referral, { event: 'accept', why: { accepted: now, reviewed: now } }, situation));
};

export type Rejection = {
  readonly reason: string;
  readonly comments?: string;
  readonly cancelledInPas?: boolean;
  readonly files: GivenFiles;
};

/** A014: the booking is refused with a reason that the reference data has for it; slot and appointment are given back. */
export const rejectReferral = async (situation: Situation, found: Found, rejection: Rejection): Promise<Decision> => {
  const { facts, caller, now } = situation;
  const referral = await gatherReferral(situation, found);
  const { reason: code, comments, cancelledInPas, files } = rejection;
  stateAfter('reject', referral);
  checkLength(comments, 'rejectionComments');
  checkCancelledInPas(referral, cancelledInPas);
  const concept = await gatherConcept(facts, 'APPOINTMENT-CANCELLATION-REASON', code);
  refuseBreaches(reasonRules, {
    code,
    concept,
    comment: comments,
    businessFunction: caller.kind === 'system' ? undefined : caller.businessFunction,
    usage: { property: 'usage', value: 'REJECT' },
    expression: at('rejectionReason'),
    commentExpression: at('rejectionComments'),
    now,
  });
  const coding = codingOf(concept, code);
  const reason: CodeableConcept = { coding: [coding] };
  const step: Step = {
    event: 'reject',
    why: { reason: coding, reviewed: now, ...(comments === undefined ? {} : { comments }) },
    ending: { reason, ...(comments === undefined ? {} : { comment: comments }) },
  };
  const drafts = [...changeReferral(referral, step, situation), ...(await providerFiles(situation, referral, files))];
  return { ...decisionOf(referral, drafts), undo: await cancelAtProvider(situation, referral) };
};

const codingOf = (concept: Concept | undefined, code: string): Coding => ({
  ...(concept === undefined ? {} : { system: concept.system }),
  code,
  ...(concept?.display === undefined ? {} : { display: concept.display }),
});

const providerFiles = (situation: Situation, referral: Referral, files: GivenFiles): Promise<readonly Draft[]> =>
  attachFiles(situation, files, {
    type: 'PROVIDER',
    request: referral.found.id,
    subject: referral.request.subject,
    existing: referral.documents,
  });

/** The priority that a provider sets, as its concept; undefined when it sets none. */
const gatherNewPriority = async (situation: Situation, code: string | undefined, name: string): Promise<Concept | undefined> =>
  code === undefined ? undefined : gatherPriorityInEffect(situation, code, at(name));

const prioritised = (concept: Concept | undefined): Pick<Step, 'request'> =>
  concept === undefined ? {} : { request: (request) => withPriority(request, concept) };

export type ActionLater = {
  readonly comments: string;
  readonly priority?: string;
  readonly cancelledInPas?: boolean;
  readonly files: GivenFiles;
};

/** A022: the provider cancels the booking and will act itself; a deferral stands for what it has to do. */
export const cancelAppointmentActionLater = async (situation: Situation, found: Found, given: ActionLater): Promise<Decision> => {
  const referral = await gatherReferral(situation, found);
  stateAfter('cancel-action-later', referral);
  checkLength(given.comments, 'comments');
  checkCancelledInPas(referral, given.cancelledInPas);
  const { facts, now } = situation;
  const newPriority = await gatherNewPriority(situation, given.priority, 'priority');
  const reason: Coding = { system: systems.reviewOutcome, code: 'CANCEL_APPOINTMENT_ACTION_LATER' };
  const step: Step = {
    event: 'cancel-action-later',
    why: { reason, comments: given.comments, reviewed: now },
    ...prioritised(newPriority),
    ending: { comment: given.comments },
    priority: newPriority ?? (await gatherPriority(facts, referral.request)),
    ...waitingFor(referral.appointmentService, reason),
  };
  const drafts = [...changeReferral(referral, step, situation), ...(await providerFiles(situation, referral, given.files))];
  return { ...decisionOf(referral, drafts), undo: await cancelAtProvider(situation, referral) };
};

const waitingFor = (service: Service | undefined, reason: Coding): Pick<Step, 'waiting'> =>
  service === undefined ? {} : { waiting: { code: 'APPOINTMENT_DEFERRAL', reason, service } };

export type Review = { readonly outcome: string; readonly comments: string; readonly priority?: string; readonly files: GivenFiles };

/** The concept of an outcome that this operation records, which says how the priority goes with it (eRS-ReviewOutcome). */
const gatherOutcome = async ({ facts }: Situation, review: Review, current: string): Promise<Concept> => {
  const outcome = await gatherConcept(facts, 'eRS-ReviewOutcome', review.outcome);
  if (outcome?.one('usage') !== 'recordReviewOutcome')
    throw refusal('business-rule', 'code-invalid', 'INVALID_CODE', `${review.outcome} is no outcome of a review.`, at('reviewOutcome'));
  checkLength(review.comments, 'reviewComments');
  const rule = outcome.one('priority');
  if (rule === 'needed' && review.priority === undefined)
    throw refusal('business-rule', 'required', 'MISSING_VALUE', `${outcome.code} says the priority.`, at('reviewPriority'));
  if (rule === 'current' && review.priority !== undefined && review.priority !== current)
    throw refusal(
      'business-rule',
      'business-rule',
      'PRIORITY_NOT_CURRENT',
      `The priority of the referral is ${current}.`,
      at('reviewPriority'),
    );
  return outcome;
};

/** The edge that leads to the state that an outcome names. */
const eventTo = (state: string | undefined): ReferralEvent =>
  reviewEvents.find((event) => transitionOf(event).to === state) ?? 'review-return';

/** A028: what came of triage or of a deferral: accepted for the provider to act, or returned with advice. */
export const recordReviewOutcome = async (situation: Situation, found: Found, review: Review): Promise<Decision> => {
  const referral = await gatherReferral(situation, found);
  const { facts, now } = situation;
  // either outcome has the same states and guards: they come before what is wrong with the parameters
  stateAfter('review-return', referral);
  const current = await gatherPriorityOf(facts, referral.request);
  const outcome = await gatherOutcome(situation, review, current);
  const newPriority = await gatherNewPriority(situation, review.priority, 'reviewPriority');
  const reason: Coding = { system: systems.reviewOutcome, code: outcome.code };
  const changesPriority = newPriority !== undefined && newPriority.code !== current;
  const step: Step = {
    event: eventTo(outcome.one('leadsTo')),
    why: { reason, comments: review.comments, reviewed: now },
    ...(changesPriority ? prioritised(newPriority) : {}),
    outcome: { coding: reason, comments: review.comments },
    priority: newPriority ?? (await gatherPriority(facts, referral.request)),
    ...waitingFor(referral.taskService, reason),
  };
  return decisionOf(referral, [...changeReferral(referral, step, situation), ...(await providerFiles(situation, referral, review.files))]);
};
