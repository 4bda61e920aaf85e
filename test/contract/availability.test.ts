import {
  Stale,
  type Predicate,
  type Prefix,
  type Put,
  type Reader,
  type SearchPlan,
  type Store,
  type Stored,
  type Value,
} from '../../src/store/port.js';
import { plan, put, token } from '../builders/units.js';
import { onEveryEngine } from './engines.js';

const dayMs = 86_400_000;
const statuses = ['free', 'busy', 'busy-tentative', 'busy-unavailable'];
const schedules = ['x', 'y', 'z'];

/** Numbers that look random and are the same in every run of a seed. */
const randomOf = (seed: number): ((below: number) => number) => {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % below;
  };
};

onEveryEngine('availability', ({ open }) => {
  let store: Store;
  beforeEach(async () => {
    store = await open({ integrity: true });
    await store.commit({ puts: ['a', 'b'].map((id) => put('HealthcareService', id)) });
    // x and y are of service a, z of b
    await store.commit({ puts: schedules.map((id) => put('Schedule', id, 0, { values: [actor(id === 'z' ? 'b' : 'a')] })) });
  });
  afterEach(async () => {
    await store.close();
  });

  const actor = (id: string): Value => ({ kind: 'reference', param: 'actor', target: { type: 'HealthcareService', id } });
  const slot = (id: string, version: number, schedule: string, status: string, start: number): Put =>
    put('Slot', id, version, {
      values: [
        { kind: 'reference', param: 'schedule', target: { type: 'Schedule', id: schedule } },
        token('status', status),
        { kind: 'range', param: 'start', low: start, high: start + 1 },
      ],
    });

  /** What a search of slots says of a diary. */
  const searched = async (schedule: string, from: number, until: number) => {
    const { rows } = await store.search(
      {
        type: 'Slot',
        where: [
          { kind: 'reference', param: 'schedule', any: [{ type: 'Schedule', id: schedule }] },
          { kind: 'token', param: 'status', any: [{ code: 'free' }] },
          { kind: 'range', param: 'start', any: [{ prefix: 'ge', low: from, high: from }] },
        ],
        sort: [{ param: 'start', kind: 'range', descending: false }],
        count: 1000,
      },
      'all',
    );
    const within = rows.map(({ id }) => starts.get(id) ?? 0);
    return { schedule, count: within.filter((start) => start < until).length, first: rows[0] };
  };
  const starts = new Map<string, number>();

  /** Writes one of so many slots, or deletes it, while others do. */
  const writer = (random: (below: number) => number, slots: number, among = statuses) => {
    const versions = new Map<string, number>();
    return async (): Promise<void> => {
      const id = `s${String(random(slots))}`;
      const version = versions.get(id) ?? 0;
      const start = random(6) * dayMs + random(4) * (dayMs / 4);
      const gone = random(8) === 0 && version > 0;
      const wanted = slot(id, version, schedules[random(3)] ?? 'x', among[random(among.length)] ?? 'free', start);
      try {
        await store.commit({ puts: [gone ? { ...wanted, body: undefined, values: [] } : wanted] });
        versions.set(id, version + 1);
        starts.set(id, start);
      } catch (error) {
        // another writer of this round was first
        expect(error).toBeInstanceOf(Stale);
      }
    };
  };

  it('equals a recount by search, after any interleaving of writers that race for the same slots', async () => {
    const write = writer(randomOf(7), 12);
    const windows = [
      [0, dayMs],
      [1, 6 * dayMs],
      [dayMs / 2, dayMs / 2 + 1],
      [dayMs, 3 * dayMs],
      [dayMs + 5, 4 * dayMs + dayMs / 4 + 1],
      [2 * dayMs, 2 * dayMs],
    ] as const;
    for (let round = 0; round < 40; round++) {
      await Promise.all(Array.from({ length: 6 }, write));
      const [from, until] = windows[round % windows.length] ?? [0, dayMs];
      const counted = [...(await store.availability(schedules, from, until))].sort((a, b) => (a.schedule < b.schedule ? -1 : 1));
      expect(counted).toEqual(await Promise.all(schedules.map((schedule) => searched(schedule, from, until))));
    }
  });

  const free = { kind: 'token', param: 'status', any: [{ code: 'free' }] } as const;
  const diaries = (...ids: readonly string[]): Predicate => ({
    kind: 'reference',
    param: 'schedule',
    any: ids.map((id) => ({ type: 'Schedule', id })),
  });
  const ofService = (id: string): Predicate => ({
    kind: 'chain',
    param: 'schedule',
    type: 'Schedule',
    where: [{ kind: 'reference', param: 'actor', any: [{ type: 'HealthcareService', id }] }],
  });
  const starting = (prefix: Prefix, low: number, high = low + dayMs): Predicate => ({
    kind: 'range',
    param: 'start',
    any: [{ prefix, low, high }],
  });
  const prefixes = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'po', 'co'] as const;
  const asked: readonly (readonly Predicate[])[] = [
    [diaries('x'), free],
    [ofService('a'), free],
    [ofService('b'), free, starting('ge', dayMs), starting('lt', 4 * dayMs)],
    [diaries('x', 'z', 'x', 'nobody'), free, starting('gt', 2 * dayMs, 2 * dayMs + 1)],
    [diaries('y'), ofService('a'), free],
    [ofService('nobody'), free],
    [ofService('a'), free, { kind: 'id', ids: ['s1', 's2', 's3'] }],
    [ofService('a'), { ...free, not: true }],
    [diaries('z'), { ...free, any: [{ code: 'free' }, { code: 'busy' }] }],
    ...prefixes.map((prefix) => [ofService('a'), free, starting(prefix, dayMs)]),
  ];
  const start = { param: 'start', kind: 'range', descending: false } as const;

  /** The records of a search, page by page, and how many it says there are. */
  const walked = async (reader: Reader, where: readonly Predicate[], more: Partial<SearchPlan>) => {
    const pages: (readonly Stored[])[] = [];
    for (let after: string | undefined, end = false; !end;) {
      const page = await reader.search(plan('Slot', where, { sort: [start], ...more, ...(after === undefined ? {} : { after }) }), 'all');
      // whether a store keeps a record is its own matter
      pages.push(page.rows.map(({ type, id, version, lastUpdated, body }) => ({ type, id, version, lastUpdated, body })));
      after = page.next;
      end = after === undefined;
    }
    const counted = plan('Slot', where, { sort: [start], ...more });
    return { pages, count: await reader.count(counted, 'all', 1000), few: await reader.count(counted, 'all', 2) };
  };

  it('a search of free slots, however it is answered, finds what one statement over the rows finds, page by page', async () => {
    const write = writer(randomOf(11), 40, ['free', 'free', 'busy']);
    for (let round = 0, version = 1; round < asked.length * 3; round++) {
      await Promise.all(Array.from({ length: 8 }, write));
      // a diary moves to another service, or is indexed anew as that of another one
      const moved = { type: 'Schedule', id: 'z', version, values: [actor((round >> 1) % 2 === 0 ? 'a' : 'b')] };
      if (round % 5 === 3) await store.commit({ reindexes: [moved] });
      if (round % 5 === 1) await store.commit({ puts: [put('Schedule', 'z', version++, { values: moved.values })] });
      const where = asked[round % asked.length] ?? [];
      const more = { count: 1 + (round % 4), sort: [{ ...start, descending: round % 7 === 6 }] };
      // a snapshot keeps nothing from one reading to the next
      const plain = await store.snapshot((reader) => walked(reader, where, more));
      expect(await walked(store, where, more)).toEqual(plain);
    }
  });

  it('says nothing of a diary that is not there', async () => {
    expect(await store.availability(['nobody'], 0, dayMs)).toEqual([]);
    expect(await store.availability([], 0, dayMs)).toEqual([]);
  });
});
