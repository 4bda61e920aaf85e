import { Stale, type EntryPut, type Store } from '../store/port.js';
import { fingerprintOfAll } from './fingerprints.js';

type Types = Readonly<Record<string, string>>;

/** How the resources of each type are to be indexed, and how those that are stored were: by fingerprint (see fingerprints). */
type State = {
  readonly wanted: Types;
  readonly indexed: Types;
  /** types that were once wanted otherwise */
  readonly moved: readonly string[];
};
type Known = { readonly version: number; readonly state: State };

/**
 * What this process knows of how the stored resources are indexed. The server that started last says how it should be. A process that
 * indexes otherwise, because it is of an older release or was given other packages, marks what it writes (see `outdated`).
 */
export type SearchIndex = {
  /** the kind of the jobs that index anew; only processes that would index alike do them */
  readonly jobKind: string;
  /** Notes that an empty store is filled by this process; does nothing when the store has been filled. */
  readonly begin: () => Promise<void>;
  /** What `begin` notes, for a store that is filled in bulk. */
  readonly beginning: () => EntryPut;
  /** From now on all is indexed as this process does it. */
  readonly adopt: () => Promise<void>;
  /** Whether, as far as this process knows, all is wanted and indexed as it does it. */
  readonly isAdopted: () => boolean;
  readonly refresh: () => Promise<void>;
  /** Resolves when this process knows what was wanted until a second ago: before anything is indexed. */
  readonly fresh: () => Promise<void>;
  /** types whose stored resources are to be indexed anew, as far as this process is to do that */
  readonly due: () => readonly string[];
  /** types of which an older server may still write resources */
  readonly watched: () => readonly string[];
  /** types of which some stored resources may not be found by what this process searches by */
  readonly behind: () => ReadonlySet<string>;
  /** whether another way to index the type is wanted than that of this process */
  readonly isOvertaken: (type: string) => boolean;
  /** The stored resources of the type are indexed as this process does it. */
  readonly finish: (type: string) => Promise<void>;
};

const key = { kind: 'search-index', key: 'types' } as const;
const unknown: Known = { version: 0, state: { wanted: {}, indexed: {}, moved: [] } };

/** A process indexes nothing by what it knew longer ago than this. */
const staleMs = 1000;

export const createSearchIndex = (
  store: Pick<Store, 'findEntry' | 'history' | 'commit'>,
  fingerprints: ReadonlyMap<string, string>,
  /** ms of a clock that never goes back */
  elapsed: () => number,
): SearchIndex => {
  const own: Types = Object.fromEntries(fingerprints);
  let known: Known = unknown;
  let behind: ReadonlySet<string> = new Set();
  let readAt = Number.NEGATIVE_INFINITY;

  const know = (next: Known): void => {
    known = next;
    behind = new Set(Object.keys(own).filter((type) => next.version > 0 && next.state.indexed[type] !== own[type]));
  };

  const refresh = async (): Promise<void> => {
    const startedAt = elapsed();
    const entry = await store.findEntry(key.kind, key.key);
    // a later read may have overtaken this one
    if (startedAt < readAt) return;
    readAt = startedAt;
    if (entry?.version !== known.version) know(entry ? { version: entry.version, state: JSON.parse(entry.body) as State } : unknown);
  };

  /** Writes the state that `next` makes of the one that is there, which another process may change meanwhile. */
  const change = async (next: (known: Known) => State | undefined): Promise<void> => {
    for (;;) {
      await refresh();
      const state = next(known);
      if (!state) return;
      try {
        await store.commit({ entries: [{ ...key, version: known.version, body: JSON.stringify(state) }] });
        know({ version: known.version + 1, state });
        return;
      } catch (error) {
        if (!(error instanceof Stale)) throw error;
      }
    }
  };

  const begin = async (): Promise<void> => {
    await refresh();
    if (known.version > 0 || (await store.history({}, { count: 1 }, 'all')).rows.length > 0) return;
    await change(({ version }) => (version > 0 ? undefined : { wanted: own, indexed: own, moved: [] }));
  };

  return {
    jobKind: `search-index:${fingerprintOfAll(fingerprints)}`,
    begin,
    beginning: () => ({ ...key, version: 0, body: JSON.stringify({ wanted: own, indexed: own, moved: [] } satisfies State) }),
    adopt: () =>
      change(({ state }) => {
        const changed = Object.keys(own).filter((type) => state.wanted[type] !== own[type]);
        if (changed.length === 0) return undefined;
        return { ...state, wanted: { ...state.wanted, ...own }, moved: [...new Set([...state.moved, ...changed])].sort() };
      }),
    isAdopted: () => Object.keys(own).every((type) => known.state.wanted[type] === own[type] && known.state.indexed[type] === own[type]),
    refresh,
    fresh: () => (elapsed() - readAt < staleMs ? Promise.resolve() : refresh()),
    due: () => {
      const { wanted, indexed } = known.state;
      return Object.keys(own).filter((type) => wanted[type] === own[type] && indexed[type] !== own[type]);
    },
    watched: () => known.state.moved.filter((type) => known.state.wanted[type] === own[type]),
    behind: () => behind,
    isOvertaken: (type) => known.version > 0 && known.state.wanted[type] !== own[type],
    finish: (type) =>
      change(({ state }) =>
        state.wanted[type] === own[type] && own[type] !== undefined
          ? { ...state, indexed: { ...state.indexed, [type]: own[type] } }
          : undefined,
      ),
  };
};
