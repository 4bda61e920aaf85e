import type { ServiceRequest } from 'fhir/r4.js';
import type { Facts } from '../command.js';
import { ersPriorityOf } from '../referral/referral.js';
import { refusal } from '../refusal.js';
import type { Situation } from '../situation.js';
import { gatherConcept, gatherConceptWith, isInEffect, type Concept } from './concept.js';

/** A priority that somebody sets, as its concept; throws INVALID_CODE for one that is none, or whose time is over. */
export const gatherPriorityInEffect = async (
  { facts, now }: Pick<Situation, 'facts' | 'now'>,
  code: string,
  expression: string,
): Promise<Concept> => {
  const concept = await gatherConcept(facts, 'PRIORITY', code);
  if (!concept || !isInEffect(concept, now))
    throw refusal('business-rule', 'code-invalid', 'INVALID_CODE', `${code} is no priority in effect.`, expression);
  return concept;
};

/**
 * The e-RS priority of a request: its extension counts, then the code of PRIORITY whose requestPriority its `priority` is, which R4 takes as
 * routine when it is not there. What no code goes with stays the request's own word.
 */
export const gatherPriorityOf = async (facts: Facts, request: Partial<ServiceRequest>): Promise<string> => {
  const said = ersPriorityOf(request);
  if (said !== undefined) return said;
  const { priority = 'routine' } = request;
  return (await gatherConceptWith(facts, 'PRIORITY', 'requestPriority', priority))?.code ?? priority;
};

/** The concept of a request's priority, in effect or not; undefined for one that the reference data does not have. */
export const gatherPriority = async (facts: Facts, request: Partial<ServiceRequest>): Promise<Concept | undefined> =>
  gatherConcept(facts, 'PRIORITY', await gatherPriorityOf(facts, request));
