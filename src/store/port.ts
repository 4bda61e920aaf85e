/**
 * The store as the rest of the house sees it: data in, data out, no transaction object ever leaves.
 * Two engines implement it; `test/contract` runs one suite over each.
 */
import type { Key } from '../fhir/resource.js';
import type { Predicate, SearchPlan } from './plan.js';

export type { Key } from '../fhir/resource.js';
export type { Predicate, Prefix, SearchPlan, Sort } from './plan.js';

/** One version of a resource. `body` is the wire text, byte for byte; undefined marks a deletion. Times: epoch ms. */
export type Stored = Key & {
  readonly version: number;
  readonly lastUpdated: number;
  readonly body: string | undefined;
  /** the store shows this very object again until the record changes */
  readonly kept?: true;
};

/** Index values, made by fhir/search/extract, never by the store. `param` is the search parameter's code. */
export type Value =
  | { readonly kind: 'token'; readonly param: string; readonly system: string; readonly code: string }
  | { readonly kind: 'reference'; readonly param: string; readonly target: Key }
  /** date (epoch ms, half-open [low, high)), number and quantity (closed) */
  | { readonly kind: 'range'; readonly param: string; readonly low: number; readonly high: number }
  /** string (folded, then the original where it differs: see fhir/search/text), uri (as is), what stands beside a code */
  | { readonly kind: 'text'; readonly param: string; readonly value: string }
  /** degrees, WGS84 */
  | { readonly kind: 'position'; readonly param: string; readonly latitude: number; readonly longitude: number }
  /** a folded word of the narrative (`_text`) or of any other text (`_content`) */
  | { readonly kind: 'word'; readonly param: '_text' | '_content'; readonly word: string };

/**
 * What the caller may see. Rows carry access keys (`patient:<id>`, `organisation:<ODS>`); a row is seen when it, or a root it
 * is linked to, carries one of the keys. `all` is for system clients, directory types and the server itself.
 */
export type Sight =
  | 'all'
  | {
      readonly keys: readonly string[];
      /** a scope's own restriction, on top of the keys: applied around the engines by `narrowedStore` */
      readonly narrow?: { readonly type: string; readonly where: readonly Predicate[]; readonly anyKey: boolean };
    };

/** The row `child` may also be read by who may read `root`: a letter by who may read its referral. */
export type AccessLink = { readonly child: Key; readonly root: Key };

export type Put = Key & {
  /** the version read; 0: must not exist (or be deleted) */
  readonly version: number;
  readonly lastUpdated: number;
  /** undefined deletes */
  readonly body: string | undefined;
  readonly values: readonly Value[];
  readonly accessKeys: readonly string[];
  readonly accessLinks: readonly AccessLink[];
};

export type ClaimKind =
  | 'slot'
  | 'current-booking'
  | 'identifier'
  | 'jti'
  | 'idempotency'
  | 'hold'
  | 'lease'
  // a patient whom a referrer found, and the tries at finding one
  | 'found';
/** One row, unique by (kind, key); `expires` in epoch ms: an expired claim may be taken over. */
export type Claim = {
  readonly kind: ClaimKind;
  readonly key: string;
  readonly owner: string;
  readonly expires?: number;
};

/**
 * What the server keeps for itself and is no FHIR resource: registered clients, signing keys, leases between processes. One row, unique
 * by (kind, key), with a version of its own: each write names the version it read.
 */
export type Entry = {
  readonly kind:
    | 'client'
    | 'signing-key'
    | 'cursor-key'
    | 'rate'
    | 'job'
    | 'pending-job'
    | 'job-files'
    | 'outcome'
    | 'audit-position'
    | 'postcode'
    | 'demo'
    | 'worklist'
    | 'worklists-made'
    // a document that is yet to be scanned
    | 'scan'
    | 'search-parameter'
    // how the stored resources are indexed
    | 'search-index';
  readonly key: string;
  readonly version: number;
  /** JSON */
  readonly body: string;
  /** epoch ms after which the row may be removed */
  readonly expires?: number;
};
/** `version` is the one read, 0 for a new one; body undefined removes. */
export type EntryPut = Omit<Entry, 'body'> & { readonly body: string | undefined };

/** One link of an audit chain: `hash` covers `body` and the link before (see store/audit-chain). */
export type AuditLink = {
  readonly chain: string;
  /** 1, 2, 3... */
  readonly number: number;
  readonly hash: string;
  /** AuditEvents as FHIR JSON, or a seal, one a line */
  readonly body: string;
};

/**
 * New index values of a row that stays as it is. Passed over when the row is at another version by then: who wrote that wrote its values
 * too. A reference to what does not live is left out, unless references may point at nothing.
 */
export type Reindex = Key & {
  readonly version: number;
  /**
   * codes of search parameters: all that their values are kept under is replaced, also the keys of quantities and composites; absent: all
   * values of the row, those in columns too
   */
  readonly params?: readonly string[];
  readonly values: readonly Value[];
};

/** A referral's place on one worklist. Times: epoch ms. */
export type WorklistPlace = {
  readonly list: string;
  /** ODS code of the organisation whose list it is; '' when it is nobody's */
  readonly owner: string;
  /** lists are in this order */
  readonly authored: number;
  /** id of the HealthcareService that has, or is to have, the patient */
  readonly service?: string;
  readonly specialty?: string;
  /** from when on it is off the list without any write */
  readonly until?: number;
  /** from when on the letter that it waits for is overdue */
  readonly due?: number;
  /** what the list shows of it, as JSON */
  readonly item: string;
};
/** All places of a referral (its id), instead of those that it had. */
export type WorklistPut = { readonly referral: string; readonly places: readonly WorklistPlace[] };

export type WorklistQuery = {
  readonly list: string;
  /** absent: anybody's */
  readonly owner?: string;
  /** of one of these services alone; absent: of any */
  readonly services?: readonly string[];
  readonly specialty?: string;
  /** epoch ms */
  readonly now: number;
  /** 1..1000 */
  readonly count: number;
  /** the `next` of the page before */
  readonly after?: string;
};
/** What a page shows of a place. */
export type WorklistRow = Pick<WorklistPlace, 'authored' | 'until' | 'due' | 'item'> & { readonly referral: string };
export type WorklistPage = { readonly rows: readonly WorklistRow[]; readonly next: string | undefined };

/** Free slots of one diary: the first one, and how many begin before a moment. */
export type DiaryAvailability = { readonly schedule: string; readonly count: number; readonly first: Stored | undefined };

/** All of it or nothing, in one database transaction. */
export type Unit = {
  readonly puts?: readonly Put[];
  /** read and relied upon, not written */
  readonly expects?: readonly (Key & { readonly version: number })[];
  /** If-None-Exist: still no match at commit, among the rows that `sight` shows (all, when it is absent) */
  readonly unmatched?: readonly (SearchPlan & { readonly sight?: Sight })[];
  readonly claims?: readonly Claim[];
  /** released only when owned by the named owner */
  readonly releases?: readonly Claim[];
  readonly entries?: readonly EntryPut[];
  readonly worklists?: readonly WorklistPut[];
  /** a unit that has some of all values has no puts */
  readonly reindexes?: readonly Reindex[];
  /** lines (AuditEvents as FHIR JSON; a text may hold several) that become the next link of the writer's audit chain */
  readonly audit?: readonly string[];
};

/** The version moved: 412, or gather again. */
export class Stale extends Error {
  override readonly name = 'Stale';
  constructor(readonly at: Key) {
    super(`version moved: ${at.type}/${at.id}`);
  }
}
/** The claim is another's: 409. */
export class Taken extends Error {
  override readonly name = 'Taken';
  constructor(readonly claim: Claim) {
    super(`claim taken: ${claim.kind}`);
  }
}
/** A reference in `values` points at nothing that lives. */
export class Unresolved extends Error {
  override readonly name = 'Unresolved';
  constructor(readonly target: Key) {
    super(`no such target: ${target.type}/${target.id}`);
  }
}
/** A resource that others refer to cannot be deleted. */
export class Referenced extends Error {
  override readonly name = 'Referenced';
  constructor(
    readonly at: Key,
    readonly by: readonly Key[],
  ) {
    super(`referenced: ${at.type}/${at.id}`);
  }
}
/** An If-None-Exist plan had a match at commit. */
export class Matched extends Error {
  override readonly name = 'Matched';
}
/** The store cannot be filled in bulk: somebody serves it, or it is not empty. */
export class Occupied extends Error {
  override readonly name = 'Occupied';
}
/** The search would look at more than the server has time for. */
export class TooCostly extends Error {
  override readonly name = 'TooCostly';
}
/** Nothing was written, or it is unknown whether it was: 503. The cause is what a driver threw: its message may quote data. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

export type Page = {
  readonly rows: readonly Stored[];
  readonly next: string | undefined;
  /** of each row its sort keys, for merging with the page of another search in the same order; `after` continues behind it */
  readonly places?: readonly Place[];
};

/** null: the row has no such value, and comes last */
export type Place = { readonly keys: readonly (string | number | null)[]; readonly after: string };

/**
 * A page of history in the order of commits, newest first unless `ascending`. Times are epoch ms. `since`: committed not before it, so that
 * who asks again misses nothing. `at`: only versions that were the current one at some moment of [from, to], by what they state as lastUpdated.
 */
export type Window = {
  readonly since?: number;
  readonly at?: { readonly from: number; readonly to: number };
  readonly ascending?: boolean;
  readonly after?: string;
  readonly count: number;
};

/** What a history is of: one resource, one type, or several types (`type` and `types` exclude each other); everything without any. */
export type HistoryScope = {
  readonly type?: string;
  readonly id?: string;
  readonly types?: readonly string[];
  /** with `type` or `types`: of these alone */
  readonly keys?: readonly Key[];
};

export interface Reader {
  find(key: Key, sight: Sight): Promise<Stored | undefined>;
  findVersion(key: Key, version: number, sight: Sight): Promise<Stored | undefined>;
  /** live rows only, in no particular order */
  findMany(keys: readonly Key[], sight: Sight): Promise<readonly Stored[]>;
  search(plan: SearchPlan, sight: Sight): Promise<Page>;
  /** how many match, counted up to `limit` */
  count(plan: SearchPlan, sight: Sight, limit: number): Promise<number>;
  history(scope: HistoryScope, window: Window, sight: Sight): Promise<Page>;
  /** live rows that refer to `target`, at most `limit` */
  referrers(target: Key, sight: Sight, limit: number, of?: { readonly type: string; readonly param: string }): Promise<readonly Stored[]>;
  /** the access keys of a live row; none when there is no such row */
  keysOf(key: Key): Promise<readonly string[]>;
  /** rows of the type that have all its profiles, tags and security labels among them; of each kind at most `limit` labels count */
  labelled(type: string, limit: number): Promise<readonly Stored[]>;
  /** the one live claim, if any */
  findClaim(kind: ClaimKind, key: string): Promise<Claim | undefined>;
  findEntry(kind: Entry['kind'], key: string): Promise<Entry | undefined>;
  listEntries(kind: Entry['kind']): Promise<readonly Entry[]>;
  /** one page of a worklist, the oldest first; who may see it is the caller's matter */
  worklist(query: WorklistQuery): Promise<WorklistPage>;
  /** the free slots of diaries (ids of Schedules) that begin in [from, until), all read in one committed state; `first` may be later */
  availability(schedules: readonly string[], from: number, until: number): Promise<readonly DiaryAvailability[]>;
  /** every audit chain with its last number and hash */
  auditChains(): Promise<readonly Omit<AuditLink, 'body'>[]>;
  /** the links of a chain after `number`, in order, at most `limit` */
  auditLinks(chain: string, after: number, limit: number): Promise<readonly AuditLink[]>;
}

/**
 * What was read for a unit, for who adds a referral's worklist places to it: the revision of these, and a reader that answers again what
 * was read after the revision, and reads the rest. Undefined when the revision was not read.
 */
export type Recall = (
  referral: string,
) => Promise<{ readonly revision: number; readonly reader: Pick<Reader, 'find' | 'findClaim' | 'search'> } | undefined>;

export interface Store extends Reader {
  /** Resolves when durable; every later read in this process sees it. Throws Stale, Taken, Unresolved, Referenced, Matched, Unavailable. */
  commit(unit: Unit, recall?: Recall): Promise<void>;
  /**
   * Reads from a copy that may be some seconds behind, where the store has one: for searches, history and exports, never for what a
   * write is decided on. The store itself reads from the primary.
   */
  at(freshness: 'replica' | 'primary'): Reader;
  /**
   * For what is read in several steps that must agree: all reads of the reader that `read` is given see one committed state, not older than
   * the call. `read` may be run again from its beginning. It holds a connection until it ends, so it awaits nothing but those reads.
   */
  snapshot<T>(read: (reader: Reader) => Promise<T>): Promise<T>;
  /** throws Unavailable when the store cannot answer */
  check(): Promise<void>;
  /** of a store whose connections are slow at first: what requests need is used once, before anybody waits for it */
  warmUp?(): Promise<void>;
  /** of an engine that plans by what it counted last: has it count again, after much was written at once */
  countAnew?(): Promise<void>;
  /** of a store that is reached over connections: how they do, for who watches the server */
  connections?(): ConnectionFigures;
  close(): Promise<void>;
}

/** A pool of connections at a moment: open, idle and lent ones, callers that wait for one; and since the start what was tried again. */
export type ConnectionFigures = {
  readonly size: number;
  readonly available: number;
  readonly borrowed: number;
  readonly pending: number;
  readonly retries: number;
  /** failures that pass, by what they were */
  readonly troubles: Readonly<Record<string, number>>;
};

/** A new resource as the bulk path takes it: sealed as for a commit, version 0. */
export type BulkItem = {
  readonly put: Put;
  readonly claims: readonly Claim[];
  /** of a ServiceRequest */
  readonly places?: readonly WorklistPlace[];
};

export type BulkReport = { readonly resources: number; readonly rows: number; readonly bytes: number; readonly seconds: number };

/**
 * Fills an empty store that nobody serves, all or nothing: what was added is seen by others only after `finish`. References may
 * point into the same batch or back.
 */
export interface Bulk {
  /** Throws Unresolved. */
  add(batch: readonly BulkItem[]): void | Promise<void>;
  addEntries(entries: readonly EntryPut[]): void | Promise<void>;
  /** Builds the indexes; `say` is told what it is at. Throws Taken. */
  finish(say: (phase: string) => void): Promise<BulkReport>;
  /** leaves the store as it was */
  abandon(): void | Promise<void>;
}
