export type BreakerOptions = {
  /** failures in a row that open it */
  readonly failures: number;
  /** ms for which it stays open before one call may try again */
  readonly pauseMs: number;
  /** epoch ms */
  readonly clock: () => number;
};

/**
 * Spares a partner that fails, and whoever waits for it: closed, every call goes out; after some failures in a row open, no call does;
 * after a pause half open: one call goes out, and closes it again or opens it for another pause.
 */
export class CircuitBreaker {
  private failed = 0;
  private openUntil = Number.NEGATIVE_INFINITY;
  private trying = false;

  constructor(private readonly options: BreakerOptions) {}

  /** Whether a call may go out now; each that may must be told of by `succeeded` or `failedAgain`. */
  admits(): boolean {
    if (this.failed < this.options.failures) return true;
    if (this.trying || this.options.clock() < this.openUntil) return false;
    this.trying = true;
    return true;
  }

  succeeded(): void {
    this.failed = 0;
    this.trying = false;
  }

  failedAgain(): void {
    this.failed++;
    this.trying = false;
    this.openUntil = this.options.clock() + this.options.pauseMs;
  }
}
