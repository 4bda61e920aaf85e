import type { Referral } from '../referral/gather-referral.js';
import type { Situation } from '../situation.js';
import { confirmed, type ProviderBooking } from './provider-system.js';

type Undo = () => Promise<unknown>;
type Asker = Pick<Situation, 'providerSystem'>;

/** Has the provider's system book; resolves with what gives the booking back. Throws what it refuses: 409, 502 or 504. */
export const bookAtProvider = async ({ providerSystem }: Asker, booking: ProviderBooking): Promise<Undo> => {
  await confirmed(providerSystem.book(booking));
  return () => providerSystem.cancel(booking);
};

const bookingOf = ({ appointmentService, slotFound, found }: Referral): ProviderBooking | undefined =>
  slotFound && { service: appointmentService?.id ?? '', slot: slotFound.id, referral: found.id };

/**
 * Has the provider's system cancel the booking of a referral, where it has one in a diary: a provider that books by phone cancels so too.
 * Resolves with what books it again.
 */
export const cancelAtProvider = async ({ providerSystem }: Asker, referral: Referral): Promise<Undo> => {
  const booking = bookingOf(referral);
  if (!booking || referral.appointmentService?.binding === 'INDIRECTLY_BOOKABLE') return () => Promise.resolve();
  await confirmed(providerSystem.cancel(booking));
  return () => providerSystem.book(booking);
};

/** Has the provider's system book another slot in place of the one that a referral has; when that cannot be given up, neither is taken. */
export const moveAtProvider = async (asker: Asker, referral: Referral, booking: ProviderBooking): Promise<Undo> => {
  const giveBack = await bookAtProvider(asker, booking);
  try {
    const bookAgain = await cancelAtProvider(asker, referral);
    return async () => {
      await bookAgain();
      await giveBack();
    };
  } catch (error) {
    await giveBack();
    throw error;
  }
};
