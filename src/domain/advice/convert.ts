import type { Coding, ServiceRequest } from 'fhir/r4.js';
import { extensions, systems } from '../codes.js';
import { readReference } from '../../fhir/references.js';
import { changed, created, type Decision, type Found } from '../command.js';
import { referenceToService } from '../directory/service.js';
import { attachFiles, type GivenFiles } from '../documents/attachments.js';
import { accessCodeClaim, newAccessCode } from '../patient-access/access-code.js';
import { gatherPriorityInEffect, gatherPriorityOf } from '../reference-data/priority.js';
import { patientRules } from '../referral/patient-rules.js';
import { inState, portalLink, ubrnOf, withExtension, withPriority } from '../referral/referral.js';
import { openedTask } from '../referral/tasks.js';
import { transitionOf } from '../referral/transitions.js';
import { refusal } from '../refusal.js';
import { refuseBreaches } from '../rules/rule.js';
import type { Situation } from '../situation.js';
import { checkText } from './ask.js';
import { adviceAfter, gatherAdvice, mayConvert, message, serviceTaking, type Advice } from './conversation.js';

export type Conversion = {
  readonly guidance?: string;
  readonly comments: string;
  readonly priority?: string;
  readonly files: GivenFiles;
};

const at = (name: string): string => `Parameters.parameter.where(name='${name}')`;

const referralOf = (advice: Advice, id: string, ubrn: string, situation: Situation, comments: string): ServiceRequest => {
  const { code: _code, extension, supportingInfo, ...rest } = advice.request;
  const base: ServiceRequest = {
    ...rest,
    id,
    status: 'active',
    category: [
      {
        coding: [
          { system: systems.snomed, code: '3457005', display: 'Patient referral' },
          { system: systems.requestCategory, code: 'referral', display: 'Referral' },
        ],
      },
    ],
    authoredOn: situation.now,
    supportingInfo: [...(supportingInfo ?? []), { reference: `ServiceRequest/${advice.found.id}` }],
    extension: (extension ?? []).filter(({ url }) => url !== extensions.state && url !== extensions.conversionAuthorisation),
  };
  const reason: Coding = { system: systems.reviewOutcome, code: 'PROVIDER_CONVERTED_ADVICE_AND_GUIDANCE_ADMIN_TO_REFER' };
  const linked = withExtension(base, extensions.portalLink, portalLink(ubrn));
  const { to } = transitionOf('convert-advice');
  return inState(linked, to === 'same' ? 'NOT_BOOKED' : to, { reason, comments, reviewed: situation.now });
};

/** No referral is made for a patient whom the practice could not refer. */
const checkPatient = async ({ facts, baseUrl, demographics }: Situation, { subject }: ServiceRequest): Promise<void> => {
  const key = readReference(subject.reference ?? '', baseUrl);
  const patient = key && (await facts.find(key, 'all'));
  refuseBreaches(patientRules, { demographic: patient && (await demographics.find(patient)), expression: 'ServiceRequest.subject' });
};

/** The referral has the id of the request, as it has its UBRN: `r.` in place of `a.` (as A041 shows the two). */
const idOfReferral = async ({ facts, newId }: Situation, { id }: Found): Promise<string> => {
  if (!id.startsWith('a.')) return `r.${newId()}`;
  const wanted = `r.${id.slice(2)}`;
  if (await facts.find({ type: 'ServiceRequest', id: wanted }, 'all'))
    throw refusal('conflict', 'duplicate', 'INVALID_REQUEST_STATE', 'The request was made a referral already.', 'ServiceRequest');
  return wanted;
};

/** A027: the provider makes a referral of the request for advice, under the same UBRN, and will act on it itself. */
export const convertAdvice = async (situation: Situation, found: Found, conversion: Conversion): Promise<Decision> => {
  const { newId, now } = situation;
  const advice = await gatherAdvice(situation, found);
  const next = await adviceAfter(advice, 'convert', situation);
  if (!(await mayConvert(situation, advice.request)))
    throw refusal(
      'business-rule',
      'business-rule',
      'INVALID_REQUEST_STATE',
      'The referrer has not authorised the conversion.',
      'ServiceRequest.extension',
    );
  checkText(conversion.comments, 'reviewComments', 2000);
  if (conversion.guidance !== undefined) checkText(conversion.guidance, 'guidance');
  const code = conversion.priority ?? (await gatherPriorityOf(situation.facts, advice.request));
  const priority = await gatherPriorityInEffect(situation, code, at('newReferralPriority'));
  const service = serviceTaking(advice, priority, at('newReferralPriority'));
  await checkPatient(situation, advice.request);
  const ubrn = ubrnOf(advice.request) ?? situation.newUbrn();
  const id = await idOfReferral(situation, found);
  const referral = withPriority(referralOf(advice, id, ubrn, situation, conversion.comments), priority);
  const files = await attachFiles(situation, conversion.files, { type: 'PROVIDER', request: id, subject: referral.subject, existing: [] });
  const reason: Coding = { system: systems.reviewOutcome, code: 'PROVIDER_CONVERTED_ADVICE_AND_GUIDANCE_ADMIN_TO_REFER' };
  const task = openedTask(
    { code: 'APPOINTMENT_DEFERRAL', reason, service },
    { referral: id, subject: referral.subject, priority },
    { id: newId(), now },
  );
  const said =
    conversion.guidance === undefined
      ? []
      : [
          message(
            { id: found.id, subject: advice.request.subject },
            { category: 'RESPONDER', text: conversion.guidance, sender: referenceToService(service), files: [] },
            situation,
          ),
        ];
  return {
    drafts: [created(referral, id), changed(found, next), task, ...files, ...said],
    claims: [accessCodeClaim(ubrn, newAccessCode(newId))],
    result: { type: 'ServiceRequest', id },
  };
};
