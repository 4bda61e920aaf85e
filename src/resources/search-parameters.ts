import type { SearchParameter } from 'fhir/r4.js';
import { extensions } from '../domain/codes.js';

/** Search parameters beside R4's own: what the worklists of e-RS select by. */
export const ersSearchParameters: readonly SearchParameter[] = [
  {
    resourceType: 'SearchParameter',
    id: 'ers-ServiceRequest-state',
    url: 'https://fhir.nhs.uk/SearchParameter/ers-ServiceRequest-state',
    name: 'state',
    status: 'active',
    description: 'The state of a referral (eRS-ReferralState) or of a request for advice (eRS-AdviceAndGuidanceStatus).',
    code: 'state',
    base: ['ServiceRequest'],
    type: 'token',
    expression: `ServiceRequest.extension.where(url = '${extensions.state}').extension.where(url = 'state').value`,
  },
];
