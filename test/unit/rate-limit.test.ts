import { RateLimit } from '../../src/access/rate-limit.js';
import { memoryEntries } from '../helpers/memory-entries.js';

describe('the rate limit of a client', () => {
  let now = 1_000_000;
  const clock = () => now;
  beforeEach(() => {
    now = 1_000_000;
  });
  const allowed = async (limit: RateLimit, requests: number, rate = 10, client = 'a'): Promise<number> => {
    const answers = await Promise.all(Array.from({ length: requests }, () => limit.take(client, rate)));
    return answers.filter((answer) => answer.allowed).length;
  };

  test('lets a burst of twice the rate through, then the rate', async () => {
    const limit = new RateLimit(memoryEntries(), clock);
    expect(await allowed(limit, 100)).toBe(20);
    expect(await allowed(limit, 100)).toBe(0);
    let passed = 0;
    for (let step = 0; step < 50; step++) {
      now += 100;
      passed += await allowed(limit, 5);
    }
    expect(passed).toBeGreaterThanOrEqual(45);
    expect(passed).toBeLessThanOrEqual(50);
  });
  test('is one for all processes: their sum stays within a tenth of it', async () => {
    const store = memoryEntries();
    const processes = [1, 2, 3].map(() => new RateLimit(store, clock));
    const round = async () => (await Promise.all(processes.map((limit) => allowed(limit, 40, 100)))).reduce((sum, n) => sum + n, 0);
    await round();
    await round();
    await round();
    let passed = 0;
    for (let step = 0; step < 100; step++) {
      now += 100;
      passed += await round();
    }
    expect(passed).toBeGreaterThanOrEqual(900);
    expect(passed).toBeLessThanOrEqual(1100);
  });
  test('is each client’s own', async () => {
    const limit = new RateLimit(memoryEntries(), clock);
    await allowed(limit, 100, 10, 'a');
    expect(await allowed(limit, 5, 10, 'b')).toBe(5);
  });
  test('says when to come again, and asks the store at most ten times a second of a refused client', async () => {
    const store = memoryEntries();
    let asked = 0;
    const limit = new RateLimit({ ...store, findEntry: (kind, key) => ((asked += 1), store.findEntry(kind, key)) }, clock);
    await allowed(limit, 100);
    asked = 0;
    for (let step = 0; step < 100; step++) {
      now += 0.5;
      expect(await limit.take('a', 10)).toMatchObject({ allowed: false, limit: 10, remaining: 0, resetSeconds: 1 });
    }
    expect(asked).toBeLessThanOrEqual(1);
  });
  test('works below one a second', async () => {
    const limit = new RateLimit(memoryEntries(), clock);
    expect(await allowed(limit, 10, 0.5)).toBe(1);
    now += 1000;
    expect(await allowed(limit, 10, 0.5)).toBe(0);
    now += 1100;
    expect(await allowed(limit, 10, 0.5)).toBe(1);
  });
});
