import { acceptReferralOperation } from './accept-referral.js';
import type { Operation } from './operation.js';

/** Every operation offered; the CapabilityStatement and the dispatcher read this list. */
export const operations: readonly Operation[] = [acceptReferralOperation];

export const findOperation = (type: string, code: string): Operation | undefined =>
  operations.find(({ definition }) => definition.code === code && definition.resource?.includes(type as never) === true);
