import type { Coding } from 'fhir/r4.js';
import { cancelAtProvider } from '../booking/at-provider.js';
import { cancelAdvice } from '../advice/cancel-advice.js';
import type { Decision, Found } from '../command.js';
import { gatherConcept, type Concept } from '../reference-data/concept.js';
import { reasonRules } from '../reference-data/reason-rules.js';
import { refusal } from '../refusal.js';
import { refuseBreaches } from '../rules/rule.js';
import type { Situation } from '../situation.js';
import { refuseLongComments } from '../comments.js';
import { changeReferral } from './change-referral.js';
import { gatherReferral, type Referral } from './gather-referral.js';
import { kindOf, stateOf } from './referral.js';
import { stateAfter } from './moves.js';

export type Cancellation = { readonly reason: string; readonly comments?: string };

const at = (name: string): string => `Parameters.parameter.where(name='${name}')`;

/** Reasons of some types end what one state began, as those of a provider after triage: their type says which. */
const checkState = async ({ facts }: Situation, concept: Concept | undefined, referral: Referral): Promise<void> => {
  const type = await gatherConcept(
    facts,
    'eRS-AppointmentRequestCancellationReasonType',
    concept?.one('appointmentRequestCancellationReasonType'),
  );
  const states = type?.all('fromState') ?? [];
  if (states.length > 0 && !states.includes(stateOf(referral.request) ?? ''))
    throw refusal(
      'business-rule',
      'business-rule',
      'INAPPROPRIATE_VALUE',
      `${concept?.code ?? ''} is only for a referral in the state ${states.join(' or ')}.`,
      at('cancellationReason'),
    );
};

/** A reason that does not cancel appointments cannot end a referral that has one. */
const checkAppointment = (concept: Concept | undefined, referral: Referral): void => {
  if (referral.appointment?.status === 'booked' && concept?.is('canCancelAppointment') !== true)
    throw refusal(
      'business-rule',
      'business-rule',
      'INAPPROPRIATE_VALUE',
      `${concept?.code ?? ''} does not cancel the appointment that the referral has.`,
      at('cancellationReason'),
    );
};

/** A036: the end of a referral, or of a conversation about advice; nothing follows. */
export const cancelReferral = async (situation: Situation, found: Found, { reason: code, comments }: Cancellation): Promise<Decision> => {
  const { facts, caller, now } = situation;
  refuseLongComments(comments, 'cancellationComments', at('cancellationComments'));
  const concept = await gatherConcept(facts, 'REFERRAL-CANCELLATION-REASON', code);
  const checkReason = () => {
    refuseBreaches(reasonRules, {
      code,
      concept,
      comment: comments,
      businessFunction: caller.kind === 'system' ? undefined : caller.businessFunction,
      usage: { property: 'referrerUsage', value: 'CANCEL_REFERRAL' },
      expression: at('cancellationReason'),
      commentExpression: at('cancellationComments'),
      now,
    });
  };
  const coding: Coding = {
    ...(concept === undefined ? {} : { system: concept.system }),
    code,
    ...(concept?.display === undefined ? {} : { display: concept.display }),
  };
  const why = { reason: coding, ...(comments === undefined ? {} : { comments }) };
  if (kindOf(found.resource as never) === 'advice') {
    // as with a referral: what its state forbids is said before what is wrong with the reason
    const decision = await cancelAdvice(situation, found, why);
    checkReason();
    return decision;
  }
  const referral = await gatherReferral(situation, found);
  stateAfter('cancel', referral);
  checkReason();
  await checkState(situation, concept, referral);
  checkAppointment(concept, referral);
  const drafts = changeReferral(
    referral,
    {
      event: 'cancel',
      why,
      ending: { reason: { text: concept?.display ?? code }, ...(comments === undefined ? {} : { comment: comments }) },
      outcome: why.comments === undefined ? { coding } : { coding, comments: why.comments },
      cancelsAppointment: concept?.is('canCancelAppointment') === true,
    },
    situation,
  );
  return { drafts, undo: await cancelAtProvider(situation, referral), result: found };
};
