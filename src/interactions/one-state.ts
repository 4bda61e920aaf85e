import { storeOver } from '../store/reads.js';
import type { House } from './house.js';

/** Runs what reads the store in several steps over one committed state of it; `read` only reads, and may be run again. */
export const inOneState = <T>(house: House, read: (house: House) => Promise<T>): Promise<T> =>
  house.store.snapshot((reader) => read(Object.assign(Object.create(house) as House, { store: storeOver(house.store, reader) })));
