import type { Caller } from '../access/caller.js';

const providers = new Set([
  'SERVICE_PROVIDER_CLINICIAN',
  'SERVICE_PROVIDER_CLINICIAN_ADMIN',
  'SERVICE_PROVIDER_ADMIN',
  'PROVIDER_AUTHORISED_APPLICATION',
]);

export type Side = 'referrer' | 'provider' | 'patient' | 'system';

/** On which side of a referral a caller stands; the workflow binds all but `system`. */
export const sideOf = (caller: Caller): Side => {
  if (caller.kind === 'system' || caller.kind === 'patient') return caller.kind;
  return providers.has(caller.businessFunction ?? '') ? 'provider' : 'referrer';
};
