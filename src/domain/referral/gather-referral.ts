import type { Appointment, Reference, ServiceRequest, Task } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { systems } from '../codes.js';
import type { Facts, Found } from '../command.js';
import { isOfReferrer, lastChangeOf } from '../documents/attachment-type.js';
import { gatherService, type Service } from '../directory/service.js';
import { sideOf } from '../sides.js';
import type { Situation } from '../situation.js';
import { requesterOrganisations } from './gather-requester.js';
import type { ReferralSituation } from './guards.js';

/** A referral with what belongs to it, each with the version that a change is made over. */
export type Referral = ReferralSituation & {
  readonly found: Found;
  readonly appointmentFound?: Found;
  /** the slot that the appointment took */
  readonly slotFound?: Found;
  readonly taskFound?: Found;
  readonly documents: readonly Found[];
};

const documentsAtMost = 100;

export const referralKey = (id: string) => ({ type: 'ServiceRequest', id });

/** The request that a reference names, literally or by its UBRN, if the caller may see it. */
export const findRequest = async (
  { facts, baseUrl }: Pick<Situation, 'facts' | 'baseUrl'>,
  { reference, identifier }: Reference,
): Promise<Found | undefined> => {
  const key = readReference(reference ?? '', baseUrl);
  if (key) return key.type === 'ServiceRequest' ? facts.find(referralKey(key.id)) : undefined;
  if (reference !== undefined || identifier?.system !== systems.ubrn) return undefined;
  return facts.byIdentifier('ServiceRequest', systems.ubrn, identifier.value ?? '');
};

/** The appointment that the referral's claim names: at most one is current. */
const currentAppointment = async (facts: Facts, referral: string): Promise<Found | undefined> => {
  const claim = await facts.findClaim('current-booking', referral);
  const key = readReference(claim?.owner ?? '', '');
  return key && facts.find({ type: key.type, id: key.id }, 'all');
};

export const openTask = async (facts: Facts, referral: string): Promise<Found | undefined> => {
  const [task] = await facts.search(
    {
      type: 'Task',
      where: [
        { kind: 'reference', param: 'focus', any: [referralKey(referral)] },
        { kind: 'token', param: 'status', any: [{ code: 'requested' }] },
      ],
      count: 1,
    },
    'all',
  );
  return task;
};

/** The documents attached to a request, whoever may read it: they are read when it is. */
export const documentsOf = (facts: Facts, request: string): Promise<readonly Found[]> =>
  facts.search(
    {
      type: 'DocumentReference',
      where: [
        { kind: 'reference', param: 'related', any: [referralKey(request)] },
        { kind: 'token', param: 'status', any: [{ code: 'current' }] },
      ],
      count: documentsAtMost,
    },
    'all',
  );

const serviceActor = (appointment: Appointment | undefined): { readonly reference?: string } | undefined =>
  appointment?.participant.map(({ actor }) => actor).find((actor) => actor?.reference?.startsWith('HealthcareService/')) as
    { readonly reference?: string } | undefined;

export const shortlistOf = async (facts: Facts, request: ServiceRequest, baseUrl: string): Promise<readonly Service[]> => {
  const services = await Promise.all((request.performer ?? []).map((performer) => gatherService(facts, performer, baseUrl)));
  return services.flatMap((service) => service ?? []);
};

const hasSubjectDied = async (
  { facts, demographics }: Pick<Situation, 'facts' | 'demographics'>,
  { subject }: ServiceRequest,
): Promise<boolean> => {
  const key = readReference(subject.reference ?? '', '');
  const patient = key?.type === 'Patient' ? await facts.find(key, 'all') : undefined;
  return patient !== undefined && (await demographics.find(patient)).deceased;
};

/** Gathers all that the transition table and the commands look at. `found` was found with the caller's own sight. */
export const gatherReferral = async ({ facts, caller, baseUrl, now, demographics }: Situation, found: Found): Promise<Referral> => {
  const request = found.resource as unknown as ServiceRequest;
  const actor = sideOf(caller);
  const [appointmentFound, taskFound, documents, services, hasDied, referrers] = await Promise.all([
    currentAppointment(facts, found.id),
    openTask(facts, found.id),
    documentsOf(facts, found.id),
    shortlistOf(facts, request, baseUrl),
    hasSubjectDied({ facts, demographics }, request),
    actor === 'referrer' ? requesterOrganisations({ facts, now }, request.requester) : [],
  ]);
  const letters = documents.filter(isOfReferrer);
  const changed = lastChangeOf(letters);
  const appointment = appointmentFound?.resource as unknown as Appointment | undefined;
  const task = taskFound?.resource as unknown as Task | undefined;
  const slotKey = readReference(appointment?.slot?.[0]?.reference ?? '', baseUrl);
  const slotFound = slotKey && (await facts.find(slotKey, 'all'));
  const appointmentService = await gatherService(facts, serviceActor(appointment), baseUrl);
  const taskService = await gatherService(facts, task?.owner, baseUrl);
  return {
    found,
    request,
    services,
    documents,
    hasDocument: letters.length > 0,
    ...(changed === undefined ? {} : { letterChanged: changed }),
    hasDied,
    actor,
    referrers,
    now,
    ...(caller.organisation === undefined ? {} : { organisation: caller.organisation }),
    ...(appointmentFound === undefined || appointment === undefined ? {} : { appointmentFound, appointment }),
    ...(slotFound === undefined ? {} : { slotFound }),
    ...(appointmentService === undefined ? {} : { appointmentService }),
    ...(taskFound === undefined || task === undefined ? {} : { taskFound, task }),
    ...(taskService === undefined ? {} : { taskService }),
  };
};
