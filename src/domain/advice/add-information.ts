import { changed, type Decision, type Found } from '../command.js';
import { replaceFiles, type GivenFiles } from '../documents/attachments.js';
import type { Situation } from '../situation.js';
import { adviceAfter, gatherAdvice, message } from './conversation.js';

/** A012 on a request for advice: the referrer changes its files, and it is the provider's turn again. */
export const addInformation = async (situation: Situation, found: Found, files: GivenFiles): Promise<Decision> => {
  const advice = await gatherAdvice(situation, found);
  const next = await adviceAfter(advice, 'add-information', situation);
  const drafts = await replaceFiles(situation, files, {
    type: 'ADVICE_REQUEST',
    request: found.id,
    subject: advice.request.subject,
    existing: advice.documents,
  });
  const said = message(
    { id: found.id, subject: advice.request.subject },
    {
      category: 'REFERRER_CLINICAL_INFORMATION_UPDATED',
      text: undefined,
      sender: advice.request.requester,
      files: drafts.filter(({ version }) => version === 0).map(({ id }) => id),
    },
    situation,
  );
  return { drafts: [changed(found, next), said, ...drafts], result: found };
};
