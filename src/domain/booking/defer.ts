import type { Appointment, Coding, Slot } from 'fhir/r4.js';
import { systems } from '../codes.js';
import type { Decision, Facts, Found } from '../command.js';
import { foldedCode } from '../../fhir/search/text.js';
import { isDirectlyBookable, type Service } from '../directory/service.js';
import { codeWithin } from '../reference-data/code-within.js';
import { gatherConcept, type Concept } from '../reference-data/concept.js';
import { gatherPriority } from '../reference-data/priority.js';
import { changeReferral } from '../referral/change-referral.js';
import type { Referral } from '../referral/gather-referral.js';
import { stateAfter } from '../referral/moves.js';
import { refusal } from '../refusal.js';
import { refuseBreaches } from '../rules/rule.js';
import type { Situation } from '../situation.js';
import { proposalRules } from './booking-rules.js';
import { deferralRules } from './deferral-rules.js';
import { hasBegun, isBooked } from './hold.js';
import { referencesIn } from './participants.js';
import { gatherPlace } from './place.js';

const reasonOf = ({ reasonCode = [] }: Appointment): string | undefined =>
  codeWithin(
    reasonCode.flatMap(({ coding }) => coding ?? []),
    systems.reviewReason,
  );

/**
 * The first free slot of a service from now on that A015 shows for a priority: of its type, or of none. A deferral for want of slots is
 * refused while there is one.
 */
const firstFree = async (facts: Facts, service: string, priority: string, now: string): Promise<Found | undefined> => {
  const schedules = await facts.search(
    { type: 'Schedule', where: [{ kind: 'reference', param: 'actor', any: [{ type: 'HealthcareService', id: service }] }], count: 50 },
    'all',
  );
  if (schedules.length === 0) return undefined;
  const at = Date.parse(now);
  const [slot] = await facts.search(
    {
      type: 'Slot',
      where: [
        { kind: 'reference', param: 'schedule', any: schedules.map(({ type, id }) => ({ type, id })) },
        { kind: 'token', param: 'status', any: [{ code: 'free' }] },
        { kind: 'range', param: 'start', any: [{ prefix: 'ge', low: at, high: at }] },
        {
          kind: 'either',
          of: [
            [{ kind: 'token', param: 'appointment-type', any: [{ code: priority }, { code: foldedCode(priority) }] }],
            [{ kind: 'missing', param: 'appointment-type', missing: true }],
          ],
        },
      ],
      count: 1,
    },
    'all',
  );
  return slot;
};

/** The service that is to act: the one that takes part, or the first of the shortlist that does what the reason asks for. */
const serviceOf = (appointment: Appointment, { services }: Referral, reason: Concept | undefined): Service | undefined => {
  const named = referencesIn(appointment.participant, 'HealthcareService')[0];
  if (named !== undefined) return services.find(({ id }) => `HealthcareService/${id}` === named);
  const flow = reason?.one('requestFlow') ?? 'BOOKABLE';
  return services.find(({ flows }) => flows.some((one) => one === flow));
};

/** A016, the other two uses: the provider finds a date (a deferral), or decides what the patient needs (triage). A Task stands for either. */
export const decideDeferral = async (situation: Situation, appointment: Appointment, referral: Referral): Promise<Decision> => {
  const { facts, newId, now } = situation;
  const reason = reasonOf(appointment);
  const concept = await gatherConcept(facts, 'eRS-ReviewReason', reason);
  const isTriage = concept?.one('kind') === 'triage';
  const event = isTriage ? 'triage' : 'defer';
  // the referral first: what its state forbids is said before what is wrong with the reason
  stateAfter(event, referral);
  refuseBreaches(proposalRules, { appointment, subject: referral.request.subject.reference });
  const service = serviceOf(appointment, referral, concept);
  const { slotFound, service: slotService } = await gatherPlace(situation, appointment);
  const slot = slotFound?.type === 'Slot' ? (slotFound.resource as unknown as Slot) : undefined;
  const priority = await gatherPriority(facts, referral.request);
  const asksForSlots = concept?.one('refusedWhile') === 'service-has-slots' && service !== undefined && isDirectlyBookable(service);
  refuseBreaches(deferralRules, {
    reason,
    concept,
    comment: appointment.comment,
    service,
    slotNamed: appointment.slot !== undefined,
    timed: appointment.start !== undefined || appointment.end !== undefined,
    slot,
    slotIsFree: slotFound !== undefined && slot?.status === 'free' && !hasBegun(slot, now) && !(await isBooked(facts, slotFound.id)),
    slotIsTheServices: slotService !== undefined && slotService.id === service?.id,
    hasFreeSlots: asksForSlots && (await firstFree(facts, service.id, priority?.code ?? '', now)) !== undefined,
  });
  const coding: Coding = { system: systems.reviewReason, code: reason ?? '' };
  const steps = changeReferral(
    referral,
    {
      event,
      why: { reason: coding, ...(appointment.comment === undefined ? {} : { comments: appointment.comment }) },
      priority,
      ...(service === undefined
        ? {}
        : { waiting: { code: isTriage ? 'TRIAGE_DEFERRAL' : 'APPOINTMENT_DEFERRAL', reason: coding, service } }),
    },
    { newId, now },
  );
  const task = steps.find(({ type, version }) => type === 'Task' && version === 0);
  if (!task) throw refusal('business-rule', 'business-rule', 'INVALID_STATE', 'The referral is with the provider already.');
  return { drafts: steps, result: { type: 'Task', id: task.id } };
};
