import type { ServiceRequest } from 'fhir/r4.js';
import { extensions } from '../codes.js';
import { refusal } from '../refusal.js';
import { inState, stateOf } from './referral.js';
import { stateAfter } from './transitions.js';

/** A013: a booked referral, accepted once. Throws INVALID_STATE, or NO_CHANGES_DETECTED the second time. */
export const acceptReferral = (request: ServiceRequest, now: string): ServiceRequest => {
  const state = stateAfter(stateOf(request) ?? 'NOT_BOOKED', 'accept');
  const details = request.extension?.find(({ url }) => url === extensions.state)?.extension ?? [];
  if (details.some(({ url }) => url === 'accepted'))
    throw refusal('business-rule', 'business-rule', 'NO_CHANGES_DETECTED', 'The referral is accepted already.');
  const accepted = inState(request, state);
  return {
    ...accepted,
    extension: (accepted.extension ?? []).map((extension) =>
      extension.url === extensions.state
        ? { ...extension, extension: [...(extension.extension ?? []), { url: 'accepted', valueDateTime: now }] }
        : extension,
    ),
  };
};
