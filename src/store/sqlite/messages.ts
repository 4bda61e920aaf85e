import type { Claim, Key, Unit } from '../port.js';

/** `restart-log`: the log is long, and moved into the database but for the last moments */
export type ToWriter =
  { readonly kind: 'commit'; readonly id: number; readonly unit: Unit } | { readonly kind: 'restart-log' } | { readonly kind: 'close' };

/** The port's errors as data: classes do not survive the passage between threads. */
export type Refusal =
  | { readonly name: 'Stale'; readonly at: Key }
  | { readonly name: 'Taken'; readonly claim: Claim }
  | { readonly name: 'Unresolved'; readonly target: Key }
  | { readonly name: 'Referenced'; readonly at: Key; readonly by: readonly Key[] }
  | { readonly name: 'Matched' }
  | { readonly name: 'Unavailable'; readonly reason: string };

export type FromWriter = { readonly id: number; readonly refusal?: Refusal };
