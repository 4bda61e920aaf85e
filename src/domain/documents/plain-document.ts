import type { DocumentReference, ServiceRequest } from 'fhir/r4.js';
import { failure } from '../../fhir/outcome.js';
import { readReference } from '../../fhir/references.js';
import { referenceTo } from '../../fhir/resource.js';
import { systems } from '../codes.js';
import { created, type Decision, type Found } from '../command.js';
import { documentsOf, findRequest, gatherReferral } from '../referral/gather-referral.js';
import { stateAfter } from '../referral/moves.js';
import { adviceStateOf, kindOf } from '../referral/referral.js';
import { refusal } from '../refusal.js';
import { refuseBreaches, unless, type Rule } from '../rules/rule.js';
import { sideOf, type Side } from '../sides.js';
import type { Situation } from '../situation.js';
import { fileRules } from './attachment-rules.js';
import { attachmentTypeOf, type AttachmentType } from './attachment-type.js';
import { gatherGiven, serversMarks, titlesOf, withServersMarks } from './attachments.js';

/** What each side attaches to a request (eRS-AttachmentType); a patient's files are of none of these types. */
const types: Readonly<Record<ReturnType<typeof kindOf>, Readonly<Partial<Record<Side, AttachmentType>>>>> = {
  referral: { referrer: 'REFERRER', provider: 'PROVIDER' },
  advice: { referrer: 'ADVICE_REQUEST', provider: 'GUIDANCE_RESPONSE' },
};

/** The request that a document is for: the one ServiceRequest that `context.related` names, if the caller may see it. */
const requestOf = async (situation: Situation, { context }: DocumentReference): Promise<Found> => {
  const { baseUrl } = situation;
  const expression = 'DocumentReference.context.related';
  const related = (context?.related ?? []).filter(
    ({ reference = '', identifier }) =>
      readReference(reference, baseUrl)?.type === 'ServiceRequest' || (reference === '' && identifier?.system === systems.ubrn),
  );
  const [one] = related;
  if (one === undefined)
    throw refusal('business-rule', 'required', 'MISSING_VALUE', 'context.related names the request that the document is for.', expression);
  if (related.length > 1) throw refusal('business-rule', 'business-rule', 'TOO_MANY_ITEMS', 'A document is for one request.', expression);
  const found = await findRequest(situation, one);
  const key = readReference(one.reference ?? '', baseUrl);
  if (!found)
    throw failure('business-rule', 'not-found', `${key ? referenceTo(key) : 'The request'} does not exist: references must resolve.`, {
      expression: [expression],
    });
  return found;
};

/** Throws where the request takes no more files: of its referrer what A012 says, of others when it has ended. */
const refuseEnded = async (situation: Situation, found: Found): Promise<void> => {
  const request = found.resource as unknown as ServiceRequest;
  if (sideOf(situation.caller) === 'referrer' && kindOf(request) === 'referral')
    stateAfter('change-letter', await gatherReferral(situation, found));
  if (sideOf(situation.caller) === 'referrer' && adviceStateOf(request) === 'REFERRER_TO_SUBMIT_FURTHER_INFORMATION')
    throw refusal(
      'business-rule',
      'business-rule',
      'INVALID_STATE',
      'What the provider asked for is sent to it with $ers.maintainReferralLetter.',
      'DocumentReference.context.related',
    );
  if (request.status !== 'active')
    throw refusal('business-rule', 'business-rule', 'INVALID_STATE', 'The request has ended.', 'DocumentReference.context.related');
};

/**
 * POST DocumentReference, for whom the workflow binds: a file of a request that the caller may see, under the rules of the files that
 * operations attach. The server says who attached it, and as what.
 */
export const plainDocument = async (situation: Situation, document: DocumentReference): Promise<Decision> => {
  const found = await requestOf(situation, document);
  const request = found.resource as unknown as ServiceRequest;
  const type = types[kindOf(request)][sideOf(situation.caller)];
  const existing = await documentsOf(situation.facts, found.id);
  const given = await gatherGiven(situation, { documents: [document] }, { type, request: found.id, subject: request.subject, existing });
  refuseBreaches(fileRules, { given, titles: titlesOf(existing) });
  await refuseEnded(situation, found);
  const named = given[0]?.document ?? document;
  const id = situation.newId();
  const coding = type === undefined || attachmentTypeOf(named) !== undefined ? [] : [{ system: systems.attachmentType, code: type }];
  const typed = coding.length === 0 ? named : { ...named, type: { ...named.type, coding: [...(named.type?.coding ?? []), ...coding] } };
  const made = created({ ...typed, extension: withServersMarks(named, situation) }, id);
  return { drafts: [{ ...made, plain: true }], result: { type: made.type, id } };
};

type Changed = { readonly current: DocumentReference; readonly wanted: DocumentReference };

const marksOf = ({ extension = [] }: DocumentReference): unknown => extension.filter(({ url }) => serversMarks.includes(url));

const keeps = (expression: string, of: (document: DocumentReference) => unknown, text: string): Rule<Changed> => ({
  code: 'FIELD_NOT_PERMITTED',
  expression,
  evaluate: ({ current, wanted }) => unless(JSON.stringify(of(current)) === JSON.stringify(of(wanted)), text),
});

/** The letter goes with A012 alone, which leaves one and tells the provider. */
const keepsLetter: Rule<Changed> = {
  code: 'FIELD_NOT_PERMITTED',
  expression: 'DocumentReference.status',
  evaluate: ({ current, wanted }) =>
    unless(
      wanted.status === current.status || !['REFERRER', 'ADVICE_REQUEST'].includes(attachmentTypeOf(current) ?? ''),
      'A file of the referrer is withdrawn with $ers.maintainReferralLetter.',
    ),
};

/** What says which request a file is for, which file it is and who attached it, stays. */
const changeRules: readonly Rule<Changed>[] = [
  keepsLetter,
  keeps('DocumentReference.type', attachmentTypeOf, 'What a file is attached as stays.'),
  keeps('DocumentReference.extension', marksOf, 'The server says who attached a file: leave the extensions as they are.'),
  keeps('DocumentReference.context.related', ({ context }) => context?.related, 'The request that a file is for stays.'),
  keeps(
    'DocumentReference.content.attachment.url',
    ({ content }) => content.map(({ attachment }) => attachment.url),
    'A document keeps its file: attach another.',
  ),
];

/** What a caller whom the workflow binds may not change of his own document; one that stays current keeps the rules of files. */
export const checkDocumentChange = async (situation: Situation, current: Found, wanted: DocumentReference): Promise<void> => {
  const before = current.resource as unknown as DocumentReference;
  refuseBreaches(changeRules, { current: before, wanted });
  const [related] = (wanted.context?.related ?? []).filter(
    (one) => readReference(one.reference ?? '', situation.baseUrl)?.type === 'ServiceRequest',
  );
  const found = related && (await findRequest(situation, related));
  if (!found || wanted.status !== 'current') return;
  await refuseEnded(situation, found);
  const existing = (await documentsOf(situation.facts, found.id)).filter(({ id }) => id !== current.id);
  const { subject } = found.resource as unknown as ServiceRequest;
  const to = { type: attachmentTypeOf(before), request: found.id, subject, existing };
  refuseBreaches(fileRules, { given: await gatherGiven(situation, { documents: [wanted] }, to), titles: titlesOf(existing) });
};
