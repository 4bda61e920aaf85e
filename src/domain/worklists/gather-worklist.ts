import type { Appointment, Communication, ServiceRequest, Task } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import type { Facts, Found } from '../command.js';
import { gatherService } from '../directory/service.js';
import { isOfReferrer } from '../documents/attachment-type.js';
import { findPrinted } from '../documents/printed.js';
import { gatherConcept } from '../reference-data/concept.js';
import { gatherPriorityOf } from '../reference-data/priority.js';
import { documentsOf, openTask } from '../referral/gather-referral.js';
import { requesterOrganisations } from '../referral/gather-requester.js';
import { kindOf, letterIntentionOf } from '../referral/referral.js';
import type { Candidate } from './item.js';

const messagesAtMost = 100;

/** When the provider last reached the patient about a referral that waits for it: a message to him that is kept with the referral. */
const lastContactOf = async (facts: Facts, found: Found): Promise<string | undefined> => {
  const { subject } = found.resource as unknown as ServiceRequest;
  const patient = readReference(subject.reference ?? '', '');
  if (!patient) return undefined;
  const where = [
    { kind: 'reference' as const, param: 'based-on', any: [{ type: found.type, id: found.id }] },
    { kind: 'reference' as const, param: 'recipient', any: [patient] },
  ];
  const messages = await facts.search({ type: 'Communication', where, count: messagesAtMost }, 'all');
  return messages
    .map(({ resource }) => resource as unknown as Communication)
    .flatMap(({ status, sent }) => (status === 'completed' && sent !== undefined ? [sent] : []))
    .reduce<string | undefined>((last, sent) => (last === undefined || Date.parse(sent) > Date.parse(last) ? sent : last), undefined);
};

/** Working days for the letter, as the concept of the priority says (A004 PRIORITY); asked only while a letter is to come. */
const letterDaysOf = async (
  facts: Facts,
  request: ServiceRequest,
  priority: string,
  documents: readonly Found[],
): Promise<number | undefined> => {
  if (documents.length > 0 || letterIntentionOf(request) !== 'NEED_TO_ADD_LATER') return undefined;
  const days = Number((await gatherConcept(facts, 'PRIORITY', priority))?.one('letterDays') ?? Number.NaN);
  return Number.isInteger(days) ? days : undefined;
};

/** A referral with the appointment or task that says with which service it is. */
export const gatherCandidate = async (facts: Facts, found: Found, now: string): Promise<Candidate> => {
  const request = found.resource as unknown as ServiceRequest;
  const advice = kindOf(request) === 'advice';
  const [claim, taskFound, all, priority] = await Promise.all([
    advice ? undefined : facts.findClaim('current-booking', found.id),
    advice ? undefined : openTask(facts, found.id),
    documentsOf(facts, found.id),
    gatherPriorityOf(facts, request),
  ]);
  const documents = all.filter(isOfReferrer);
  const key = readReference(claim?.owner ?? '', '');
  const appointment = (key && (await facts.find(key, 'all')))?.resource as unknown as Appointment | undefined;
  const task = taskFound?.resource as unknown as Task | undefined;
  const actor = appointment?.participant
    .map((participant) => participant.actor)
    .find((one) => one?.reference?.startsWith('HealthcareService/'));
  const service = await gatherService(facts, actor ?? task?.owner ?? request.performer?.[0], '');
  const provider = appointment === undefined && task === undefined ? undefined : service?.organisation;
  const [letterDays, printed, lastContact] = await Promise.all([
    letterDaysOf(facts, request, priority, documents),
    provider === undefined ? undefined : findPrinted(facts, found.id, provider),
    task === undefined ? undefined : lastContactOf(facts, found),
  ]);
  return { found, request, priority, appointment, task, service, documents, letterDays, printed, lastContact, now };
};

/** The ODS code of the organisation that refers: where the requester works, which of a person are his posts. */
export const gatherReferrer = async (facts: Facts, { requester }: ServiceRequest, now: string): Promise<string | undefined> =>
  (await requesterOrganisations({ facts, now }, requester))[0];
