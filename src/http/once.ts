import { createHash, randomUUID } from 'node:crypto';
import { Failure, failure, type Category, type Issue } from '../fhir/outcome.js';
import { Stale, Taken, type Claim, type Store } from '../store/port.js';

/** The pair of ids that makes a write the same write (BaRS, transactional integrity). */
export type Pair = { readonly client: string; readonly requestId: string; readonly correlationId: string };

/** How long a process that carries a request out holds it before the others without a sign of life; it renews this. */
const leaseMs = 10_000;
/** How long a pair is remembered: longer than any client retries. */
const keptMs = 24 * 3_600_000;
/** what a first attempt may have failed of that a second one would fail of too; BaRS has the others retried */
const final: ReadonlySet<Category> = new Set<Category>([
  'invalid',
  'business-rule',
  'not-found',
  'gone',
  'method',
  'media-type',
  'conflict',
  'precondition',
  'too-large',
  'too-costly',
]);

type Outcome = { readonly category: Category; readonly issues: readonly Issue[]; readonly headers: Readonly<Record<string, string>> };

const keyOf = ({ client, requestId, correlationId }: Pair): string =>
  createHash('sha256')
    .update(JSON.stringify([client, requestId.toLowerCase(), correlationId]))
    .digest('hex');

/** The key that stands for all of a request: its one unit, or the end of a batch whose entries have claims of their own. */
const wholeOf = (key: string, isBatch: boolean): string => `${key}/${isBatch ? 'all' : '0'}`;

const duplicate = (): Failure =>
  failure('conflict', 'duplicate', 'A request with this X-Request-ID and X-Correlation-ID was carried out before.');
const running = (): Failure =>
  new Failure(
    'too-early',
    [
      {
        severity: 'error',
        code: 'transient',
        text: 'A request with this X-Request-ID and X-Correlation-ID is being carried out now.',
      },
    ],
    { 'retry-after': '1' },
  );

/**
 * Writes that are sent again happen once. The claim on the pair is committed with the write itself, so that it holds after a crash and
 * in every process; a failure that would come again is remembered and given again.
 */
export class Once {
  private readonly inProgress = new Set<string>();
  private readonly owner = randomUUID();

  /**
   * @param clock epoch ms
   * @param shared true when other processes serve the same store: that a request runs is then a lease in the store, a commit more
   */
  constructor(
    private readonly store: Pick<Store, 'commit' | 'findClaim' | 'findEntry'>,
    private readonly clock: () => number,
    private readonly shared: boolean,
  ) {}

  /**
   * @param isBatch true when the parts of the request are committed each for itself: then the whole is marked when all are done
   * @param run is given the claim that its commits must carry
   * @throws Failure `conflict`/`duplicate`, `too-early`, or the failure of the first attempt
   */
  async run<T>(pair: Pair, isBatch: boolean, run: (claim: Claim) => Promise<T>): Promise<T> {
    const key = keyOf(pair);
    if (this.inProgress.has(key)) throw running();
    this.inProgress.add(key);
    try {
      return this.shared ? await this.leased(key, () => this.once(key, isBatch, run)) : await this.once(key, isBatch, run);
    } finally {
      this.inProgress.delete(key);
    }
  }

  private async once<T>(key: string, isBatch: boolean, run: (claim: Claim) => Promise<T>): Promise<T> {
    await this.refuseRepeated(key, isBatch);
    return this.attempt(key, isBatch, run);
  }

  /** While it runs here no other process carries it out; the lease of a process that dies ends by itself. */
  private async leased<T>(key: string, run: () => Promise<T>): Promise<T> {
    const lease = (): Claim => ({ kind: 'lease', key: `request|${key}`, owner: this.owner, expires: this.clock() + leaseMs });
    try {
      await this.store.commit({ claims: [lease()] });
    } catch (error) {
      throw error instanceof Taken ? running() : error;
    }
    const renewing = setInterval(() => {
      this.store.commit({ claims: [lease()] }).catch(() => undefined);
    }, leaseMs / 3);
    try {
      return await run();
    } finally {
      clearInterval(renewing);
      await this.store.commit({ releases: [lease()] }).catch(() => undefined);
    }
  }

  private async refuseRepeated(key: string, isBatch: boolean): Promise<void> {
    const done = await this.store.findClaim('idempotency', wholeOf(key, isBatch));
    if (!done || (done.expires ?? Number.POSITIVE_INFINITY) <= this.clock()) return;
    const failed = await this.store.findEntry('outcome', key);
    if (!failed || (failed.expires ?? 0) <= this.clock()) throw duplicate();
    const { category, issues, headers } = JSON.parse(failed.body) as Outcome;
    throw new Failure(category, issues, headers);
  }

  private async attempt<T>(key: string, isBatch: boolean, run: (claim: Claim) => Promise<T>): Promise<T> {
    const claim = this.claimOf(key);
    try {
      const done = await run(claim);
      if (isBatch) await this.store.commit({ claims: [{ ...claim, key: wholeOf(key, isBatch) }] });
      return done;
    } catch (error) {
      if (error instanceof Failure && final.has(error.category)) await this.remember(key, isBatch, error);
      throw error;
    }
  }

  private claimOf(key: string): Claim {
    return { kind: 'idempotency', key, owner: randomUUID(), expires: this.clock() + keptMs };
  }

  /**
   * The failure takes the claim that the write would have taken: a process that lost its lease, or was killed while the store still worked
   * for it, can then not carry out what the client was told is refused. When it did so before, that is the outcome.
   */
  private async remember(key: string, isBatch: boolean, { category, issues, headers }: Failure): Promise<void> {
    const known = await this.store.findEntry('outcome', key);
    const body = JSON.stringify({ category, issues, headers } satisfies Outcome);
    try {
      await this.store.commit({
        claims: [{ ...this.claimOf(key), key: wholeOf(key, isBatch) }],
        entries: [{ kind: 'outcome', key, version: known?.version ?? 0, body, expires: this.clock() + keptMs }],
      });
    } catch (error) {
      if (!(error instanceof Taken || error instanceof Stale)) throw error;
      await this.refuseRepeated(key, isBatch);
    }
  }
}
