import type { ServiceRequest } from 'fhir/r4.js';
import { isPermitted, operationRules } from '../../access/operation-rules.js';
import type { Caller } from '../../access/caller.js';
import { failure } from '../../fhir/outcome.js';
import { refusal } from '../refusal.js';
import { breachesOf, refuseBreaches, type Rule } from '../rules/rule.js';
import { guards, type ReferralSituation } from './guards.js';
import { kindOf, stateOf } from './referral.js';
import type { ReferralState } from './states.js';
import { referralEvents, transitionOf, type AvailableAction, type ReferralEvent, type Transition } from './transitions.js';

const guardsOf = ({ guards: names }: Transition): readonly Rule<ReferralSituation>[] => names.map((name) => guards[name]);

/** Refuses a request for advice where a referral is meant: INVALID_REQUEST_TYPE. */
export const refuseAdvice = (request: ServiceRequest): void => {
  if (kindOf(request) === 'advice')
    throw refusal(
      'business-rule',
      'business-rule',
      'INVALID_REQUEST_TYPE',
      'This is a request for advice, not a referral.',
      'ServiceRequest.code',
    );
};

/**
 * The state after the event. Throws business-rule INVALID_REQUEST_TYPE for a request for advice, INVALID_STATE when the table has no such edge, and what the edge's guards say. System
 * clients are bound by neither.
 */
export const stateAfter = (event: ReferralEvent, situation: ReferralSituation): ReferralState => {
  const edge = transitionOf(event);
  refuseAdvice(situation.request);
  const state = stateOf(situation.request) ?? 'NOT_BOOKED';
  const next = edge.to === 'same' ? state : edge.to;
  if (situation.actor === 'system') return next;
  if (!edge.actors.includes(situation.actor)) throw failure('forbidden', 'forbidden', `This is not for the ${situation.actor}: ${event}.`);
  if (!edge.from.includes(state))
    throw refusal(
      'business-rule',
      'business-rule',
      'INVALID_STATE',
      `A referral in the state ${state} does not allow: ${event}.`,
      'ServiceRequest.extension',
    );
  refuseBreaches(guardsOf(edge), situation);
  return next;
};

/** A029: the actions that the table allows now, to this caller, in its order and each once. */
export const availableActions = (situation: ReferralSituation, caller: Caller): readonly AvailableAction[] => {
  const state = stateOf(situation.request) ?? 'NOT_BOOKED';
  const { actor } = situation;
  const open = referralEvents.map(transitionOf).filter((edge) => {
    if (edge.action === undefined || !edge.from.includes(state)) return false;
    if (actor !== 'system' && !edge.actors.includes(actor)) return false;
    return isPermitted(operationRules[edge.operation], caller) && breachesOf(guardsOf(edge), situation).length === 0;
  });
  return [...new Set(open.flatMap(({ action }) => action ?? []))];
};
