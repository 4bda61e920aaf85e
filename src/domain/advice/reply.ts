import { systems } from '../codes.js';
import { changed, type Decision, type Found } from '../command.js';
import { referenceToService } from '../directory/service.js';
import { attachFiles, type GivenFiles } from '../documents/attachments.js';
import { gatherConcept } from '../reference-data/concept.js';
import { withPriority } from '../referral/referral.js';
import { refusal } from '../refusal.js';
import type { Situation } from '../situation.js';
import { checkText } from './ask.js';
import { adviceAfter, gatherAdvice, mayConvert, message, refuseStranger } from './conversation.js';
import type { AdviceEvent } from './transitions.js';

const events = {
  RETURN_TO_REFERRER_WITH_ADVICE: 'reply-with-advice',
  REQUIRE_FURTHER_INFORMATION: 'ask-for-information',
  PROVIDER_CONVERTED: 'say-converted',
} as const satisfies Readonly<Record<string, AdviceEvent>>;

const recommendations = [
  'ADVICE_ONLY_NO_REFERRAL_RECOMMENDED',
  'ADVICE_FOLLOWED_BY_REFERRAL_IF_REQUIRED',
  'REFERRAL_RECOMMENDED',
  'OTHER',
] as const;

export type Reply = {
  readonly outcome: string;
  readonly recommendation?: string;
  readonly guidance: string;
  readonly priority?: string;
  readonly files: GivenFiles;
};

const at = (name: string): string => `Parameters.parameter.where(name='${name}')`;

const eventOf = ({ outcome, recommendation }: Reply): AdviceEvent => {
  if (!Object.hasOwn(events, outcome))
    throw refusal(
      'business-rule',
      'code-invalid',
      'INVALID_CODE',
      `The outcome is one of ${Object.keys(events).join(', ')}.`,
      at('guidanceOutcome'),
    );
  const returns = outcome === 'RETURN_TO_REFERRER_WITH_ADVICE';
  const name = 'guidanceIntendedRecommendation';
  if (returns && recommendation === undefined)
    throw refusal('business-rule', 'required', 'MISSING_VALUE', 'Returning with advice says what is recommended.', at(name));
  if (!returns && recommendation !== undefined)
    throw refusal(
      'business-rule',
      'business-rule',
      'FIELD_NOT_PERMITTED',
      'A recommendation goes with RETURN_TO_REFERRER_WITH_ADVICE alone.',
      at(name),
    );
  if (recommendation !== undefined && !recommendations.some((known) => known === recommendation))
    throw refusal('business-rule', 'code-invalid', 'INVALID_CODE', `The recommendation is one of ${recommendations.join(', ')}.`, at(name));
  return events[outcome as keyof typeof events];
};

/** A026: the provider answers, asks back, or says that it made a referral of the request. */
export const sendCommunicationToRequester = async (situation: Situation, found: Found, reply: Reply): Promise<Decision> => {
  const advice = await gatherAdvice(situation, found);
  refuseStranger(advice, situation);
  const event = eventOf(reply);
  const next = adviceAfter(advice, event, situation);
  checkText(reply.guidance, 'guidance');
  if (event === 'say-converted' && !mayConvert(advice.request))
    throw refusal(
      'business-rule',
      'business-rule',
      'INAPPROPRIATE_VALUE',
      'The referrer has not authorised the conversion.',
      at('guidanceOutcome'),
    );
  const priority = await gatherConcept(situation.facts, 'PRIORITY', reply.priority);
  if (reply.priority !== undefined && !priority)
    throw refusal('business-rule', 'code-invalid', 'INVALID_CODE', `${reply.priority} is no priority in effect.`, at('updatedPriority'));
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
  const request = priority
    ? withPriority(next, { code: priority.code, requestPriority: priority.one('requestPriority') ?? 'routine' })
    : next;
  return { drafts: [changed(found, request), said, ...files], result: found };
};
