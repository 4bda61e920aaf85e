/**
 * Whole years from a FHIR date of birth to a moment. A date without day or month counts from its last day, so that nobody is taken for
 * older than he can be.
 *
 * @param now epoch ms
 */
export const ageOn = (birthDate: string, now: number): number => {
  const [year = 0, month = 12, day = 31] = birthDate.split('-').map(Number);
  const today = new Date(now);
  const had = today.getUTCMonth() + 1 > month || (today.getUTCMonth() + 1 === month && today.getUTCDate() >= day);
  return today.getUTCFullYear() - year - (had ? 0 : 1);
};
