import type { Communication, DocumentReference, Patient } from 'fhir/r4.js';
import { pdfOf } from '../../documents/pdf.js';
import { findPrinted, printedAt } from '../../domain/documents/printed.js';
import { clinicalSummaryPage, patientLetterPage, type PrintedPage } from '../../domain/documents/pages.js';
import { accessCodeClaim, findAccessCode, newAccessCode, spentTries, triesAllowed } from '../../domain/patient-access/access-code.js';
import { gatherPriorityOf } from '../../domain/reference-data/priority.js';
import { guards } from '../../domain/referral/guards.js';
import { refuseBreaches } from '../../domain/rules/rule.js';
import { documentsOf, gatherReferral, type Referral } from '../../domain/referral/gather-referral.js';
import { refuseAdvice } from '../../domain/referral/moves.js';
import { kindOf, ubrnOf } from '../../domain/referral/referral.js';
import { refusal } from '../../domain/refusal.js';
import type { Situation } from '../../domain/situation.js';
import { readReference } from '../../fhir/references.js';
import { notFound } from '../../interactions/answers.js';
import { factsOf } from '../../interactions/facts.js';
import type { Call, House, Success } from '../../interactions/house.js';
import { situationOf } from '../../interactions/perform.js';
import type { Operation } from '../operation.js';
import { Taken } from '../../store/port.js';
import { Inputs } from '../parameters.js';
import { output } from './declare.js';

const patientOf = async (situation: Situation, { request }: Referral) => {
  const key = readReference(request.subject.reference ?? '', '');
  const found = key && (await situation.facts.find(key, 'all'));
  return { patient: found?.resource as unknown as Patient | undefined, demographic: found && (await situation.demographics.find(found)) };
};

const messagesOf = async ({ facts }: Situation, id: string): Promise<readonly Communication[]> => {
  const where = [{ kind: 'reference' as const, param: 'based-on', any: [{ type: 'ServiceRequest', id }] }];
  const found = await facts.search({ type: 'Communication', where, count: 200 }, 'all');
  const messages = found.map(({ resource }) => resource as unknown as Communication);
  return messages.sort((a, b) => ((a.sent ?? '') < (b.sent ?? '') ? -1 : 1));
};

/** The request for advice that holds the conversation: the request itself, or the one that the referral was made of (A027). */
const conversationOf = ({ found, request }: Referral): string | undefined => {
  if (kindOf(request) === 'advice') return found.id;
  const keys = (request.supportingInfo ?? []).map(({ reference = '' }) => readReference(reference, ''));
  return keys.find((key) => key?.type === 'ServiceRequest' && key.id.startsWith('a.'))?.id;
};

const clinicalSummary = async (situation: Situation, referral: Referral): Promise<PrintedPage> => {
  const { request, services, appointment } = referral;
  const conversation = conversationOf(referral);
  const asked = conversation === undefined || conversation === referral.found.id ? [] : await documentsOf(situation.facts, conversation);
  const documents = [...referral.documents, ...asked];
  return clinicalSummaryPage({
    request,
    priority: await gatherPriorityOf(situation.facts, request),
    ...(await patientOf(situation, referral)),
    services,
    appointment,
    documents: documents.map(({ resource }) => resource as unknown as DocumentReference),
    messages: conversation === undefined ? [] : await messagesOf(situation, conversation),
    now: situation.now,
  });
};

/** What a provider has printed of a referral that is with it, its worklist says (clinicalInfoPrinted). */
const notePrinting = async (
  house: House,
  { facts, now }: Situation,
  { actor, organisation, found, appointment, task }: Referral,
): Promise<void> => {
  if (actor !== 'provider' || organisation === undefined || (appointment === undefined && task === undefined)) return;
  try {
    await house.store.commit(printedAt(found.id, organisation, now, await findPrinted(facts, found.id, organisation)));
  } catch (error) {
    // somebody else has it printed at this moment
    if (!(error instanceof Taken)) throw error;
  }
};

const printedSummary = async (house: House, situation: Situation, referral: Referral): Promise<PrintedPage> => {
  const page = await clinicalSummary(situation, referral);
  await notePrinting(house, situation, referral);
  return page;
};

/** The access code of a new letter, with all tries anew; another one when it was locked, so that the letter before is worth nothing. */
const codeOfLetter = async ({ store }: House, { facts, newId }: Situation, ubrn: string): Promise<string> => {
  const issued = await findAccessCode(facts.findClaim, ubrn);
  if (issued === undefined)
    throw refusal('business-rule', 'business-rule', 'NO_ACCESS_CODE', 'No access code was issued for this request.', 'ServiceRequest');
  const spent = await spentTries(facts.findClaim, ubrn);
  if (spent.length === 0) return issued;
  if (spent.length < triesAllowed) {
    await store.commit({ releases: spent });
    return issued;
  }
  const fresh = newAccessCode(newId);
  await store.commit({ releases: [...spent, accessCodeClaim(ubrn, issued)], claims: [accessCodeClaim(ubrn, fresh)] });
  return fresh;
};

/** The practice prints it, which knows its patient. */
const patientLetter = async (house: House, situation: Situation, referral: Referral): Promise<PrintedPage> => {
  refuseBreaches([guards['own-referral']], referral);
  const { request, services, appointment } = referral;
  refuseAdvice(request);
  if (request.status !== 'active')
    throw refusal(
      'business-rule',
      'business-rule',
      'INVALID_STATE',
      'The referral has ended: there is nothing to choose.',
      'ServiceRequest.status',
    );
  const accessCode = await codeOfLetter(house, situation, ubrnOf(request) ?? '').catch((error: unknown) => {
    // somebody else prints it at this moment
    if (error instanceof Taken) return codeOfLetter(house, situation, ubrnOf(request) ?? '');
    throw error;
  });
  return patientLetterPage({ request, services, appointment, accessCode, ...(await patientOf(situation, referral)) });
};

const printed = async (
  house: House,
  call: Call,
  id: string,
  pageOf: (situation: Situation, referral: Referral) => Promise<PrintedPage>,
): Promise<Success> => {
  const key = { type: 'ServiceRequest', id };
  const situation = situationOf(house, call, factsOf(house.store, call.caller));
  const found = await situation.facts.find(key);
  if (!found) throw notFound(key);
  const page = await pageOf(situation, await gatherReferral(situation, found));
  return {
    status: 200,
    body: await pdfOf(page, house.clock()),
    contentType: 'application/pdf',
    headers: { 'cache-control': 'no-store', 'content-disposition': `attachment; filename="${id}.pdf"` },
  };
};

const definition = (code: string, name: string, description: string, affectsState: boolean): Operation['definition'] => ({
  name,
  code,
  description,
  affectsState,
  system: false,
  type: false,
  instance: true,
  resource: ['ServiceRequest'],
  parameter: [output('Binary', 'the bytes of an application/pdf')] as NonNullable<Operation['definition']['parameter']>,
});

/** e-RS A007 and A043. */
export const generateCriOperation: Operation = {
  definition: definition(
    'ers.generateCRI',
    'GenerateCRI',
    'The clinical information of a referral or a request for advice as PDF (e-RS A007, A043); a provider is told on its worklist that it has it.',
    true,
  ),
  interaction: 'r',
  perform: (house, call, { id = '', body }) => {
    Inputs.read([], body);
    return printed(house, call, id, (situation, referral) => printedSummary(house, situation, referral));
  },
};

/** e-RS A019. */
export const generatePatientLetterOperation: Operation = {
  definition: definition(
    'ers.generatePatientLetter',
    'GeneratePatientLetter',
    'The letter that a patient takes home, with UBRN and access code, as PDF (e-RS A019).',
    true,
  ),
  interaction: 'r',
  perform: (house, call, { id = '', body }) => {
    Inputs.read([], body);
    return printed(house, call, id, (situation, referral) => patientLetter(house, situation, referral));
  },
};
