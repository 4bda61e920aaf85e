import { Stale, type Store } from '../store/port.js';

/** What a request may know of its client's limit; times in seconds. */
export type Allowance = {
  readonly allowed: boolean;
  /** requests a second */
  readonly limit: number;
  /** whole requests that this process still holds for the client */
  readonly remaining: number;
  /** until a refused client should ask again, or until the bucket is full */
  readonly resetSeconds: number;
};

/** The shared bucket of a client as the store keeps it: `tokens` at the time `at` (epoch ms). */
type Bucket = { readonly tokens: number; readonly at: number };
/** What this process holds for a client. */
type Share = { tokens: number; until: number; refusedUntil: number; leasing: Promise<void> | undefined };

const leaseMs = 1000;
/** of a second's requests, what one lease takes at most: several processes then share a second fairly */
const part = 4;
/** between two looks at an empty bucket */
const restMs = 100;
const most = 10_000;
const tries = 5;

/**
 * A token bucket for each client, shared by all processes: the bucket is an entry of the store, from which each process leases a part
 * of a second's requests. What it does not use within the second is given up, so the sum over the processes stays at or below the limit.
 *
 * @param clock epoch ms
 */
export class RateLimit {
  private readonly shares = new Map<string, Share>();

  constructor(
    private readonly store: Pick<Store, 'findEntry' | 'commit'>,
    private readonly clock: () => number,
  ) {}

  /** Takes one request of a client that may make `rate` a second, and bursts of twice that. */
  async take(client: string, rate: number): Promise<Allowance> {
    const share = this.shareOf(client);
    if (this.clock() > share.until) share.tokens = 0;
    // every waiting request must look again: a lease may not be enough for all of them
    while (share.tokens < 1 && this.clock() >= share.refusedUntil) {
      share.leasing ??= this.lease(client, rate, share).finally(() => {
        share.leasing = undefined;
      });
      await share.leasing;
    }
    const allowed = share.tokens >= 1;
    if (allowed) share.tokens -= 1;
    const wait = Math.max(1 / rate, (share.refusedUntil - this.clock()) / 1000);
    return { allowed, limit: rate, remaining: Math.floor(share.tokens), resetSeconds: Math.max(1, Math.ceil(wait)) };
  }

  private shareOf(client: string): Share {
    const known = this.shares.get(client);
    if (known) return known;
    if (this.shares.size >= most) this.shares.clear();
    const share: Share = { tokens: 0, until: 0, refusedUntil: 0, leasing: undefined };
    this.shares.set(client, share);
    return share;
  }

  private async lease(client: string, rate: number, share: Share): Promise<void> {
    const wanted = Math.max(1, Math.ceil(rate / part));
    for (let attempt = 0; attempt < tries; attempt++) {
      const entry = await this.store.findEntry('rate', client);
      const now = this.clock();
      const tokens = filled(entry === undefined ? undefined : (JSON.parse(entry.body) as Bucket), rate, now);
      const taken = Math.min(wanted, Math.floor(tokens));
      if (taken < 1) break;
      const body = JSON.stringify({ tokens: tokens - taken, at: now } satisfies Bucket);
      try {
        const put = { kind: 'rate', key: client, version: entry?.version ?? 0, body, expires: now + 3_600_000 } as const;
        await this.store.commit({ entries: [put] });
        share.tokens += taken;
        share.until = now + leaseMs;
        return;
      } catch (error) {
        if (!(error instanceof Stale)) throw error;
      }
    }
    share.refusedUntil = this.clock() + Math.max(restMs, Math.min(leaseMs, 1000 / rate));
  }
}

const filled = (bucket: Bucket | undefined, rate: number, now: number): number => {
  const burst = rate * 2;
  if (!bucket) return burst;
  return Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) * rate) / 1000);
};
