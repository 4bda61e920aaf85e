export type Scale = 'small' | 'region' | 'national';

export type Size = {
  /** organisations: GP practices that refer, and providers of services (a commissioner comes on top) */
  readonly practices: number;
  readonly providers: number;
  readonly services: number;
  readonly slots: number;
  readonly patients: number;
  readonly referrals: number;
  /** clinic sessions of a service in a week */
  readonly sessionsAWeek: 1 | 2;
};

/** Contract section 9. The `small` figures are about right by construction; the others are exact. */
export const sizes = {
  small: { practices: 4, providers: 5, services: 60, slots: 10_000, patients: 200, referrals: 150, sessionsAWeek: 2 },
  region: { practices: 69, providers: 30, services: 5_000, slots: 250_000, patients: 100_000, referrals: 100_000, sessionsAWeek: 2 },
  national: {
    practices: 6_000,
    providers: 1_100,
    services: 50_000,
    slots: 1_000_000,
    patients: 1_000_000,
    referrals: 1_000_000,
    sessionsAWeek: 1,
  },
} as const satisfies Readonly<Record<Scale, Size>>;

export const isScale = (text: string): text is Scale => Object.hasOwn(sizes, text);
