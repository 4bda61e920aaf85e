import type { SearchParameter as Definition } from 'fhir/r4.js';
import type { Draft } from '../domain/command.js';
import { failure } from '../fhir/outcome.js';
import { readAdded, type Ground, type Usable } from '../fhir/search/added.js';
import type { Jobs } from '../jobs/jobs.js';
import type { Claim, EntryPut, Store, Unit } from '../store/port.js';
import { keptAfter, keptPut, readKept, type KeptEntry } from './kept.js';

/** What a write of a SearchParameter adds to its unit. */
export type Consequences = {
  readonly claims: readonly Claim[];
  readonly releases: readonly Claim[];
  readonly entries: readonly EntryPut[];
};

export type CustomParameters = {
  /** Resolves when this process knows what was added until a second ago: before anything is indexed. */
  readonly fresh: () => Promise<void>;
  /** Reads what was added, by whichever process. */
  readonly refresh: () => Promise<void>;
  /** Resolves when this process knows what the unit added, if it did. */
  readonly noted: (unit: Unit) => Promise<void>;
  /** What follows from a write of a SearchParameter. Throws Failure when it is active and cannot be used. */
  readonly consequences: (draft: Draft, drafts: readonly Draft[]) => Promise<Consequences>;
  /** Goes on with what is due and nobody does: the process that did it may have died too often. */
  readonly resume: () => Promise<void>;
  /** ms after which no process indexes a resource without what was added before */
  readonly graceMs: number;
};

/** A process indexes nothing by what it knew longer ago than this. */
const staleMs = 1000;

const none: Consequences = { claims: [], releases: [], entries: [] };

const claimsOf = (id: string, usable: Usable | undefined): readonly Claim[] => {
  if (!usable) return [];
  const { definition, types } = usable;
  const names = [definition.url, ...types.map((type) => `${type}.${definition.code}`)];
  return names.map((name) => ({ kind: 'identifier', key: `search-parameter|${name}`, owner: `SearchParameter/${id}` }));
};

/**
 * The search parameters that administrators add, as this process knows them. What is known is read again every half second and, before a
 * resource is indexed, when it is older than a second: so that a job that waits a little longer than that before it indexes what is
 * stored misses no resource that another process wrote without the parameter.
 */
export const createCustomParameters = (parts: {
  readonly store: Store;
  readonly jobs: Jobs & { readonly nudge: () => void };
  readonly ground: Ground;
  /** ms of a clock that never goes back */
  readonly elapsed: () => number;
  readonly graceMs: number;
}): CustomParameters => {
  const { store, jobs, ground, elapsed, graceMs } = parts;
  let known: readonly KeptEntry[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  let shown = '[]';

  const refresh = async (): Promise<void> => {
    const startedAt = elapsed();
    const entries = await store.listEntries('search-parameter');
    // a later read may have overtaken this one
    if (startedAt < readAt) return;
    readAt = startedAt;
    const seen = JSON.stringify(entries.map(({ key, version }) => [key, version]));
    if (seen === shown) return;
    shown = seen;
    known = entries.map(readKept);
    ground.parameters.extend(known.flatMap(({ kept: { usable, due } }) => (usable ? [{ ...usable, pending: due.length > 0 }] : [])));
  };

  /** R4 searchparameter.html: a code means one thing for a type. */
  const refuseTaken = (id: string, { definition, types }: Usable, drafts: readonly Draft[]): void => {
    for (const other of known) {
      const { usable } = other.kept;
      if (other.id === id || !usable || drafts.some((draft) => draft.type === 'SearchParameter' && draft.id === other.id)) continue;
      const type = usable.definition.code === definition.code ? types.find((name) => usable.types.includes(name)) : undefined;
      if (type !== undefined)
        throw failure('conflict', 'duplicate', `${definition.code} of ${type} is that of SearchParameter/${other.id}.`, {
          expression: ['SearchParameter.code'],
        });
      if (usable.definition.url === definition.url)
        throw failure('conflict', 'duplicate', `${definition.url} is that of SearchParameter/${other.id}.`, {
          expression: ['SearchParameter.url'],
        });
    }
  };

  const work = (): ReturnType<Jobs['drafted']>['entries'] => jobs.drafted({ kind: 'reindex', owner: 'server', request: {} }).entries;

  return {
    graceMs,
    refresh,
    resume: async () => {
      if (known.some(({ kept: { due } }) => due.length > 0)) await store.commit({ entries: work() });
    },
    fresh: () => (elapsed() - readAt < staleMs ? Promise.resolve() : refresh()),
    noted: async ({ entries = [] }) => {
      if (!entries.some(({ kind }) => kind === 'search-parameter')) return;
      await refresh();
      jobs.nudge();
    },
    consequences: async ({ type, id, resource }, drafts) => {
      if (type !== 'SearchParameter') return none;
      await refresh();
      const entry = await store.findEntry('search-parameter', id);
      const before = entry && readKept(entry).kept;
      const usable = resource && readAdded(resource as unknown as Definition, ground);
      if (usable) refuseTaken(id, usable, drafts);
      const kept = keptAfter(before, usable);
      if (!kept && !before) return none;
      const claims = claimsOf(id, usable);
      const held = new Set(claims.map(({ key }) => key));
      return {
        claims,
        releases: claimsOf(id, before?.usable).filter(({ key }) => !held.has(key)),
        entries: [keptPut(id, entry?.version ?? 0, kept), ...(kept && kept.due.length > 0 ? work() : [])],
      };
    },
  };
};
