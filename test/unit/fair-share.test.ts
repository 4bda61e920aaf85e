import { FairShare } from '../../src/access/fair-share.js';

/** Asks so often for the client; `entered` grows as it is let in. */
const crowd = (share: FairShare, client: string, times: number, entered: string[]): void => {
  for (let n = 0; n < times; n++) {
    const turn = share.enter(client);
    if (turn === true) entered.push(client);
    else void turn.then((may) => entered.push(may ? client : `${client} refused`));
  }
};
const count = (entered: readonly string[], client: string): number => entered.filter((one) => one === client).length;
/** With a clock that stands still: places alone are shared here. */
const placesOf = (most: number): FairShare => new FairShare({ most, clock: () => 0 });
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a client alone has three quarters of the places, and there is room for who comes', () => {
  const share = placesOf(64);
  const entered: string[] = [];
  crowd(share, 'loud', 500, entered);
  expect(count(entered, 'loud')).toBe(48);
  crowd(share, 'calm', 8, entered);
  expect(count(entered, 'calm')).toBe(8);
});

test('however many crowd in, who has nothing at work is let in as soon as those before him who have none', async () => {
  const share = placesOf(64);
  const entered: string[] = [];
  for (let n = 0; n < 10; n++) crowd(share, `loud ${String(n)}`, 200, entered);
  crowd(share, 'calm', 1, entered);
  // six others came before it and have nothing at work either; two thousand requests wait
  for (let n = 0; n < 7; n++) share.leave('loud 0');
  await settled();
  expect(count(entered, 'calm')).toBe(1);
});

test('those who wait are let in by turns', async () => {
  const share = placesOf(4);
  const entered: string[] = [];
  crowd(share, 'a', 20, entered);
  crowd(share, 'b', 20, entered);
  const before = [...entered];
  for (let n = 0; n < 20; n++) {
    share.leave(entered[n] ?? '');
    await settled();
  }
  const after = entered.slice(before.length);
  expect(Math.abs(count(after, 'a') - count(after, 'b'))).toBeLessThanOrEqual(4);
  expect(entered.length).toBe(before.length + 20);
});

test('all that is asked for is done in the end, and nothing is kept of it', async () => {
  const share = placesOf(8);
  const entered: string[] = [];
  crowd(share, 'a', 100, entered);
  crowd(share, 'b', 30, entered);
  for (let n = 0; n < 130; n++) {
    expect(entered.length).toBeGreaterThan(n);
    share.leave(entered[n] ?? '');
    await settled();
  }
  expect([count(entered, 'a'), count(entered, 'b')]).toEqual([100, 30]);
  expect(Reflect.get(share, 'places')).toEqual(new Map());
});

test('more than a thousand that wait are refused, those of one client alone', async () => {
  const share = placesOf(4);
  const entered: string[] = [];
  crowd(share, 'loud', 1100, entered);
  await settled();
  expect(count(entered, 'loud refused')).toBe(1100 - 3 - 1000);
  expect(share.enter('calm')).toBe(true);
});

describe('within a turn of the event loop', () => {
  const meter = { now: 0 };
  const shared = (most = 64) => {
    meter.now = 0;
    return new FairShare({ most, clock: () => meter.now });
  };
  /** So many requests of the client come at once, and each that is let in is done at once, after `ms`. `done` tells who, and when. */
  const flood = (share: FairShare, client: string, times: number, ms: number, done: [string, number][]): void => {
    const work = (): void => {
      meter.now += ms;
      done.push([client, meter.now]);
      share.leave(client);
    };
    for (let n = 0; n < times; n++) {
      const turn = share.enter(client);
      if (turn === true) work();
      else void turn.then(work);
    }
  };

  test('a client works for two ms and one request more; who has had nothing is let in at once', () => {
    const share = shared();
    const done: [string, number][] = [];
    flood(share, 'loud', 100, 0.8, done);
    expect(done).toHaveLength(3);
    flood(share, 'calm', 1, 1, done);
    expect(done.at(-1)).toEqual(['calm', expect.closeTo(3.4)]);
  });

  test('requests are begun in the order in which they came, those that wait before those of the next turn', async () => {
    const share = shared();
    const begun: number[] = [];
    const come = (number: number): void => {
      const work = (): void => {
        meter.now += 0.8;
        begun.push(number);
        share.leave('one');
      };
      const turn = share.enter('one');
      if (turn === true) work();
      else void turn.then(work);
    };
    for (let turn = 0; turn < 5; turn++) {
      for (let n = 0; n < 8; n++) come(8 * turn + n);
      await settled();
    }
    while (begun.length < 40) await settled();
    expect(begun).toEqual(Array.from({ length: 40 }, (_, n) => n));
  });

  test('who comes is heard after few requests of a crowd that waits, though each is done at once', async () => {
    const share = shared();
    const done: [string, number][] = [];
    flood(share, 'loud', 200, 50, done);
    for (let turn = 0; turn < 8; turn++) await settled();
    const before = done.length;
    flood(share, 'calm', 1, 1, done);
    expect(done[before]?.[0]).toBe('calm');
    await settled();
    expect(done.length - before).toBeLessThanOrEqual(2);
  });

  test('as many are let in together as two ms hold, until nobody waits', async () => {
    const share = shared();
    const done: [string, number][] = [];
    flood(share, 'loud', 60, 50, done);
    for (let turn = 0; turn < 12; turn++) await settled();
    flood(share, 'loud', 900, 0.1, done);
    const seen: number[] = [];
    while (done.length < 960) {
      const before = done.length;
      await settled();
      seen.push(done.length - before);
    }
    expect(Math.max(...seen)).toBeGreaterThanOrEqual(20);
    expect(Math.max(...seen)).toBeLessThanOrEqual(22);
    expect(Reflect.get(share, 'places')).toEqual(new Map());
  });
});
