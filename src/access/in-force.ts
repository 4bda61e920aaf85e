/** What says from when to when a PractitionerRole is held. */
export type Held = {
  readonly active?: boolean | undefined;
  readonly period?: { readonly start?: string | undefined; readonly end?: string | undefined } | undefined;
};

/** A role that was ended, or whose time has not come, gives nobody a function. `now`: epoch ms. */
export const inForce = ({ active, period }: Held, now: number): boolean => {
  const today = new Date(now).toISOString();
  const before = (date: string): boolean => date < today.slice(0, date.length);
  return active !== false && !(period?.end !== undefined && before(period.end)) && !(period?.start !== undefined && period.start > today);
};
