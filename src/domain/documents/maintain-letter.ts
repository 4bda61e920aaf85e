import type { ServiceRequest } from 'fhir/r4.js';
import { extensions } from '../codes.js';
import type { Decision, Found } from '../command.js';
import { addInformation } from '../advice/add-information.js';
import { changeReferral } from '../referral/change-referral.js';
import { gatherReferral } from '../referral/gather-referral.js';
import { kindOf, withExtension } from '../referral/referral.js';
import type { Situation } from '../situation.js';
import { stateAfter } from '../referral/moves.js';
import { firstOf, isOfReferrer } from './attachment-type.js';
import { replaceFiles, type GivenFiles } from './attachments.js';

const hasFirst = (request: ServiceRequest): boolean => request.extension?.some(({ url }) => url === extensions.clinicalInfoFirst) === true;

/**
 * The request with the times of its clinical information (e-RS ClinicalInfoFirstSubmitted, ClinicalInfoLastUpdated). `first`: when the first
 * of the files was attached that it has already.
 */
const withClinicalInformation = (request: ServiceRequest, now: string, first = now): ServiceRequest => {
  const begun = hasFirst(request) ? request : withExtension(request, extensions.clinicalInfoFirst, { valueDateTime: first });
  return withExtension(begun, extensions.clinicalInfoLast, { valueDateTime: now });
};

/** A012: the whole set of the referrer's attachments anew; at least one stays. On a request for advice it answers the provider. */
export const maintainReferralLetter = async (situation: Situation, found: Found, files: GivenFiles): Promise<Decision> => {
  if (kindOf(found.resource as unknown as ServiceRequest) === 'advice') return addInformation(situation, found, files);
  const referral = await gatherReferral(situation, found);
  stateAfter('change-letter', referral);
  const drafts = await replaceFiles(situation, files, {
    type: 'REFERRER',
    request: found.id,
    subject: referral.request.subject,
    existing: referral.documents,
  });
  const first = firstOf(referral.documents.filter(isOfReferrer));
  const step = {
    event: 'change-letter' as const,
    request: (request: ServiceRequest) => withClinicalInformation(request, situation.now, first),
  };
  return { drafts: [...changeReferral(referral, step, situation), ...drafts], result: found };
};
