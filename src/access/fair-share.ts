/** requests that one process works on at the same time, of all clients together */
const mostAtWork = 64;
/** ms of a turn of the event loop after which a client that had its part of it waits for the next one */
const budgetMs = 2;
/** a client may have this many times as much at work as there are free places: three quarters when it is alone */
const greed = 3;
/** requests of one client that wait; more are refused */
const mostWaiting = 1000;

export type ShareParts = {
  /** places */
  readonly most: number;
  /** ms */
  readonly clock: () => number;
};

/** Acts when all that can go on now has gone on: promises, and what they left for the next tick. */
const whenIdle = (act: () => void): void => {
  queueMicrotask(() => {
    process.nextTick(act);
  });
};

type Waiting = (turn: boolean) => void;
type Place = { atWork: number; readonly queue: Waiting[] };
/** When a turn of the event loop began to work for clients, and for which ones. */
type Turn = { readonly at: number; readonly clients: Set<string> };

/**
 * Shares this process between clients, also those without a rate limit: who has much at work waits, so that there is room for who
 * has little, and of those who wait he is let in first. Nobody's share depends on how many requests he sends. What reads the embedded
 * store awaits nothing from outside: such a request is done in the turn of the event loop that it came in, with all that came beside it.
 * So turns are shared too: when one has taken long, who had a part of it waits for the next. Short turns also keep requests in the order in
 * which they came: the kernel tells of the connections that have something to read in an order of its own, and whose request comes after a
 * turn began waits for the end of it.
 */
export class FairShare {
  private readonly places = new Map<string, Place>();
  private total = 0;
  private waiting = 0;
  private turn: Turn | undefined;
  private readonly most: number;
  private readonly clock: () => number;

  constructor({ most = mostAtWork, clock = () => performance.now() }: Partial<ShareParts> = {}) {
    [this.most, this.clock] = [most, clock];
  }

  /** Resolves when the client's request may go on, to false when too many of its own wait. Every true is followed by one `leave`. */
  enter(client: string): true | Promise<boolean> {
    const turn = this.thisTurn();
    const place = this.placeOf(client);
    const hadItsPart = turn.clients.has(client) && this.isLong(turn);
    if (place.queue.length === 0 && !hadItsPart && this.isFree(place)) {
      this.begin(client, place);
      return true;
    }
    if (place.queue.length >= mostWaiting) return Promise.resolve(false);
    this.waiting++;
    return new Promise((resolve) => place.queue.push(resolve));
  }

  /** A request that was let in is done. */
  leave(client: string): void {
    const place = this.placeOf(client);
    place.atWork--;
    this.total--;
    this.forget(client, place);
    // who waits is let in at its end
    if (this.waiting > 0) this.thisTurn();
  }

  private thisTurn(): Turn {
    if (this.turn === undefined) {
      this.turn = { at: this.clock(), clients: new Set() };
      setImmediate(() => {
        this.endTurn();
      });
    }
    return this.turn;
  }

  private isLong({ at }: Turn): boolean {
    return this.clock() - at > budgetMs;
  }

  /** Those who wait begin the next turn, one after the other: each when the one before has done what it can do without waiting. */
  private endTurn(): void {
    this.turn = undefined;
    if (!this.letIn()) return;
    const turn = this.thisTurn();
    const goOn = (): void => {
      if (this.turn === turn && !this.isLong(turn) && this.letIn()) whenIdle(goOn);
    };
    whenIdle(goOn);
  }

  private placeOf(client: string): Place {
    const known = this.places.get(client);
    if (known) return known;
    const place: Place = { atWork: 0, queue: [] };
    this.places.set(client, place);
    return place;
  }

  private isFree({ atWork }: Place): boolean {
    const free = this.most - this.total;
    return free > 0 && atWork < greed * free;
  }

  private begin(client: string, place: Place): void {
    this.thisTurn().clients.add(client);
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
    this.begin(client, place);
    this.places.delete(client);
    this.places.set(client, place);
    this.waiting--;
    place.queue.shift()?.(true);
    return true;
  }

  private forget(client: string, { atWork, queue }: Place): void {
    if (atWork === 0 && queue.length === 0) this.places.delete(client);
  }
}
