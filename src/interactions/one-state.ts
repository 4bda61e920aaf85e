import type { Reader } from '../store/port.js';
import { storeOver } from '../store/reads.js';
import type { House } from './house.js';

const readingFrom = (house: House, reader: Reader): House =>
  Object.assign(Object.create(house) as House, { store: storeOver(house.store, reader) });

/** The house for a search of the type that is one read: over a copy of the store, where the operator lets it be some seconds behind. */
export const forOneRead = (house: House, type: string): House =>
  house.mayLag(type) ? readingFrom(house, house.store.at('replica')) : house;

/** The house as a transaction's own reads have it: they see what it has just written. */
export const seeingWrites = (house: House): House => Object.assign(Object.create(house) as House, { mayLag: () => false });

/** Runs what reads the store in several steps over one committed state of it; `read` only reads, and may be run again. */
export const inOneState = <T>(house: House, read: (house: House) => Promise<T>): Promise<T> =>
  house.store.snapshot((reader) => read(readingFrom(house, reader)));
