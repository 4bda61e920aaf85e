import type { CodeableConcept, Reference, ServiceRequest } from 'fhir/r4.js';
import { addDays, localDayOf } from '../calendar/working-days.js';
import { extensions, systems } from '../codes.js';
import { created, type Decision, type Draft, type Found } from '../command.js';
import { referenceToPatient } from '../demographics/demographics.js';
import type { SearchCriteria } from '../directory/criteria.js';
import { referenceToService, type Service } from '../directory/service.js';
import { accessCodeClaim, newAccessCode } from '../patient-access/access-code.js';
import type { Concept } from '../reference-data/concept.js';
import { gatherPriorityInEffect, gatherPriorityOf } from '../reference-data/priority.js';
import { refuseMisnamed } from '../misnamed.js';
import { refusal } from '../refusal.js';
import { refuseBreaches } from '../rules/rule.js';
import type { Situation } from '../situation.js';
import { gatherPatientToRefer } from './gather-patient.js';
import { gatherRequester } from './gather-requester.js';
import { gatherShortlist } from './gather-shortlist.js';
import { patientRules } from './patient-rules.js';
import { inState, portalLink, withExtension, withPriority, type LetterIntention } from './referral.js';
import type { GivenShortlist } from './shortlist-rules.js';
import { openedTask } from './tasks.js';

/** A new request as it was asked for, by an operation or by a plain create; the expressions say where each part stood. */
export type WantedRequest = {
  readonly kind: GivenShortlist['kind'];
  readonly patient: Reference | undefined;
  readonly shortlist: readonly Reference[];
  /** whom the shortlist says that it is for */
  readonly shortlistFor?: Reference;
  readonly criteria?: SearchCriteria;
  readonly intention?: LetterIntention;
  /** eRS-Priority; without one, what `request` says */
  readonly priority?: string;
  readonly referringClinician?: Reference;
  /** ISO 8601 */
  readonly pathwayStart?: string;
  /** days until the patient is first reminded to book */
  readonly reminderDays?: number;
  /** ServiceRequest as a client sent it, the base of what is made */
  readonly request: Partial<ServiceRequest>;
  readonly at: Readonly<Record<'patient' | 'shortlist' | 'priority' | 'referringClinician' | 'intention' | 'pathwayStart', string>>;
};

export type Gathered = {
  readonly patient: Found;
  readonly services: readonly Service[];
  readonly requester: Reference | undefined;
  readonly priority: Concept;
};

const mostDays = 365;

/** In the past, at most 365 days ago: of a day the day counts, as it is in England, of a moment the moment. */
const isPathwayStart = (start: string, now: string): boolean => {
  const today = localDayOf(now);
  if (/^\d{4}-\d\d-\d\d$/.test(start)) return start <= today && start >= addDays(today, -mostDays);
  const age = Date.parse(now) - Date.parse(start);
  return age >= 0 && age <= mostDays * 86_400_000;
};

const checkPathwayStart = ({ pathwayStart: start, at }: WantedRequest, now: string): void => {
  if (start === undefined || isPathwayStart(start, now)) return;
  throw refusal(
    'business-rule',
    'business-rule',
    'INVALID_VALUE',
    `eReferralPathwayStart lies in the past, at most ${String(mostDays)} days ago.`,
    at.pathwayStart,
  );
};

const gatherPriority = async (situation: Situation, wanted: WantedRequest): Promise<Concept> => {
  const searched = wanted.criteria?.priority;
  if (wanted.priority !== undefined && searched !== undefined && wanted.priority !== searched)
    throw refusal(
      'business-rule',
      'business-rule',
      'CONFLICTING_VALUES',
      `The services were searched for with the priority ${searched}.`,
      wanted.at.priority,
    );
  const code = wanted.priority ?? wanted.criteria?.priority ?? (await gatherPriorityOf(situation.facts, wanted.request));
  return gatherPriorityInEffect(situation, code, wanted.at.priority);
};

/** Gathers what a new request names and refuses, with the codes of e-RS, what their rules forbid. */
export const gatherNew = async (situation: Situation, wanted: WantedRequest): Promise<Gathered> => {
  const { patient, demographic } = await gatherPatientToRefer(situation, wanted.patient);
  refuseMisnamed(wanted.patient, patient, { baseUrl: situation.baseUrl, what: 'patient', expression: wanted.at.patient });
  refuseBreaches(patientRules, { demographic, expression: wanted.at.patient });
  checkPathwayStart(wanted, situation.now);
  const priority = await gatherPriority(situation, wanted);
  const services = await gatherShortlist(situation, {
    kind: wanted.kind,
    references: wanted.shortlist,
    criteria: wanted.criteria,
    patient,
    ...(wanted.shortlistFor === undefined ? {} : { subject: wanted.shortlistFor }),
    priority: priority.code,
    intention: wanted.intention,
    expression: wanted.at.shortlist,
    intentionAt: wanted.at.intention,
  });
  return {
    patient: patient as Found,
    services,
    priority,
    requester: await gatherRequester(situation, {
      named: wanted.referringClinician,
      requester: wanted.request.requester,
      expression: wanted.at.referringClinician,
    }),
  };
};

const referralCategory: CodeableConcept = {
  coding: [
    { system: systems.snomed, code: '3457005', display: 'Patient referral' },
    { system: systems.requestCategory, code: 'referral', display: 'Referral' },
  ],
};

/** The request with all that the server gives it, in no state yet. */
export const madeRequest = (
  wanted: WantedRequest,
  { patient, services, requester, priority }: Gathered,
  made: { readonly id: string; readonly ubrn: string; readonly now: string },
): ServiceRequest => {
  const base: ServiceRequest = {
    ...wanted.request,
    resourceType: 'ServiceRequest',
    id: made.id,
    identifier: [...(wanted.request.identifier ?? []), { system: systems.ubrn, value: made.ubrn }],
    status: 'active',
    intent: 'order',
    // clients find referrals by it, whatever else its maker files them under
    category: [...(wanted.request.category ?? []), referralCategory],
    subject: { ...wanted.request.subject, ...referenceToPatient(patient) },
    // waiting times count from it where no pathway start is given, which has limits of its own
    authoredOn: made.now,
    ...(requester === undefined ? {} : { requester }),
    performer: services.map(referenceToService),
    ...(services[0]?.specialty === undefined ? {} : { performerType: wanted.request.performerType ?? services[0].specialty }),
  };
  const prioritised = withPriority(base, priority);
  // where a service needs a letter, one follows, whether that was said or not
  const needsLetter = wanted.kind !== 'advice' && services.some(({ summary }) => summary.referralLetterRequired);
  const intention = wanted.intention ?? (needsLetter ? 'NEED_TO_ADD_LATER' : undefined);
  const withIntention =
    intention === undefined
      ? prioritised
      : withExtension(prioritised, extensions.letterIntention, { valueCoding: { system: systems.letterIntention, code: intention } });
  const reminded =
    wanted.reminderDays === undefined
      ? withIntention
      : withExtension(withIntention, extensions.reminderDays, { valueUnsignedInt: wanted.reminderDays });
  return wanted.pathwayStart === undefined
    ? reminded
    : withExtension(reminded, extensions.pathwayStart, { valueDateTime: wanted.pathwayStart });
};

const triageTask = (gathered: Gathered, referral: ServiceRequest, { newId, now }: Situation): readonly Draft[] => {
  const service = gathered.services.find(({ flows }) => flows.includes('REVIEW'));
  if (!service) return [];
  const reason = { system: systems.reviewReason, code: 'TRIAGE' };
  return [
    openedTask(
      { code: 'TRIAGE_DEFERRAL', reason, service },
      { referral: referral.id ?? '', subject: referral.subject, priority: gathered.priority },
      { id: newId(), now },
    ),
  ];
};

/** A011, A021 and the plain create: a new referral with its UBRN and access code, not booked yet, or sent for triage. */
export const createReferral = async (situation: Situation, wanted: WantedRequest): Promise<Decision> => {
  const gathered = await gatherNew(situation, wanted);
  const ubrn = situation.newUbrn();
  const id = `r.${situation.newId()}`;
  const request = withExtension(madeRequest(wanted, gathered, { id, ubrn, now: situation.now }), extensions.portalLink, portalLink(ubrn));
  const referral = inState(request, wanted.kind === 'triage' ? 'AWAITING_TRIAGE' : 'NOT_BOOKED');
  return {
    drafts: [created(referral, id), ...(wanted.kind === 'triage' ? triageTask(gathered, referral, situation) : [])],
    claims: [accessCodeClaim(ubrn, newAccessCode(situation.newId))],
    result: { type: 'ServiceRequest', id },
  };
};
