import { changed, type Decision, type Found } from '../command.js';
import type { Why } from '../referral/referral.js';
import type { Situation } from '../situation.js';
import { adviceAfter, gatherAdvice } from './conversation.js';

/** A036 on a request for advice: the referrer ends the conversation. */
export const cancelAdvice = async (situation: Situation, found: Found, why: Why): Promise<Decision> => {
  const advice = await gatherAdvice(situation, found);
  return { drafts: [changed(found, await adviceAfter(advice, 'cancel', situation, why))], result: found };
};
