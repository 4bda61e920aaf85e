import type { Appointment, PractitionerRole, ServiceRequest, Task } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import type { Facts, Found } from '../command.js';
import { gatherService, organisationOf } from '../directory/service.js';
import { documentsOf, openTask } from '../referral/gather-referral.js';
import { kindOf } from '../referral/referral.js';
import type { Candidate } from './item.js';

/** A referral with the appointment or task that says with which service it is. */
export const gatherCandidate = async (facts: Facts, found: Found, now: string): Promise<Candidate> => {
  const request = found.resource as unknown as ServiceRequest;
  const advice = kindOf(request) === 'advice';
  const [claim, taskFound, documents] = await Promise.all([
    advice ? undefined : facts.findClaim('current-booking', found.id),
    advice ? undefined : openTask(facts, found.id),
    documentsOf(facts, found.id),
  ]);
  const key = readReference(claim?.owner ?? '', '');
  const appointment = (key && (await facts.find(key, 'all')))?.resource as unknown as Appointment | undefined;
  const task = taskFound?.resource as unknown as Task | undefined;
  const actor = appointment?.participant
    .map((participant) => participant.actor)
    .find((one) => one?.reference?.startsWith('HealthcareService/'));
  const service = await gatherService(facts, actor ?? task?.owner ?? request.performer?.[0], '');
  return { found, request, appointment, task, service, documents, now };
};

/** The ODS code of the organisation that refers: of the requester, or of the role that he refers in. */
export const gatherReferrer = async (facts: Facts, { requester }: ServiceRequest): Promise<string | undefined> => {
  const key = readReference(requester?.reference ?? '', '');
  if (key?.type !== 'PractitionerRole') return organisationOf(facts, requester);
  const role = (await facts.find(key, 'all'))?.resource as unknown as PractitionerRole | undefined;
  return organisationOf(facts, role?.organization);
};
