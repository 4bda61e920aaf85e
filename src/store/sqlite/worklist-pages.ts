import { LastMade } from '../../fhir/last-made.js';
import type { WorklistPage, WorklistQuery, WorklistRow } from '../port.js';
import type { Connection } from './connection.js';

/** A page as it was read, and how long it stays so when nobody writes: from `read` until before `ends`, epoch ms. */
type Kept = { readonly revision: number; readonly read: number; readonly ends: number; readonly page: WorklistPage };

const mostKept = 300;
/** items of a page that is kept */
const mostItems = 100;
const revisionText = 'select revision from worklist_revision where owner = ? and list = ?';

/**
 * Pages of organisations' worklists, kept as they were last read: many people look at one list again and again between two changes of it.
 * Each answer looks at the list's revision in the read transaction that a page would be read in, so that it is always what that would
 * have found. A page that is unchanged is the same object.
 */
export class WorklistPages {
  private readonly kept = new LastMade<string, Kept>(mostKept);

  constructor(
    private readonly connection: Connection,
    private readonly read: (query: WorklistQuery) => { readonly rows: readonly WorklistRow[]; readonly page: WorklistPage },
  ) {}

  page(query: WorklistQuery): WorklistPage {
    const { owner, list, count } = query;
    // everybody's list has no revision: clients that are bound by scopes alone ask for it
    if (owner === undefined || count > mostItems) return this.read(query).page;
    return this.connection.together(() => this.current(query, Number(this.connection.tuple(revisionText, owner, list)?.[0] ?? 0)));
  }

  private current(query: WorklistQuery, revision: number): WorklistPage {
    const { now, ...asked } = query;
    const key = JSON.stringify([asked.list, asked.owner, asked.services, asked.specialty, asked.count, asked.after]);
    const { page } = this.kept.get(
      key,
      (known) => known.revision === revision && now >= known.read && now < known.ends,
      () => this.readAt(query, revision),
    );
    return page;
  }

  private readAt(query: WorklistQuery, revision: number): Kept {
    const { rows, page } = this.read(query);
    const ends = rows.reduce((first, { until }) => Math.min(first, until ?? Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY);
    return { revision, read: query.now, ends, page };
  }
}
