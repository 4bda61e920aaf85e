import { troubleOf, type Trouble } from './server-errors.js';

const attempts = 6;
const budgetMs = 5000;
/** full jitter: many losers of one deadlock do not meet again */
const backoff = (attempt: number): number => Math.random() * Math.min(500, 10 * 2 ** attempt);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs again what failed for reasons that pass, within a budget of tries and time; counts what it met. */
export class Retries {
  private readonly met = new Map<Trouble, number>();
  private again = 0;

  /**
   * @param now ms of a clock that never goes back
   * @param wait resolves after so many ms
   */
  constructor(
    private readonly now: () => number = () => performance.now(),
    private readonly wait: (ms: number) => Promise<void> = pause,
  ) {}

  /** how often something was run again */
  get count(): number {
    return this.again;
  }

  /** failures that may pass, by what they were */
  get troubles(): ReadonlyMap<Trouble, number> {
    return this.met;
  }

  /** Throws the last error of the task when it is not to be repeated, or the budget is spent. */
  async run<T>(task: () => Promise<T>, mayRepeat: (error: unknown) => boolean = (error) => troubleOf(error) !== 'fault'): Promise<T> {
    const until = this.now() + budgetMs;
    for (let attempt = 1; ; attempt++) {
      try {
        return await task();
      } catch (error) {
        const trouble = troubleOf(error);
        if (trouble !== 'fault') this.met.set(trouble, (this.met.get(trouble) ?? 0) + 1);
        if (!mayRepeat(error) || attempt >= attempts || this.now() > until) throw error;
        this.again++;
        await this.wait(backoff(attempt));
      }
    }
  }
}
