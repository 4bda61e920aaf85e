import type { Membership } from '../validation/terminology/value-sets.js';

const mostAnswers = 10_000;
const freshMs = 3_600_000;
/** a value set that the server does not know today it may know soon */
const unknownMs = 60_000;

/** What a terminology server said, for an hour; bounded: of too many answers those go first that were asked for longest ago. */
export class AnswerCache {
  private readonly kept = new Map<string, { readonly answer: Membership; readonly until: number }>();

  /** @param clock epoch ms */
  constructor(private readonly clock: () => number) {}

  find(key: string): Membership | undefined {
    const entry = this.kept.get(key);
    if (entry === undefined) return undefined;
    this.kept.delete(key);
    if (entry.until <= this.clock()) return undefined;
    // a Map keeps the order of insertion: what is asked for stands last
    this.kept.set(key, entry);
    return entry.answer;
  }

  keep(key: string, answer: Membership): void {
    this.kept.delete(key);
    this.kept.set(key, { answer, until: this.clock() + (answer === 'unknown' ? unknownMs : freshMs) });
    if (this.kept.size <= mostAnswers) return;
    const [oldest] = this.kept.keys();
    if (oldest !== undefined) this.kept.delete(oldest);
  }
}
