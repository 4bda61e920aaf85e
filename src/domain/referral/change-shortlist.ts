import type { Reference } from 'fhir/r4.js';
import { extensions, systems } from '../codes.js';
import type { Decision, Found } from '../command.js';
import type { SearchCriteria } from '../directory/criteria.js';
import { referenceToService } from '../directory/service.js';
import { gatherConcept } from '../reference-data/concept.js';
import { gatherPriorityInEffect, gatherPriorityOf } from '../reference-data/priority.js';
import { refusal } from '../refusal.js';
import type { Situation } from '../situation.js';
import { changeReferral } from './change-referral.js';
import { gatherReferral } from './gather-referral.js';
import { gatherPatient } from './gather-patient.js';
import { gatherShortlist } from './gather-shortlist.js';
import { letterIntentionOf, stateOf, withExtension, withPriority, type LetterIntention } from './referral.js';
import { stateAfter } from './moves.js';

export type WantedShortlist = {
  readonly kind: 'referral' | 'triage';
  readonly shortlist: readonly Reference[];
  /** whom the shortlist says that it is for */
  readonly shortlistFor?: Reference;
  readonly criteria?: SearchCriteria;
  readonly intention?: LetterIntention;
  /** days until the patient is first reminded to book */
  readonly reminderDays?: number;
  /** where the shortlist stands */
  readonly at: string;
};

const sameServices = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((id, index) => id === b[index]);

/** A031 and A032: other services for the referral, whose life begins anew with them: not booked, or sent for triage. */
export const changeShortlist = async (situation: Situation, found: Found, wanted: WantedShortlist): Promise<Decision> => {
  const { facts, now } = situation;
  const { at, reminderDays } = wanted;
  const referral = await gatherReferral(situation, found);
  const event = wanted.kind === 'triage' ? 'change-shortlist-for-triage' : 'change-shortlist';
  stateAfter(event, referral);
  const searched = wanted.criteria?.priority;
  const current = await gatherPriorityOf(facts, referral.request);
  const priority =
    searched === undefined || searched === current
      ? await gatherConcept(facts, 'PRIORITY', current)
      : await gatherPriorityInEffect(situation, searched, at);
  const known = await gatherShortlist(situation, {
    kind: wanted.kind,
    references: wanted.shortlist,
    criteria: wanted.criteria,
    patient: await gatherPatient(situation, referral.request.subject),
    ...(wanted.shortlistFor === undefined ? {} : { subject: wanted.shortlistFor }),
    priority: priority?.code ?? current,
    intention: wanted.intention ?? letterIntentionOf(referral.request),
    expression: at,
    intentionAt: "Parameters.parameter.where(name='intentionToAddReferralLetter')",
  });
  const before = referral.services.map(({ id }) => id);
  const changesPriority = priority !== undefined && priority.code !== current;
  const asBefore = wanted.kind === 'referral' || stateOf(referral.request) === 'AWAITING_TRIAGE';
  if (
    asBefore &&
    !changesPriority &&
    sameServices(
      before,
      known.map(({ id }) => id),
    )
  )
    throw refusal('business-rule', 'business-rule', 'NO_CHANGES_DETECTED', 'The shortlist is the same.', at);
  const triage = known.find(({ flows }) => flows.includes('REVIEW'));
  const reason = { system: systems.reviewReason, code: 'TRIAGE' };
  const needsLetter = known.some(({ summary }) => summary.referralLetterRequired);
  const intention = wanted.intention ?? letterIntentionOf(referral.request) ?? (needsLetter ? 'NEED_TO_ADD_LATER' : undefined);
  const drafts = changeReferral(
    referral,
    {
      event,
      why: changesPriority ? { priorityChanged: now } : {},
      request: (request) => {
        const listed = {
          ...request,
          performer: known.map(referenceToService),
          ...(known[0]?.specialty === undefined ? {} : { performerType: known[0].specialty }),
        };
        const prioritised = changesPriority ? withPriority(listed, priority) : listed;
        const intended =
          intention === undefined
            ? prioritised
            : withExtension(prioritised, extensions.letterIntention, { valueCoding: { system: systems.letterIntention, code: intention } });
        return reminderDays === undefined ? intended : withExtension(intended, extensions.reminderDays, { valueUnsignedInt: reminderDays });
      },
      priority,
      ...(wanted.kind === 'triage' && triage ? { waiting: { code: 'TRIAGE_DEFERRAL' as const, reason, service: triage } } : {}),
    },
    situation,
  );
  return { drafts, result: found };
};
