import type { Patient, Practitioner, PractitionerRole, Reference, ServiceRequest } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { extensions, systems } from '../codes.js';
import { created, type Decision, type Draft, type Facts, type Found } from '../command.js';
import { nhsNumberOf } from '../demographics/demographics.js';
import { criteriaRules } from '../directory/criteria-rules.js';
import type { SearchCriteria } from '../directory/criteria.js';
import { gatherCriteria, notInResults } from '../directory/gather-criteria.js';
import { gatherService, organisationOf, referenceToService, type Service } from '../directory/service.js';
import { accessCodeClaim, newAccessCode } from '../patient-access/access-code.js';
import { gatherConcept, isInEffect, type Concept } from '../reference-data/concept.js';
import { refusal } from '../refusal.js';
import { refuseBreaches } from '../rules/rule.js';
import type { Situation } from '../situation.js';
import { patientRules } from './patient-rules.js';
import { referrerRules, requesterRules, type HeldPost } from './referrer-rules.js';
import { inState, priorityOf, withExtension, withPriority, type LetterIntention } from './referral.js';
import { shortlistRules, type GivenShortlist } from './shortlist-rules.js';
import { openedTask } from './tasks.js';

/** A new request as it was asked for, by an operation or by a plain create; the expressions say where each part stood. */
export type WantedRequest = {
  readonly kind: GivenShortlist['kind'];
  readonly patient: Reference | undefined;
  readonly shortlist: readonly Reference[];
  readonly criteria?: SearchCriteria;
  readonly intention?: LetterIntention;
  /** eRS-Priority; without one, what `request` says */
  readonly priority?: string;
  /** SDS user id */
  readonly referringClinician?: string;
  /** ISO 8601 */
  readonly pathwayStart?: string;
  /** ServiceRequest as a client sent it, the base of what is made */
  readonly request: Partial<ServiceRequest>;
  readonly at: { readonly patient: string; readonly shortlist: string; readonly priority: string; readonly referringClinician: string };
};

export type Gathered = {
  readonly patient: Found;
  readonly services: readonly Service[];
  readonly requester: Reference | undefined;
  readonly priority: Concept;
};

export const gatherPatient = async ({ facts, baseUrl }: Situation, reference: Reference | undefined): Promise<Found | undefined> => {
  const key = readReference(reference?.reference ?? '', baseUrl);
  const found = key
    ? await facts.find(key)
    : await facts.byIdentifier('Patient', reference?.identifier?.system ?? systems.nhsNumber, reference?.identifier?.value ?? '');
  return found?.type === 'Patient' ? found : undefined;
};

const postsOf = async (facts: Facts, sdsUser: string | undefined): Promise<readonly HeldPost[] | undefined> => {
  const practitioner = sdsUser === undefined ? undefined : await facts.byIdentifier('Practitioner', systems.sdsUser, sdsUser);
  if (!practitioner) return undefined;
  const roles = await facts.search(
    {
      type: 'PractitionerRole',
      where: [{ kind: 'reference', param: 'practitioner', any: [{ type: 'Practitioner', id: practitioner.id }] }],
      count: 100,
    },
    'all',
  );
  return Promise.all(
    roles.map(async ({ id, resource }) => {
      const role = resource as unknown as PractitionerRole;
      return {
        id,
        active: role.active !== false,
        organisation: await organisationOf(facts, role.organization),
        functions: (role.code ?? []).flatMap(({ coding }) => (coding ?? []).flatMap(({ code }) => code ?? [])),
      };
    }),
  );
};

/** ODS codes of where a requester works; none for whom no organisation is known. */
const requesterOrganisations = async (facts: Facts, requester: Reference): Promise<readonly string[]> => {
  const direct = await organisationOf(facts, requester);
  if (direct !== undefined) return [direct];
  const key = readReference(requester.reference ?? '', '');
  const found = key && (await facts.find(key, 'all'));
  if (found?.type === 'PractitionerRole')
    return listed(await organisationOf(facts, (found.resource as unknown as PractitionerRole).organization));
  const identifiers =
    found?.type === 'Practitioner' ? (found.resource as unknown as Practitioner).identifier : listed(requester.identifier);
  const sdsUser = identifiers?.find(({ system }) => system === systems.sdsUser)?.value;
  return ((await postsOf(facts, sdsUser)) ?? []).flatMap((post) => (post.active ? listed(post.organisation) : []));
};

const listed = <T>(value: T | undefined): readonly T[] => (value === undefined ? [] : [value]);

/** Who refers: the post that the request names, else that of the caller, or of whom an administrator names. */
const gatherRequester = async ({ facts, caller }: Situation, wanted: WantedRequest): Promise<Reference | undefined> => {
  if (caller.kind === 'system') return wanted.request.requester;
  const { businessFunction, organisation } = caller;
  const named = await postsOf(facts, wanted.referringClinician);
  // a plain create has no parameter for the clinician: its requester says whom the administrator refers for
  if (wanted.request.requester === undefined)
    refuseBreaches(referrerRules, {
      businessFunction,
      organisation,
      named: wanted.referringClinician,
      posts: named,
      expression: wanted.at.referringClinician,
    });
  const { requester } = wanted.request;
  if (requester !== undefined) {
    const organisations = await requesterOrganisations(facts, requester);
    refuseBreaches(requesterRules, { organisation, organisations, expression: 'ServiceRequest.requester' });
    return requester;
  }
  const sdsUser = wanted.referringClinician ?? caller.user;
  const post = (named ?? (await postsOf(facts, sdsUser)) ?? []).find((held) => held.organisation === organisation);
  if (!post) return undefined;
  return { reference: `PractitionerRole/${post.id}` };
};

const yearMs = 365 * 86_400_000;

const checkPathwayStart = (start: string | undefined, now: string): void => {
  if (start === undefined) return;
  const age = Date.parse(now) - Date.parse(start);
  if (!(age >= 0 && age <= yearMs))
    throw refusal(
      'business-rule',
      'business-rule',
      'INVALID_VALUE',
      'eReferralPathwayStart lies in the past, at most 365 days ago.',
      "Parameters.parameter.where(name='eReferralPathwayStart')",
    );
};

const gatherPriority = async ({ facts, now }: Situation, wanted: WantedRequest): Promise<Concept> => {
  const code = wanted.priority ?? wanted.criteria?.priority ?? priorityOf({ ...wanted.request } as ServiceRequest);
  const concept = await gatherConcept(facts, 'PRIORITY', code);
  if (!concept || !isInEffect(concept, now))
    throw refusal('business-rule', 'code-invalid', 'INVALID_CODE', `${code} is no priority in effect.`, wanted.at.priority);
  return concept;
};

/** Gathers what a new request names and refuses, with the codes of e-RS, what their rules forbid. */
export const gatherNew = async (situation: Situation, wanted: WantedRequest): Promise<Gathered> => {
  const { facts, baseUrl } = situation;
  const patient = await gatherPatient(situation, wanted.patient);
  const demographic = patient && (await situation.demographics.find(patient));
  refuseBreaches(patientRules, { demographic, expression: wanted.at.patient });
  checkPathwayStart(wanted.pathwayStart, situation.now);
  const services = await Promise.all(wanted.shortlist.map((reference) => gatherService(facts, reference, baseUrl)));
  const priority = await gatherPriority(situation, wanted);
  const known = services.flatMap((service) => service ?? []);
  const criteria = wanted.criteria && (await gatherCriteria(situation, wanted.criteria, patient));
  if (criteria) refuseBreaches(criteriaRules, criteria);
  refuseBreaches(shortlistRules, {
    kind: wanted.kind,
    services,
    priority: priority.code as GivenShortlist['priority'],
    intention: wanted.intention,
    notInResults: criteria ? await notInResults(facts, known, criteria) : [],
    expression: wanted.at.shortlist,
  });
  return { patient: patient as Found, services: known, priority, requester: await gatherRequester(situation, wanted) };
};

/** e-RS commands write the patient both ways: as a literal reference and by NHS number. */
export const referenceToPatient = (patient: Found): Reference => {
  const number = nhsNumberOf(patient.resource as unknown as Patient);
  return {
    reference: `Patient/${patient.id}`,
    ...(number === undefined ? {} : { identifier: { system: systems.nhsNumber, value: number } }),
  };
};

const referralCategory = [
  {
    coding: [
      { system: systems.snomed, code: '3457005', display: 'Patient referral' },
      { system: systems.requestCategory, code: 'referral', display: 'Referral' },
    ],
  },
];

const portal = 'https://refer.nhs.uk/nhslogin?ubrn=';

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
    category: wanted.request.category ?? referralCategory,
    subject: { ...wanted.request.subject, ...referenceToPatient(patient) },
    authoredOn: wanted.request.authoredOn ?? made.now,
    ...(requester === undefined ? {} : { requester }),
    performer: services.map(referenceToService),
    ...(services[0]?.specialty === undefined ? {} : { performerType: wanted.request.performerType ?? services[0].specialty }),
  };
  const prioritised = withPriority(base, {
    code: priority.code,
    requestPriority: priority.one('requestPriority') ?? base.priority ?? 'routine',
  });
  const withIntention =
    wanted.intention === undefined
      ? prioritised
      : withExtension(prioritised, extensions.letterIntention, {
          valueCoding: { system: systems.letterIntention, code: wanted.intention },
        });
  return wanted.pathwayStart === undefined
    ? withIntention
    : withExtension(withIntention, extensions.pathwayStart, { valueDateTime: wanted.pathwayStart });
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
  const request = withExtension(madeRequest(wanted, gathered, { id, ubrn, now: situation.now }), extensions.portalLink, {
    valueUrl: `${portal}${ubrn}`,
  });
  const referral = inState(request, wanted.kind === 'triage' ? 'AWAITING_TRIAGE' : 'NOT_BOOKED');
  return {
    drafts: [created(referral, id), ...(wanted.kind === 'triage' ? triageTask(gathered, referral, situation) : [])],
    claims: [accessCodeClaim(ubrn, newAccessCode(situation.newId))],
    result: { type: 'ServiceRequest', id },
  };
};
