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
