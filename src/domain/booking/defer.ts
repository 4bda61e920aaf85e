import type { Appointment, Coding, Slot } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { systems } from '../codes.js';
import type { Decision, Facts, Found } from '../command.js';
import type { Service } from '../directory/service.js';
import { gatherConcept } from '../reference-data/concept.js';
import { changeReferral } from '../referral/change-referral.js';
import type { Referral } from '../referral/gather-referral.js';
import { priorityOf } from '../referral/referral.js';
import { refusal } from '../refusal.js';
import { refuseBreaches } from '../rules/rule.js';
import type { Situation } from '../situation.js';
import { deferralRules, type DeferralReason } from './deferral-rules.js';

const reasonOf = ({ reasonCode }: Appointment): string | undefined =>
  (reasonCode ?? []).flatMap(({ coding }) => coding ?? []).find(({ system }) => system === systems.reviewReason || system === undefined)
    ?.code;

/** The first free slot of a service from now on: a deferral for want of slots is refused while there is one. */
const firstFree = async (facts: Facts, service: string, now: string): Promise<Found | undefined> => {
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
      ],
      count: 1,
    },
    'all',
  );
  return slot;
};

const serviceOf = (appointment: Appointment, { services }: Referral, reason: DeferralReason | undefined): Service | undefined => {
  const named = appointment.participant
    .map(({ actor }) => actor?.reference)
    .find((reference) => reference?.startsWith('HealthcareService/'));
  if (named !== undefined) return services.find(({ id }) => `HealthcareService/${id}` === named);
  const flow = reason === 'TRIAGE' ? 'REVIEW' : 'BOOKABLE';
  return services.find(({ flows }) => flows.includes(flow));
};

/** A016, the other two uses: the provider finds a date (a deferral), or decides what the patient needs (triage). A Task stands for either. */
export const decideDeferral = async (situation: Situation, appointment: Appointment, referral: Referral): Promise<Decision> => {
  const { facts, baseUrl, newId, now } = situation;
  const reason = reasonOf(appointment) as DeferralReason | undefined;
  const service = serviceOf(appointment, referral, reason);
  const slotKey = readReference(appointment.slot?.[0]?.reference ?? '', baseUrl);
  const slot = slotKey && (await facts.find(slotKey, 'all'));
  const free = service && reason === 'NO_SLOTS_AT_SERVICE' ? await firstFree(facts, service.id, now) : undefined;
  refuseBreaches(deferralRules, {
    reason,
    comment: appointment.comment,
    service,
    slotNamed: appointment.slot !== undefined,
    slotStatus: (slot?.resource as unknown as Slot | undefined)?.status,
    hasFreeSlots: free !== undefined,
  });
  const coding: Coding = { system: systems.reviewReason, code: reason ?? '' };
  const steps = changeReferral(
    referral,
    {
      event: reason === 'TRIAGE' ? 'triage' : 'defer',
      why: { reason: coding, ...(appointment.comment === undefined ? {} : { comments: appointment.comment }) },
      priority: await gatherConcept(facts, 'PRIORITY', priorityOf(referral.request)),
      ...(service === undefined
        ? {}
        : { waiting: { code: reason === 'TRIAGE' ? 'TRIAGE_DEFERRAL' : 'APPOINTMENT_DEFERRAL', reason: coding, service } }),
    },
    { newId, now },
  );
  const task = steps.find(({ type, version }) => type === 'Task' && version === 0);
  if (!task) throw refusal('business-rule', 'business-rule', 'INVALID_STATE', 'The referral is with the provider already.');
  return { drafts: steps, result: { type: 'Task', id: task.id } };
};
