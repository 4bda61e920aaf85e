import type { Claim, ClaimKind, Key, Page, Recall, SearchPlan, Sight, Store, Stored, Unit } from './port.js';

/** What a caller may see, as part of a name; undefined for a scope's own restriction, whose reads are not remembered. */
const sightName = (sight: Sight): string | undefined =>
  sight === 'all' ? '' : sight.narrow === undefined ? sight.keys.join(' ') : undefined;

/** An answer, and when it was asked for: the count of what was asked before. */
type Asked<T> = { readonly at: number; readonly answer: Promise<T> };

/**
 * A store for one attempt at a write, which reads each record once, by a search or by itself: what gathers facts, what checks references
 * and what makes access keys look at the same ones. Whatever moves in the meantime is found by the commit, as each decision names what it
 * relies upon. The places that a referral has on worklists rely on all that belongs to it: their revision is read before the referral
 * itself, and goes with the commit together with what was read after it.
 */
export const rememberedStore = (store: Store): Store => {
  let asked = 0;
  const rows = new Map<string, Asked<Stored | undefined>>();
  const pages = new Map<string, Asked<Page>>();
  const claims = new Map<string, Asked<Claim | undefined>>();
  /** `at` is when the answer came: what was asked from then on is not older than the revision */
  const revisions = new Map<string, Promise<{ readonly at: number; readonly revision: number }>>();

  /** Asks once, and gives the same answer to whoever asks again. */
  const once = <T>(known: Map<string, Asked<T>>, name: string, ask: (at: number) => Promise<T>): Promise<T> => {
    const before = known.get(name);
    if (before) return before.answer;
    const at = ++asked;
    const answer = ask(at);
    known.set(name, { at, answer });
    return answer;
  };
  const readRevision = (referral: string): Promise<unknown> => {
    const known = revisions.get(referral);
    if (known) return known;
    const answer = store.findEntry('worklist', referral).then((entry) => ({ at: asked, revision: entry?.version ?? 0 }));
    revisions.set(referral, answer);
    return answer;
  };
  const find = async (key: Key, sight: Sight): Promise<Stored | undefined> => {
    if (key.type === 'ServiceRequest') await readRevision(key.id);
    const name = sightName(sight);
    return name === undefined ? store.find(key, sight) : once(rows, `${key.type}/${key.id} ${name}`, () => store.find(key, sight));
  };
  const findClaim = (kind: ClaimKind, key: string) => once(claims, `${kind} ${key}`, () => store.findClaim(kind, key));
  const search = (plan: SearchPlan, sight: Sight): Promise<Page> => {
    const name = sightName(sight);
    if (name === undefined) return store.search(plan, sight);
    return once(pages, `${name} ${JSON.stringify(plan)}`, async (at) => {
      const page = await store.search(plan, sight);
      // whom a search found by a number is then asked for by id
      for (const row of page.rows) {
        const key = `${row.type}/${row.id} ${name}`;
        if (!rows.has(key)) rows.set(key, { at, answer: Promise.resolve(row) });
      }
      return page;
    });
  };

  const recall: Recall = async (referral) => {
    const read = await revisions.get(referral);
    if (!read) return undefined;
    const since = <T>(known: Map<string, Asked<T>>, name: string, ask: () => Promise<T>): Promise<T> => {
      const before = known.get(name);
      return before && before.at > read.at ? before.answer : ask();
    };
    return {
      revision: read.revision,
      reader: {
        find: (key) => since(rows, `${key.type}/${key.id} `, () => store.find(key, 'all')),
        findClaim: (kind, key) => since(claims, `${kind} ${key}`, () => store.findClaim(kind, key)),
        search: (plan) => since(pages, ` ${JSON.stringify(plan)}`, () => store.search(plan, 'all')),
      },
    };
  };

  return Object.assign(Object.create(store) as Store, {
    find,
    findVersion: async (key: Key, version: number, sight: Sight) => {
      const row = await find(key, sight);
      return row === undefined || row.version === version ? row : store.findVersion(key, version, sight);
    },
    findClaim,
    search,
    commit: (unit: Unit) => store.commit(unit, recall),
  } satisfies Partial<Store>);
};
