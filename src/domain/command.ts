import { parsedOnce } from '../fhir/parsed-once.js';
import type { Resource } from '../fhir/resource.js';
import type { Claim, Key, Predicate, SearchPlan, Sight, Sort, Stored } from '../store/port.js';

/** What a command may read while it gathers: the store, narrowed to what the caller may see unless it says `all`. */
export type Facts = {
  readonly find: (key: Key, sight?: Sight) => Promise<Found | undefined>;
  /** the one live resource of the type with this identifier */
  readonly byIdentifier: (type: string, system: string, value: string) => Promise<Found | undefined>;
  readonly findClaim: (kind: Claim['kind'], key: string) => Promise<Claim | undefined>;
  /** at most `count` live resources of the type for which all of `where` holds; drafts of the same unit are not among them */
  readonly search: (wanted: Wanted, sight?: Sight) => Promise<readonly Found[]>;
};

export type Wanted = {
  readonly type: string;
  readonly where: readonly Predicate[];
  readonly sort?: readonly Sort[];
  readonly count: number;
};

export type Found = Key & { readonly version: number; readonly resource: Resource };

/** A resource as a command wants it written; `version` is the one it read, 0 for a new one. */
export type Draft = Key & {
  readonly version: number;
  readonly resource: Resource | undefined;
  /** true for what the caller wrote as it is: rules on a caller's own writes do not bind what a command changes on the way */
  readonly plain?: true;
  /** true for a valid record in which the server alone changed a code of its own: there is nothing in it to validate again */
  readonly own?: true;
};

/** What a command decided: all of it is committed together or not at all. */
export type Decision = {
  readonly drafts: readonly Draft[];
  readonly expects?: readonly (Key & { readonly version: number })[];
  readonly claims?: readonly Claim[];
  readonly releases?: readonly Claim[];
  /** If-None-Exist and the like: what `sight` lets see still has no match at commit */
  readonly unmatched?: readonly (SearchPlan & { readonly sight: Sight })[];
  /** gives back what another system confirmed for this decision: called when it is not committed */
  readonly undo?: () => Promise<unknown>;
  /** whether the result did not live before; by default, whether it never was there */
  readonly created?: boolean;
  /** the draft that the answer shows */
  readonly result: Key;
};

/** Parses what the store found. */
export const foundOf = (stored: Stored | undefined): Found | undefined => {
  if (stored?.body === undefined) return undefined;
  const { type, id, version, body } = stored;
  return { type, id, version, resource: parsedOnce({ type, id, body }) };
};

/** A new resource. */
export const created = (resource: object, id: string): Draft => {
  const { resourceType } = resource as Resource;
  return { type: resourceType, id, version: 0, resource: { ...resource, id } as Resource };
};

/** What was found, with a change in which nothing comes from the caller. */
export const changedOwn = (found: Found, resource: object): Draft => ({ ...changed(found, resource), own: true });

/** What was found, with another content. */
export const changed = ({ type, id, version }: Found, resource: object): Draft => ({ type, id, version, resource: resource as Resource });
