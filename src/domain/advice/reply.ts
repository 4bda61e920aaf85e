import { systems } from '../codes.js';
import { changed, type Decision, type Found } from '../command.js';
import { referenceToService } from '../directory/service.js';
import { attachFiles, type GivenFiles } from '../documents/attachments.js';
import { gatherConcept } from '../reference-data/concept.js';
import { gatherPriorityInEffect } from '../reference-data/priority.js';
import { withPriority } from '../referral/referral.js';
import { refusal } from '../refusal.js';
import type { Situation } from '../situation.js';
import { checkText } from './ask.js';
import { adviceAfter, gatherAdvice, mayConvert, message, serviceTaking } from './conversation.js';
import { adviceTransitions, type AdviceEvent } from './transitions.js';

const replyEvents = ['reply-with-advice', 'ask-for-information', 'say-converted'] as const;

export type Reply = {
  readonly outcome: string;
  readonly recommendation?: string;
  readonly guidance: string;
  readonly priority?: string;
  readonly files: GivenFiles;
};

const at = (name: string): string => `Parameters.parameter.where(name='${name}')`;

/** What a reply says, with the event that leads to the state which its outcome names; the concepts say what may go together. */
const gatherEvent = async ({ facts }: Situation, { outcome, recommendation }: Reply): Promise<AdviceEvent> => {
  const concept = await gatherConcept(facts, 'eRS-GuidanceResponseOutcome', outcome);
  if (!concept)
    throw refusal('business-rule', 'code-invalid', 'INVALID_CODE', `${outcome} is no outcome of a reply.`, at('guidanceOutcome'));
  const name = 'guidanceIntendedRecommendation';
  const recommends = concept.is('recommends');
  if (recommends && recommendation === undefined)
    throw refusal('business-rule', 'required', 'MISSING_VALUE', `${outcome} says what is recommended.`, at(name));
  if (!recommends && recommendation !== undefined)
    throw refusal('business-rule', 'business-rule', 'FIELD_NOT_PERMITTED', `No recommendation goes with ${outcome}.`, at(name));
  if (recommendation !== undefined && !(await gatherConcept(facts, 'eRS-GuidanceIntendedRecommendation', recommendation)))
    throw refusal('business-rule', 'code-invalid', 'INVALID_CODE', `${recommendation} is no recommendation.`, at(name));
  return replyEvents.find((event) => adviceTransitions[event].to === concept.one('leadsTo')) ?? 'reply-with-advice';
};

/** A026: the provider answers, asks back, or says that it made a referral of the request. */
export const sendCommunicationToRequester = async (situation: Situation, found: Found, reply: Reply): Promise<Decision> => {
  const advice = await gatherAdvice(situation, found);
  const event = await gatherEvent(situation, reply);
  const next = await adviceAfter(advice, event, situation);
  checkText(reply.guidance, 'guidance');
  if (event === 'say-converted' && !(await mayConvert(situation, advice.request)))
    throw refusal(
      'business-rule',
      'business-rule',
      'INAPPROPRIATE_VALUE',
      'The referrer has not authorised the conversion.',
      at('guidanceOutcome'),
    );
  const priority =
    reply.priority === undefined ? undefined : await gatherPriorityInEffect(situation, reply.priority, at('updatedPriority'));
  if (priority) serviceTaking(advice, priority, at('updatedPriority'));
  const files = await attachFiles(situation, reply.files, {
    type: 'GUIDANCE_RESPONSE',
    request: found.id,
    subject: advice.request.subject,
    existing: advice.documents,
  });
  const said = message(
    { id: found.id, subject: advice.request.subject },
    {
      category: 'RESPONDER',
      text: reply.guidance,
      reasons: [
        { system: systems.guidanceOutcome, code: reply.outcome },
        ...(reply.recommendation === undefined ? [] : [{ system: systems.guidanceRecommendation, code: reply.recommendation }]),
      ],
      sender: advice.service && referenceToService(advice.service),
      files: files.map(({ id }) => id),
    },
    situation,
  );
  const request = priority ? withPriority(next, priority) : next;
  return { drafts: [changed(found, request), said, ...files], result: found };
};
