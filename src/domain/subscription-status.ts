import { failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';

/**
 * R4 subscription.html: a client asks by `requested`, only the server makes it `active`. Nothing is notified here yet, so no
 * Subscription may look as if it were.
 *
 * @throws Failure `business-rule`
 */
export const refuseActiveSubscription = ({ resourceType, status }: Resource): void => {
  if (resourceType === 'Subscription' && status !== 'requested' && status !== 'off')
    throw failure('business-rule', 'business-rule', 'A client sends a Subscription as requested or off; only the server makes it active.', {
      expression: ['Subscription.status'],
    });
};
