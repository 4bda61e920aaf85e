import { systems } from '../../domain/codes.js';
import { createReferral, type WantedRequest } from '../../domain/referral/new-referral.js';
import type { Situation } from '../../domain/situation.js';
import type { Inputs } from '../parameters.js';
import { needed, optional, optionalCode, searchCriteria } from './declare.js';
import { maybe, onType } from './ers-operation.js';
import { criteriaOf, expressionOf, intentionOf, shortlistAt, shortlistForOf, shortlistOf } from './inputs.js';

/** What A011, A021 and A044 have in common. */
export const requestParameters = [
  needed('patient', 'Reference', 'Patient, or an NHS number as identifier'),
  needed('shortlist', 'List', 'a List of HealthcareServices, or each as a reference', '*'),
  searchCriteria(0),
  optionalCode('priority', systems.priority, 'eRS-Priority; else that of the search criteria, else ROUTINE'),
  optional('referringClinician', 'Reference', 'SDS user id; of a REFERRING_CLINICIAN_ADMIN alone, who must name one'),
] as const;

const referralParameters = [
  ...requestParameters,
  optionalCode('intentionToAddReferralLetter', systems.letterIntention, 'NEED_TO_ADD_LATER or NOT_INTENDING_TO_ADD'),
  optional('firstReminderLetterFollowUpDays', 'unsignedInt', 'days until the patient is reminded to book'),
  optional('eReferralPathwayStart', 'dateTime', 'when the waiting-time clock began: in the past, at most 365 days ago'),
] as const;

export const requestOf = (inputs: Inputs, kind: WantedRequest['kind']): WantedRequest => ({
  kind,
  patient: inputs.reference('patient'),
  shortlist: shortlistOf(inputs),
  ...maybe('shortlistFor', shortlistForOf(inputs)),
  ...maybe('criteria', criteriaOf(inputs, kind === 'advice' ? 'ADVICE_AND_GUIDANCE_REQUEST' : 'APPOINTMENT_REQUEST')),
  ...maybe('priority', inputs.code('priority')),
  ...maybe('referringClinician', inputs.reference('referringClinician')),
  request: {},
  at: {
    patient: expressionOf('patient'),
    shortlist: shortlistAt(inputs),
    priority: expressionOf('priority'),
    referringClinician: expressionOf('referringClinician'),
    intention: expressionOf('intentionToAddReferralLetter'),
    pathwayStart: expressionOf('eReferralPathwayStart'),
  },
});

const referralOf = async (inputs: Inputs, kind: 'referral' | 'triage', situation: Situation): Promise<WantedRequest> => ({
  ...requestOf(inputs, kind),
  ...maybe('intention', await intentionOf(inputs, situation)),
  ...maybe('pathwayStart', inputs.dateTime('eReferralPathwayStart')),
  ...maybe('reminderDays', inputs.number('firstReminderLetterFollowUpDays')),
});

/** e-RS A011. */
export const createReferralOperation = onType({
  code: 'ers.createReferral',
  name: 'CreateReferral',
  description: 'A new referral with a shortlist of 1 to 20 services, not booked yet (e-RS A011).',
  type: 'ServiceRequest',
  parameters: referralParameters,
  decide: async (situation, inputs) => createReferral(situation, await referralOf(inputs, 'referral', situation)),
});

/** e-RS A021. */
export const createReferralAndSendForTriageOperation = onType({
  code: 'ers.createReferralAndSendForTriage',
  name: 'CreateReferralAndSendForTriage',
  description: 'A new referral, sent to the first triage service of its shortlist (e-RS A021).',
  type: 'ServiceRequest',
  parameters: referralParameters,
  decide: async (situation, inputs) => createReferral(situation, await referralOf(inputs, 'triage', situation)),
});
