import type { Reader, Store } from './port.js';

// every read of the port: what stands before a reader, or carries its reads elsewhere, is made from this
const named: Readonly<Record<keyof Reader, true>> = {
  find: true,
  findVersion: true,
  findMany: true,
  search: true,
  count: true,
  history: true,
  referrers: true,
  keysOf: true,
  labelled: true,
  findClaim: true,
  findEntry: true,
  listEntries: true,
  worklist: true,
  availability: true,
  auditChains: true,
  auditLinks: true,
};
export type ReadName = keyof Reader;
const names = Object.keys(named) as readonly ReadName[];

/** A reader whose every read is answered by one function. */
export const readerOf = (answer: (name: ReadName, words: readonly unknown[]) => Promise<unknown>): Reader =>
  Object.fromEntries(names.map((name) => [name, (...words: unknown[]) => answer(name, words)])) as unknown as Reader;

/** Calls a read of a reader, whichever it is. */
export const readBy = (reader: object, name: ReadName, words: readonly unknown[]): unknown =>
  (reader as Record<ReadName, (...all: readonly unknown[]) => unknown>)[name](...words);

/** The store with some of its reads answered otherwise, on every way to them: its own, those of a replica, and those of a snapshot. */
export const withReads = (store: Store, readsOf: (reader: Reader) => Partial<Reader>): Store => {
  const over = (reader: Reader): Reader => Object.assign(Object.create(reader) as Reader, readsOf(reader));
  return Object.assign(Object.create(store) as Store, readsOf(store), {
    at: (freshness: 'replica' | 'primary') => over(store.at(freshness)),
    snapshot: <T>(read: (reader: Reader) => Promise<T>) => store.snapshot((reader) => read(over(reader))),
  } satisfies Partial<Store>);
};

/** The store with its reads answered by `reader`; what it commits goes where it went. */
export const storeOver = (store: Store, reader: Reader): Store =>
  Object.assign(Object.create(store) as Store, {
    ...readerOf((name, words) => readBy(reader, name, words) as Promise<unknown>),
    at: () => reader,
    snapshot: <T>(read: (reader: Reader) => Promise<T>) => read(reader),
  } satisfies Partial<Store>);
