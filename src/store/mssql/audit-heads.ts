import type { AuditLink } from '../port.js';
import type { Database } from './database.js';

type Head = Omit<AuditLink, 'body'>;

/** longer than a statement may wait: a link that was numbered before is committed, or never will be */
const settledMs = 60_000;
/** more than are numbered in that time: how far the second read looks back, when no earlier one tells */
const unsettled = 50_000;

/**
 * The last link of every chain. A process asks each second, so only what was added since the last time is read: links are numbered as they
 * are added, and those that were numbered a moment ago, which may have been committed since, are read again.
 */
export class AuditHeads {
  private readonly heads = new Map<string, Head>();
  /** the highest number at each time, from the last that is old enough on */
  private seen: { readonly at: number; readonly entry: number }[] = [];

  /** @param now ms of a clock that never goes back */
  constructor(
    private readonly database: Pick<Database, 'read'>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  async read(): Promise<readonly Head[]> {
    const at = this.now();
    const settled = this.seen.filter((mark) => mark.at <= at - settledMs).at(-1);
    this.seen = this.seen.filter((mark) => mark === settled || mark.at > at - settledMs);
    const rows = await this.database.read(
      `select a.chain, a.number, a.hash, a.entry from audit_link a
       inner join (select max(entry) as entry from audit_link where entry > @after group by chain) last on last.entry = a.entry`,
      { after: settled?.entry ?? 0 },
    );
    for (const row of rows) {
      const chain = String(row['chain']);
      const number = Number(row['number']);
      // reads that run side by side may end in any order
      if (number > (this.heads.get(chain)?.number ?? 0)) this.heads.set(chain, { chain, number, hash: String(row['hash']) });
    }
    const latest = Math.max(this.seen.at(-1)?.entry ?? 0, ...rows.map(({ entry }) => Number(entry)));
    if (!settled) this.seen.push({ at: at - settledMs, entry: Math.max(0, latest - unsettled) });
    this.seen.push({ at, entry: latest });
    return [...this.heads.values()];
  }
}
