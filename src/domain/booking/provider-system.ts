import { failure, type Failure } from '../../fhir/outcome.js';
import { systems } from '../codes.js';

/** What a provider's own booking system says to a request; e-RS knows the last two as PAS_RESPONDED_WITH_ERROR and PAS_NOT_RESPONDING. */
export type ProviderAnswer = 'confirmed' | 'slot-not-available' | 'error' | 'no-answer';

/** Ids of resources; `service` is the HealthcareService. */
export type ProviderBooking = { readonly service: string; readonly slot: string; readonly referral: string };

/**
 * The system in which a provider keeps its diary. It is asked before the booking is committed here, so that what it refuses is never
 * booked; what it confirmed and the commit then refused is given back with `cancel`, which may be asked twice for one booking.
 */
export type ProviderSystem = {
  readonly book: (booking: ProviderBooking) => Promise<ProviderAnswer>;
  readonly cancel: (booking: ProviderBooking) => Promise<ProviderAnswer>;
};

/** Each answer of a provider's system that is no confirmation, as e-RS names it: 409, 502 or 504. */
export const refusedByProvider = (answer: Exclude<ProviderAnswer, 'confirmed'>): Failure => {
  const coding = (code: string) => ({ coding: { system: systems.errorCodes, code } });
  if (answer === 'error')
    return failure('provider-error', 'exception', "The provider's system answered with an error.", coding('PAS_RESPONDED_WITH_ERROR'));
  if (answer === 'no-answer')
    return failure('provider-timeout', 'timeout', "The provider's system did not answer in time.", coding('PAS_NOT_RESPONDING'));
  return failure('conflict', 'conflict', "The provider's diary has the slot no more.", coding('SLOT_NOT_AVAILABLE'));
};

/** Throws what the provider's system says against a booking, or against its end. */
export const confirmed = async (answer: Promise<ProviderAnswer>): Promise<void> => {
  const given = await answer;
  if (given !== 'confirmed') throw refusedByProvider(given);
};

/** The diary is this server's own: the slot's version and claim decide at the commit, and nobody else has to be asked. */
export const localDiary: ProviderSystem = {
  book: () => Promise.resolve('confirmed'),
  cancel: () => Promise.resolve('confirmed'),
};
