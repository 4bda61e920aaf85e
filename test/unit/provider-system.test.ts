import { bookAtProvider, cancelAtProvider, moveAtProvider } from '../../src/domain/booking/at-provider.js';
import type { ProviderAnswer, ProviderBooking, ProviderSystem } from '../../src/domain/booking/provider-system.js';
import type { Referral } from '../../src/domain/referral/gather-referral.js';
import { categories } from '../../src/fhir/outcome-text.js';
import { Failure } from '../../src/fhir/outcome.js';
import { orUndo } from '../../src/interactions/perform.js';

/** A provider's diary that answers as it is told, and remembers what stands in it. */
const fake = (answers: { readonly book?: ProviderAnswer; readonly cancel?: ProviderAnswer } = {}) => {
  const diary = new Set<string>();
  const nameOf = ({ service, slot }: ProviderBooking) => `${service}/${slot}`;
  const providerSystem: ProviderSystem = {
    book: (booking) => {
      const answer = answers.book ?? 'confirmed';
      if (answer === 'confirmed') diary.add(nameOf(booking));
      return Promise.resolve(answer);
    },
    cancel: (booking) => {
      const answer = answers.cancel ?? 'confirmed';
      if (answer === 'confirmed') diary.delete(nameOf(booking));
      return Promise.resolve(answer);
    },
  };
  return { providerSystem, diary };
};

const booking = { service: 's', slot: 'new', referral: 'r.1' };
const referral = (binding: 'DIRECTLY_BOOKABLE' | 'INDIRECTLY_BOOKABLE' = 'DIRECTLY_BOOKABLE') =>
  ({ found: { id: 'r.1' }, slotFound: { id: 'old' }, appointmentService: { id: 's', binding } }) as unknown as Referral;

const failed = async (doing: Promise<unknown>): Promise<readonly [number, string | undefined]> => {
  const error = await doing.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Failure)) throw new Error('it was not refused');
  return [categories[error.category].status, error.issues[0]?.coding?.code];
};

it.each([
  ['slot-not-available', 409, 'SLOT_NOT_AVAILABLE'],
  ['error', 502, 'PAS_RESPONDED_WITH_ERROR'],
  ['no-answer', 504, 'PAS_NOT_RESPONDING'],
] as const)('a booking that the provider answers with %s is %d %s, and so is the end of one', async (answer, status, code) => {
  expect(await failed(bookAtProvider(fake({ book: answer }), booking))).toEqual([status, code]);
  expect(await failed(cancelAtProvider(fake({ cancel: answer }), referral()))).toEqual([status, code]);
});

it('what was confirmed and then not committed is given back', async () => {
  const { providerSystem, diary } = fake();
  const undo = await bookAtProvider({ providerSystem }, booking);
  expect([...diary]).toEqual(['s/new']);
  await expect(orUndo({ undo }, () => Promise.reject(new Error('taken')))).rejects.toThrow('taken');
  expect([...diary]).toEqual([]);
});

it('a move takes the new slot and gives up the old one, and undone it is as it was', async () => {
  const { providerSystem, diary } = fake();
  await bookAtProvider({ providerSystem }, { ...booking, slot: 'old' });
  const undo = await moveAtProvider({ providerSystem }, referral(), booking);
  expect([...diary]).toEqual(['s/new']);
  await undo();
  expect([...diary]).toEqual(['s/old']);
});

it('a move whose old slot cannot be given up takes no new one', async () => {
  const answers = { cancel: 'confirmed' as ProviderAnswer };
  const { providerSystem, diary } = fake(answers);
  const once: ProviderSystem = {
    ...providerSystem,
    cancel: (asked) => (asked.slot === 'old' ? Promise.resolve('no-answer') : providerSystem.cancel(asked)),
  };
  expect(await failed(moveAtProvider({ providerSystem: once }, referral(), booking))).toEqual([504, 'PAS_NOT_RESPONDING']);
  expect([...diary]).toEqual([]);
});

it('an appointment that was booked by phone is cancelled by phone: no system is asked', async () => {
  const undo = await cancelAtProvider(fake({ cancel: 'error' }), referral('INDIRECTLY_BOOKABLE'));
  await expect(undo()).resolves.toBeUndefined();
});
