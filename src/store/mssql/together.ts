type Waiting<Wanted, Found> = {
  readonly wanted: Wanted;
  readonly resolve: (found: Found | undefined) => void;
  readonly reject: (error: unknown) => void;
};

/** of one statement */
const most = 500;

/**
 * What is asked for side by side is read by one statement: commands gather many records, and a round trip is most of what each would
 * cost. A read begins after it was asked for, so it sees all that was committed before.
 */
export class Together<Wanted, Found> {
  private waiting: Waiting<Wanted, Found>[] = [];

  /** @param readAll answers for each of several, in their order, undefined where there is nothing */
  constructor(private readonly readAll: (wanted: readonly Wanted[]) => Promise<readonly (Found | undefined)[]>) {}

  read(wanted: Wanted): Promise<Found | undefined> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ wanted, resolve, reject });
      // after all promises of this turn have gone on: they may ask for more
      if (this.waiting.length === 1)
        void Promise.resolve().then(() => {
          process.nextTick(() => {
            this.begin();
          });
        });
    });
  }

  private begin(): void {
    const all = this.waiting;
    this.waiting = [];
    for (let from = 0; from < all.length; from += most) this.answer(all.slice(from, from + most));
  }

  private answer(some: readonly Waiting<Wanted, Found>[]): void {
    this.readAll(some.map(({ wanted }) => wanted)).then(
      (found) => {
        some.forEach(({ resolve }, at) => {
          resolve(found[at]);
        });
      },
      (error: unknown) => {
        for (const { reject } of some) reject(error);
      },
    );
  }
}
