import type { ServiceRequest } from 'fhir/r4.js';
import { extensions, systems } from '../codes.js';
import { created, type Decision } from '../command.js';
import { attachFiles, type GivenFiles } from '../documents/attachments.js';
import { gatherConcept } from '../reference-data/concept.js';
import { gatherNew, madeRequest, type WantedRequest } from '../referral/new-referral.js';
import { inAdviceState, withExtension } from '../referral/referral.js';
import { refusal } from '../refusal.js';
import type { Situation } from '../situation.js';
import { lengthOf } from '../text.js';
import { message } from './conversation.js';

const textAtMost = 8000;

export type Question = { readonly text: string; readonly authorisation: string | undefined; readonly files: GivenFiles };

const at = (name: string): string => `Parameters.parameter.where(name='${name}')`;

export const checkText = (text: string, name: string, atMost = textAtMost): void => {
  if (text.trim() === '') throw refusal('business-rule', 'required', 'MISSING_VALUE', `${name} is empty.`, at(name));
  if (lengthOf(text) > atMost)
    throw refusal('business-rule', 'too-long', 'INVALID_VALUE', `${name} has at most ${String(atMost)} characters.`, at(name));
};

/** A044: a request for advice to exactly one service, with its first message. */
export const askForAdvice = async (situation: Situation, wanted: WantedRequest, question: Question): Promise<Decision> => {
  checkText(question.text, 'adviceRequestText');
  const { authorisation } = question;
  if (authorisation !== undefined && !(await gatherConcept(situation.facts, 'eRS-ProviderConversionAuthorisation', authorisation)))
    throw refusal(
      'business-rule',
      'code-invalid',
      'INVALID_CODE',
      `${authorisation} is no code of eRS-ProviderConversionAuthorisation.`,
      at('providerConversionAuthorisation'),
    );
  const gathered = await gatherNew(situation, wanted);
  const id = `a.${situation.newId()}`;
  const made = madeRequest(wanted, gathered, { id, ubrn: situation.newUbrn(), now: situation.now });
  const coded: ServiceRequest = {
    ...made,
    category: [{ coding: [{ system: systems.requestCategory, code: 'request', display: 'Request' }] }],
    code: { coding: [{ system: systems.requestCode, code: 'advice-and-guidance', display: 'Advice and guidance' }] },
  };
  const request = inAdviceState(
    withExtension(coded, extensions.conversionAuthorisation, authorisation === undefined ? undefined : { valueCode: authorisation }),
    'PROVIDER_RESPONSE_REQUIRED',
  );
  const files = await attachFiles(situation, question.files, {
    type: 'ADVICE_REQUEST',
    request: id,
    subject: request.subject,
    existing: [],
  });
  const said = message(
    request,
    {
      category: 'REQUESTER',
      text: question.text,
      sender: request.requester,
      files: files.map((file) => file.id),
    },
    situation,
  );
  return { drafts: [created(request, id), said, ...files], result: { type: 'ServiceRequest', id } };
};
