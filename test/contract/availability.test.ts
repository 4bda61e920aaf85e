import { Stale, type Put, type Store } from '../../src/store/port.js';
import { put, token } from '../builders/units.js';
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
    await store.commit({ puts: schedules.map((id) => put('Schedule', id)) });
  });
  afterEach(async () => {
    await store.close();
  });

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

  it('equals a recount by search, after any interleaving of writers that race for the same slots', async () => {
    const random = randomOf(7);
    const versions = new Map<string, number>();
    const write = async (): Promise<void> => {
      const id = `s${String(random(12))}`;
      const version = versions.get(id) ?? 0;
      const start = random(6) * dayMs + random(4) * (dayMs / 4);
      const gone = random(8) === 0 && version > 0;
      const wanted = slot(id, version, schedules[random(3)] ?? 'x', statuses[random(4)] ?? 'free', start);
      try {
        await store.commit({ puts: [gone ? { ...wanted, body: undefined, values: [] } : wanted] });
        versions.set(id, version + 1);
        starts.set(id, start);
      } catch (error) {
        // another writer of this round was first
        expect(error).toBeInstanceOf(Stale);
      }
    };
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

  it('says nothing of a diary that is not there', async () => {
    expect(await store.availability(['nobody'], 0, dayMs)).toEqual([]);
    expect(await store.availability([], 0, dayMs)).toEqual([]);
  });
});
