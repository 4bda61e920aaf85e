import { script as first } from './0001-first.js';

export type Script = { readonly number: number; readonly name: string; readonly sql: string };

/** In order; a released script is never changed (its checksum is kept in the database). */
export const scripts: readonly Script[] = [{ number: 1, name: 'first', sql: first }];
