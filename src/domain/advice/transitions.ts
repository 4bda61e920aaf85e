import type { OperationCode } from '../../access/operation-rules.js';
import { failure } from '../../fhir/outcome.js';
import type { AdviceState } from '../referral/states.js';
import { refusal } from '../refusal.js';
import type { Side } from '../sides.js';

type AdviceTransition = {
  readonly ers: readonly string[];
  readonly operation: OperationCode;
  readonly actors: readonly ('referrer' | 'provider')[];
  readonly from: readonly AdviceState[];
  readonly to: AdviceState;
};

const open = ['PROVIDER_RESPONSE_REQUIRED', 'REFERRER_TO_SUBMIT_FURTHER_INFORMATION', 'REFERRER_TO_REVIEW_RESPONSE'] as const;

/** The life of a request for advice as data (e-RS facts, advice and guidance): whose turn it is, and how it ends. */
export const adviceTransitions = {
  ask: { ers: ['A044'], operation: 'ers.createAdviceAndGuidance', actors: ['referrer'], from: [], to: 'PROVIDER_RESPONSE_REQUIRED' },
  'reply-with-advice': {
    ers: ['A026'],
    operation: 'ers.sendCommunicationToRequester',
    actors: ['provider'],
    from: ['PROVIDER_RESPONSE_REQUIRED'],
    to: 'REFERRER_TO_REVIEW_RESPONSE',
  },
  'ask-for-information': {
    ers: ['A026'],
    operation: 'ers.sendCommunicationToRequester',
    actors: ['provider'],
    from: ['PROVIDER_RESPONSE_REQUIRED'],
    to: 'REFERRER_TO_SUBMIT_FURTHER_INFORMATION',
  },
  'say-converted': {
    ers: ['A026'],
    operation: 'ers.sendCommunicationToRequester',
    actors: ['provider'],
    from: ['PROVIDER_RESPONSE_REQUIRED'],
    to: 'ADVICE_CONVERTED',
  },
  'add-information': {
    ers: ['A012'],
    operation: 'ers.maintainReferralLetter',
    actors: ['referrer'],
    from: open,
    to: 'PROVIDER_RESPONSE_REQUIRED',
  },
  convert: {
    ers: ['A027'],
    operation: 'ers.createFromCommunicationRequestActionLater',
    actors: ['provider'],
    from: ['PROVIDER_RESPONSE_REQUIRED', 'REFERRER_TO_REVIEW_RESPONSE', 'ADVICE_CONVERTED'],
    to: 'ADVICE_CONVERTED',
  },
  cancel: { ers: ['A036'], operation: 'ers.cancelReferral', actors: ['referrer'], from: open, to: 'CONVERSATION_ENDED_CANCELLED' },
} as const satisfies Readonly<Record<string, AdviceTransition>>;

export type AdviceEvent = keyof typeof adviceTransitions;

/** The state after the event; throws INVALID_REQUEST_STATE where the table has no such edge. System clients are not bound. */
export const adviceStateAfter = (event: AdviceEvent, state: AdviceState, side: Side): AdviceState => {
  const edge: AdviceTransition = adviceTransitions[event];
  if (side === 'system') return edge.to;
  if (!edge.actors.some((actor) => actor === side)) throw failure('forbidden', 'forbidden', `This is not for the ${side}: ${event}.`);
  if (!edge.from.includes(state))
    throw refusal(
      'business-rule',
      'business-rule',
      'INVALID_REQUEST_STATE',
      `A request for advice in the state ${state} does not allow: ${event}.`,
      'ServiceRequest.extension',
    );
  return edge.to;
};
