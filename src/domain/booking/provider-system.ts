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

/** The diary is this server's own: the slot's version and claim decide at the commit, and nobody else has to be asked. */
export const localDiary: ProviderSystem = {
  book: () => Promise.resolve('confirmed'),
  cancel: () => Promise.resolve('confirmed'),
};
