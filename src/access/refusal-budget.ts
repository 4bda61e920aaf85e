type Spent = { tokens: number; at: number };

const most = 10_000;
/** seconds of refusals that come at once at most */
const burstSeconds = 5;

/**
 * How many refused logins and forged tokens an address may send: to check a signature costs more than to serve a read, so who sends many
 * that prove nothing is not checked any further for a while. Each process counts for itself. Only refusals count, so nobody who proves
 * who he is uses it up; and one name's refusals at an address are counted apart from the others'.
 */
export class RefusalBudget {
  private readonly spent = new Map<string, Spent>();

  /**
   * @param rate refusals a second; undefined: no limit
   * @param clock epoch ms
   */
  constructor(
    private readonly rate: number | undefined,
    private readonly clock: () => number,
  ) {}

  /** Seconds until the name may try again; 0 when it may now. */
  wait(name: string): number {
    if (this.rate === undefined) return 0;
    const left = this.left(name, this.rate);
    return left >= 1 ? 0 : Math.max(1, Math.ceil((1 - left) / this.rate));
  }

  /** Counts one refusal of the name. */
  count(name: string): void {
    if (this.rate === undefined) return;
    const tokens = this.left(name, this.rate) - 1;
    if (this.spent.size >= most) this.sweep(this.rate);
    this.spent.set(name, { tokens: Math.max(tokens, 0), at: this.clock() });
  }

  private left(name: string, rate: number): number {
    const known = this.spent.get(name);
    const burst = rate * burstSeconds;
    return known === undefined ? burst : Math.min(burst, known.tokens + (Math.max(0, this.clock() - known.at) * rate) / 1000);
  }

  /** Forgets who may do everything again; when that is not enough, everybody, rather than grow. */
  private sweep(rate: number): void {
    for (const name of this.spent.keys()) if (this.left(name, rate) >= rate * burstSeconds) this.spent.delete(name);
    if (this.spent.size >= most) this.spent.clear();
  }
}
