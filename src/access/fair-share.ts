/** requests that one process works on at the same time, of all clients together */
const mostAtWork = 64;
/** as few as that when each takes long */
const leastAtWork = 4;
/** ms of this thread that the requests at work may take together: about as long waits who comes to all of them */
const budgetMs = 20;
/** ms after which it is reckoned anew what a request takes */
const reckonedMs = 100;
/** the part of its time from which on the thread has none left */
const saturated = 0.9;
/** how places grow in number when requests wait while the thread has time, and shrink again when it has none */
const [growth, shrinkage] = [1.25, 0.9];
/** a client may have this many times as much at work as there are free places: three quarters when it is alone */
const greed = 3;
/** requests of one client that wait; more are refused */
const mostWaiting = 1000;

/** what a client has at work at most that has just come; each request that is done lets it have one more */
const beginsWith = 8;

export type ShareParts = {
  /** places at most */
  readonly most: number;
  readonly begins: number;
  /** ms that this thread has been busy */
  readonly busy: () => number;
  /** ms */
  readonly clock: () => number;
};

type Waiting = (turn: boolean) => void;
type Place = { atWork: number; allowed: number; readonly queue: Waiting[] };

/** ms that this thread has been busy since it began. */
const busyMs = (): number => performance.eventLoopUtilization().active;

/**
 * Shares this process between clients, also those without a rate limit: who has much at work waits, so that there is room for who
 * has little, and of those who wait he is let in first. Nobody's share depends on how many requests he sends. How many are at work at a
 * time depends on what they take of this thread: of costly ones few, as each step of another request comes after a step of all of them; but
 * so many that the thread is never without work while they wait for something else, such as the commit that many writes share.
 */
export class FairShare {
  private readonly places = new Map<string, Place>();
  private total = 0;
  private limit: number;
  /** places without which the thread would have time left */
  private needed = leastAtWork;
  /** since when, and how busy this thread had been by then; requests done since */
  private since: { readonly at: number; readonly busy: number; done: number };

  private readonly most: number;
  private readonly begins: number;
  private readonly busy: () => number;
  private readonly clock: () => number;

  constructor({ most = mostAtWork, begins = beginsWith, busy = busyMs, clock = () => performance.now() }: Partial<ShareParts> = {}) {
    [this.most, this.begins, this.busy, this.clock] = [most, begins, busy, clock];
    this.limit = most;
    this.since = { at: clock(), busy: busy(), done: 0 };
  }

  /** Resolves when the client's request may go on, to false when too many of its own wait. Every true is followed by one `leave`. */
  enter(client: string): true | Promise<boolean> {
    this.reckon();
    const place = this.placeOf(client);
    if (place.queue.length === 0 && this.isFree(place)) {
      this.begin(place);
      return true;
    }
    if (place.queue.length >= mostWaiting) return Promise.resolve(false);
    return new Promise((resolve) => place.queue.push(resolve));
  }

  /** A request that was let in is done. */
  leave(client: string): void {
    const place = this.placeOf(client);
    place.atWork--;
    place.allowed++;
    this.total--;
    this.forget(client, place);
    this.since.done++;
    this.reckon();
    while (this.letIn());
  }

  /** How many places there are, by what a request took of this thread lately. */
  private reckon(): void {
    const at = this.clock();
    const passed = at - this.since.at;
    if (passed < reckonedMs) return;
    const busy = this.busy();
    const worked = busy - this.since.busy;
    // when nobody was at work, the thread was busy with something else
    const idle = this.total === 0 && this.since.done === 0;
    const isWanting = worked < saturated * passed && [...this.places.values()].some(({ queue }) => queue.length > 0);
    this.needed = Math.max(leastAtWork, isWanting ? this.limit * growth : this.needed * shrinkage);
    const affordable = (budgetMs * Math.max(1, this.since.done)) / worked;
    this.limit = idle ? this.most : Math.min(this.most, Math.round(Math.max(affordable, this.needed)));
    this.since = { at, busy, done: 0 };
  }

  private placeOf(client: string): Place {
    const known = this.places.get(client);
    if (known) return known;
    const place: Place = { atWork: 0, allowed: this.begins, queue: [] };
    this.places.set(client, place);
    return place;
  }

  /** Who has nothing at work is let in also when the others have more than they may have by now. */
  private isFree({ atWork, allowed }: Place): boolean {
    if (atWork === 0) return this.total < this.most;
    const free = this.limit - this.total;
    return free > 0 && atWork < Math.min(greed * free, allowed);
  }

  private begin(place: Place): void {
    place.atWork++;
    this.total++;
  }

  /** Lets in a request, if there is a place for one: of who has least at work; of several who have as little, of who was let in longest ago. */
  private letIn(): boolean {
    let least: readonly [client: string, place: Place] | undefined;
    for (const one of this.places)
      if (one[1].queue.length > 0 && this.isFree(one[1]) && (!least || one[1].atWork < least[1].atWork)) least = one;
    if (!least) return false;
    const [client, place] = least;
    this.begin(place);
    this.places.delete(client);
    this.places.set(client, place);
    place.queue.shift()?.(true);
    return true;
  }

  private forget(client: string, { atWork, queue }: Place): void {
    if (atWork === 0 && queue.length === 0) this.places.delete(client);
  }
}
