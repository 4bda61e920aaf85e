import { refusal } from './refusal.js';
import { lengthOf } from './text.js';

const commentsAtMost = 2000;

/** Refuses comments of over 2,000 characters (A014, A022, A027, A028, A036, and here A034): INVALID_VALUE. `name`: how the caller calls them. */
export const refuseLongComments = (text: string | undefined, name: string, expression: string): void => {
  if (lengthOf(text ?? '') > commentsAtMost)
    throw refusal('business-rule', 'too-long', 'INVALID_VALUE', `${name} has at most ${String(commentsAtMost)} characters.`, expression);
};
