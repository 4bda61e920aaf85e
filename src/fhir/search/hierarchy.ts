import type { Key } from '../resource.js';

/** Types of which one is part of another of its own, strictly, with the search parameter for that. */
export const hierarchies: ReadonlyMap<string, string> = new Map([
  ['Location', 'partof'],
  ['Organization', 'partof'],
  ['Encounter', 'part-of'],
]);

/** The resource and all that it is part of (`above`), or that are part of it (`below`). */
export type Kin = (key: Key, direction: 'above' | 'below') => readonly Key[];
