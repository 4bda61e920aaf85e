/** refusals a second of one kind that are written down one by one */
const perSecond = 50;
const most = 1000;

type Second = { since: number; count: number };

/**
 * Keeps a flood of refusals from filling the trail: of each kind so many a second are told one by one, the rest as a number, with the first
 * one that comes later.
 */
export class Flood {
  private readonly seconds = new Map<string, Second>();

  /** @param clock epoch ms */
  constructor(private readonly clock: () => number) {}

  /**
   * Whether this refusal is to be written down, and how many like it were not before it.
   *
   * @param kind what floods: a client, or everybody without a token
   */
  admit(kind: string): { readonly told: boolean; readonly untold: number } {
    const now = this.clock();
    const second = this.seconds.get(kind);
    if (second && now - second.since < 1000) {
      second.count++;
      return { told: second.count <= perSecond, untold: 0 };
    }
    if (!second && this.seconds.size >= most) this.seconds.clear();
    this.seconds.set(kind, { since: now, count: 1 });
    return { told: true, untold: Math.max(0, (second?.count ?? 0) - perSecond) };
  }
}
