import { refusal } from '../refusal.js';
import type { Situation } from '../situation.js';
import { gatherConcept, isInEffect, type Concept } from './concept.js';

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
