import { Matched, Referenced, Stale, Taken, Unavailable, Unresolved } from '../port.js';
import type { Refusal } from './messages.js';

/** The port's errors as data, for the passage between threads and processes. */
export const refusalOf = (error: unknown): Refusal => {
  if (error instanceof Stale) return { name: 'Stale', at: error.at };
  if (error instanceof Taken) return { name: 'Taken', claim: error.claim };
  if (error instanceof Unresolved) return { name: 'Unresolved', target: error.target };
  if (error instanceof Referenced) return { name: 'Referenced', at: error.at, by: error.by };
  if (error instanceof Matched) return { name: 'Matched' };
  return { name: 'Unavailable', reason: error instanceof Error ? error.message : String(error) };
};

export const errorOf = (refusal: Refusal): Error => {
  switch (refusal.name) {
    case 'Stale':
      return new Stale(refusal.at);
    case 'Taken':
      return new Taken(refusal.claim);
    case 'Unresolved':
      return new Unresolved(refusal.target);
    case 'Referenced':
      return new Referenced(refusal.at, refusal.by);
    case 'Matched':
      return new Matched();
    case 'Unavailable':
      return new Unavailable(refusal.reason);
  }
};
