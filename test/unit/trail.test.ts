import { createTrail } from '../../src/audit/trail.js';
import { Unavailable, type Unit } from '../../src/store/port.js';

const line = (n: number): string => `{"n":${String(n)}}`;
const storing = () => {
  const written: string[] = [];
  const state = { away: false };
  const commit = ({ audit = [] }: Unit): Promise<void> => {
    if (state.away) return Promise.reject(new Unavailable('away'));
    written.push(...audit.flatMap((text) => text.split('\n')));
    return Promise.resolve();
  };
  return { written, state, commit };
};

it('lines are written in their order, many to a commit, within 100 ms', async () => {
  const { written, commit } = storing();
  const trail = createTrail({ commit }, () => undefined);
  for (let n = 0; n < 2500; n++) trail.note(line(n));
  expect(written).toEqual([]);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(written).toEqual(Array.from({ length: 2500 }, (_, n) => line(n)));
});

it('a line longer than a link holds goes alone', async () => {
  const commits: number[] = [];
  const commit = ({ audit = [] }: Unit): Promise<void> => Promise.resolve(void commits.push(audit.join('\n').split('\n').length));
  const trail = createTrail({ commit }, () => undefined);
  trail.note(`{"x":"${'a'.repeat(300_000)}"}`);
  trail.note(line(1));
  trail.note(line(2));
  await trail.flush();
  expect(commits).toEqual([1, 2]);
});

it('while nothing can be written lines wait and none is lost, and when too many wait no access is given', async () => {
  const { written, state, commit } = storing();
  const faults: unknown[] = [];
  const trail = createTrail({ commit }, (error) => faults.push(error));
  state.away = true;
  trail.note(line(0));
  await trail.flush();
  expect([faults.length, written.length]).toEqual([1, 0]);
  for (let n = 1; n < 50_000; n++) trail.note(line(n));
  expect(() => {
    trail.note(line(50_000));
  }).toThrow(Unavailable);
  state.away = false;
  await trail.close();
  expect(written).toHaveLength(50_000);
  trail.note(line(50_001));
  await trail.close();
  expect(written.at(-1)).toBe(line(50_001));
});
