/** A text that several answers share. From the second of them on it is sent as bytes that were made once: to join and encode it takes longer than to find it. */
export class KeptText {
  private shown = false;
  private made: Buffer | undefined;

  constructor(readonly text: string) {}

  /** Undefined for the first answer: many a text is shown once. */
  bytes(): Buffer | undefined {
    if (!this.shown) {
      this.shown = true;
      return undefined;
    }
    return (this.made ??= Buffer.from(this.text));
  }
}

/** True when two lists hold the very same things in the same order. */
export const isSame = (one: readonly unknown[], other: readonly unknown[]): boolean =>
  one.length === other.length && one.every((item, index) => item === other[index]);

/** What was made last for some keys, `most` of them; the one that was asked for longest ago makes room. */
export class LastMade<Key, Made> {
  private readonly made = new Map<Key, Made>();

  constructor(private readonly most: number) {}

  /** What was made for the key while it `holds`, or what `make` makes now. */
  get(key: Key, holds: (made: Made) => boolean, make: () => Made): Made {
    const known = this.made.get(key);
    const current = known !== undefined && holds(known) ? known : make();
    this.made.delete(key);
    this.made.set(key, current);
    if (this.made.size > this.most) this.forgetOldest();
    return current;
  }

  private forgetOldest(): void {
    for (const oldest of this.made.keys()) {
      this.made.delete(oldest);
      return;
    }
  }
}

/** The wire text of an answer around one that is kept. */
export type Around = { readonly head: string; readonly kept: KeptText; readonly end: string };
