import type { Put, Reader, Sight, Store, Unit, Value } from '../port.js';

/** what most of the first requests ask for: a server plans, and some parse, a statement at its first use, and some do so for each connection */
const nobody: Sight = { keys: ['organisation:none'] };
const key = { type: 'ServiceRequest', id: 'none' } as const;
const reference = (param: string, type: string): Value => ({ kind: 'reference', param, target: { type, id: 'none' } });
const byStart = [{ param: 'start', kind: 'range', descending: false }] as const;

const hotReads: readonly ((reader: Reader) => Promise<unknown>)[] = [
  (reader) => reader.find(key, 'all'),
  (reader) => reader.find(key, nobody),
  (reader) => reader.findMany([key], nobody),
  (reader) =>
    reader.search(
      {
        type: 'Slot',
        where: [
          { kind: 'reference', param: 'schedule', any: [{ type: 'Schedule', id: 'none' }] },
          { kind: 'token', param: 'status', any: [{ code: 'free' }] },
          { kind: 'range', param: 'start', any: [{ prefix: 'ge', low: 0, high: 1 }] },
        ],
        sort: byStart,
        count: 1,
      },
      // the directory, and what is free in it, is everybody's
      'all',
    ),
  (reader) =>
    reader.search(
      { type: 'Patient', where: [{ kind: 'token', param: 'identifier', any: [{ system: 'none', code: 'none' }] }], sort: [], count: 1 },
      'all',
    ),
  (reader) => reader.findClaim('slot', 'none'),
  (reader) => reader.findEntry('client', 'none'),
];

const moved = (type: string, version: number, values: readonly Value[]): Put => ({
  ...{ type, id: 'none', version, lastUpdated: 0, body: '{}', values },
  accessKeys: ['organisation:none'],
  accessLinks: [],
});

/** A booking of what is not there: it is refused, and leaves nothing. */
const refused: Unit = {
  puts: [
    moved('ServiceRequest', 1, [reference('subject', 'Patient'), { kind: 'token', param: 'status', system: '', code: 'active' }]),
    moved('Slot', 1, [reference('schedule', 'Schedule'), { kind: 'range', param: 'start', low: 0, high: 1 }]),
    moved('Appointment', 0, [{ kind: 'range', param: 'date', low: 0, high: 1 }]),
  ],
  expects: [{ type: 'Patient', id: 'none', version: 1 }],
  claims: [{ kind: 'slot', key: 'none', owner: 'none' }],
  releases: [{ kind: 'hold', key: 'none', owner: 'none' }],
  audit: ['{}'],
};

/** the second use of a statement prepares it */
const uses = 2;

/**
 * Has the statements that requests need first prepared by each of `connections`, so that nobody waits for it. Every one of them finds nothing or is
 * refused; what goes wrong is met again by who serves.
 */
export const warmUp = async (store: Store, connections: number): Promise<void> => {
  // side by side, so that each goes over a connection of its own
  const onEach = (task: () => Promise<unknown>): Promise<unknown> => Promise.allSettled(Array.from({ length: connections }, () => task()));
  for (let use = 1; use <= uses; use++) {
    for (const read of hotReads) await onEach(() => read(store));
    await onEach(() => store.commit(refused));
  }
};
