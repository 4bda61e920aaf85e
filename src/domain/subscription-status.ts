import type { Resource } from '../fhir/resource.js';

/**
 * R4 subscription.html: a client asks for a subscription, and the server says what became of it. Nothing is notified here yet, so one that
 * came as `active` is kept as `requested`: none looks as if it were at work. `off` and `error` say that it is not, and stay.
 */
export const withoutActivation = (resource: Resource): Resource =>
  resource.resourceType === 'Subscription' && resource['status'] === 'active' ? { ...resource, status: 'requested' } : resource;
