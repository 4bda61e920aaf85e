/** statements that run at once, and so connections, of a process that has just begun */
export const atFirst = 2;
const patienceMs = 500;
/** while a connection meets a statement for the first time */
const planningPatienceMs = 5000;
const giveUpMs = 15_000;

type Waiter = { readonly since: number; readonly enter: () => void; readonly refuse: (error: Error) => void };

/** Named so that the store takes it as one of the pool's own: nothing was sent. */
class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/**
 * How many statements run at once: few at first, one more each time somebody had to wait for half a second. A connection costs the server a
 * login and plans of its own, so a burst after a start is better served by few that are warm than by a whole pool of cold ones: while
 * one of them meets a statement for the first time, which takes some servers seconds, another one would only have the same before it.
 */
export class Gate {
  private running = 0;
  /** statements that run and that their connections did not know */
  private planned = 0;
  private readonly waiters: Waiter[] = [];
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param most how many there may be in the end
   * @param now ms of a clock that never goes back
   */
  constructor(
    private readonly most: number,
    private allowed = Math.min(atFirst, most),
    private readonly now: () => number = () => performance.now(),
  ) {}

  get waiting(): number {
    return this.waiters.length;
  }

  /** Throws a TimeoutError when the task did not get its turn in 15 s. */
  async pass<T>(task: () => Promise<T>): Promise<T> {
    if (this.running >= this.allowed)
      await new Promise<void>((enter, refuse) => {
        this.waiters.push({ since: this.now(), enter, refuse });
        this.watch();
      });
    else this.running++;
    try {
      return await task();
    } finally {
      // the turn goes to the next one as it is
      const next = this.waiters.shift();
      if (next) next.enter();
      else this.running--;
    }
  }

  /** A connection begins, or has ended, a statement that it did not know. */
  planning(more: 1 | -1): void {
    this.planned += more;
  }

  private watch(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.look();
      if (this.waiters.length > 0) this.watch();
    }, patienceMs).unref();
  }

  private look(): void {
    for (let first = this.waiters[0]; first && this.now() - first.since >= giveUpMs; first = this.waiters[0]) {
      this.waiters.shift();
      first.refuse(new TimeoutError('no connection became free'));
    }
    const [oldest] = this.waiters;
    // half of the time less: the timer may have been set for somebody before
    const patience = (this.planned > 0 ? planningPatienceMs : patienceMs) - patienceMs / 2;
    if (!oldest || this.allowed >= this.most || this.now() - oldest.since < patience) return;
    this.allowed++;
    this.running++;
    this.waiters.shift();
    oldest.enter();
  }
}
