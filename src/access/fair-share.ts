/** requests that one process works on at the same time, of all clients together */
const mostAtWork = 64;
/** a client may have this many times as much at work as there are free places: three quarters when it is alone */
const greed = 3;
/** requests of one client that wait; more are refused */
const mostWaiting = 1000;

type Waiting = (turn: boolean) => void;
type Place = { atWork: number; readonly queue: Waiting[] };

/**
 * Shares this process between clients, also those without a rate limit: who has much at work waits, so that there is room for who
 * has little, and of those who wait he is let in first. Nobody's share depends on how many requests he sends.
 */
export class FairShare {
  private readonly places = new Map<string, Place>();
  private total = 0;

  constructor(private readonly most: number = mostAtWork) {}

  /** Resolves when the client's request may go on, to false when too many of its own wait. Every true is followed by one `leave`. */
  enter(client: string): true | Promise<boolean> {
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
    this.total--;
    this.forget(client, place);
    this.letIn();
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

  private begin(place: Place): void {
    place.atWork++;
    this.total++;
  }

  /** Lets in a request of who has least at work; of several who have as little, of who was let in longest ago. */
  private letIn(): void {
    let least: readonly [client: string, place: Place] | undefined;
    for (const one of this.places)
      if (one[1].queue.length > 0 && this.isFree(one[1]) && (!least || one[1].atWork < least[1].atWork)) least = one;
    if (!least) return;
    const [client, place] = least;
    this.begin(place);
    this.places.delete(client);
    this.places.set(client, place);
    place.queue.shift()?.(true);
  }

  private forget(client: string, { atWork, queue }: Place): void {
    if (atWork === 0 && queue.length === 0) this.places.delete(client);
  }
}
