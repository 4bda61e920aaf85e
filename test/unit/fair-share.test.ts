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
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a client alone has three quarters of the places, and there is room for who comes', () => {
  const share = new FairShare({ most: 64, begins: 64 });
  const entered: string[] = [];
  crowd(share, 'loud', 500, entered);
  expect(count(entered, 'loud')).toBe(48);
  crowd(share, 'calm', 8, entered);
  expect(count(entered, 'calm')).toBe(8);
});

test('however many crowd in, who has nothing at work is let in as soon as those before him who have none', async () => {
  const share = new FairShare({ most: 64, begins: 64 });
  const entered: string[] = [];
  for (let n = 0; n < 10; n++) crowd(share, `loud ${String(n)}`, 200, entered);
  crowd(share, 'calm', 1, entered);
  // six others came before it and have nothing at work either; two thousand requests wait
  for (let n = 0; n < 7; n++) share.leave('loud 0');
  await settled();
  expect(count(entered, 'calm')).toBe(1);
});

test('those who wait are let in by turns', async () => {
  const share = new FairShare({ most: 4, begins: 4 });
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
  const share = new FairShare({ most: 8, begins: 8 });
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
  const share = new FairShare({ most: 4, begins: 4 });
  const entered: string[] = [];
  crowd(share, 'loud', 1100, entered);
  await settled();
  expect(count(entered, 'loud refused')).toBe(1100 - 3 - 1000);
  expect(share.enter('calm')).toBe(true);
});

describe('by what a request takes of the thread', () => {
  const meter = { busy: 0, now: 0 };
  const shared = (begins = 64) => {
    meter.busy = meter.now = 0;
    return new FairShare({ most: 64, begins, busy: () => meter.busy, clock: () => meter.now });
  };
  /** `times` requests of the client, one after the other, each so many ms long. */
  const worked = (share: FairShare, times: number, ms: number): void => {
    for (let n = 0; n < times; n++) {
      void share.enter('any');
      meter.busy += ms;
      meter.now += ms;
      share.leave('any');
    }
  };
  const most = (share: FairShare): number => {
    const entered: string[] = [];
    crowd(share, 'any', 200, entered);
    return entered.length;
  };

  test.each([
    [0.3, 48],
    [2, 8],
    [20, 3],
    [500, 3],
  ])('of requests of %d ms one client has %d at work', (ms, atWork) => {
    const share = shared();
    worked(share, Math.ceil(300 / ms), ms);
    expect(most(share)).toBe(atWork);
  });

  test('requests that wait for something else than the thread are let in until the thread has no time left', async () => {
    const share = shared();
    const entered: string[] = [];
    crowd(share, 'writes', 1500, entered);
    const atWork: number[] = [];
    for (let done = 0; done < 900; done += atWork.at(-1) ?? 0) {
      atWork.push(entered.length - done);
      // each takes 3 ms of the thread, and all of them wait 50 ms for one commit
      meter.busy += 3 * (atWork.at(-1) ?? 0);
      meter.now += 3 * (atWork.at(-1) ?? 0) + 50;
      for (let n = atWork.at(-1) ?? 0; n > 0; n--) share.leave('writes');
      await settled();
    }
    // by what they take alone there would be five
    expect(Math.min(...atWork.slice(-5))).toBeGreaterThan(40);
  });

  test('who has nothing at work is let in at once, also when the others have more than they may have by now', () => {
    const share = shared(8);
    const entered: string[] = [];
    crowd(share, 'loud', 200, entered);
    expect(entered).toHaveLength(8);
    meter.busy += 1000;
    meter.now += 1000;
    expect(share.enter('calm')).toBe(true);
    share.leave('loud');
    expect(entered).toHaveLength(8);
  });

  test('a crowd that has just come begins with eight, and each that is done lets in one more than it', async () => {
    const share = shared(8);
    const entered: string[] = [];
    crowd(share, 'loud', 200, entered);
    const sizes = [entered.length];
    for (let round = 0; round < 3; round++) {
      for (let n = entered.length - (sizes.at(-2) ?? 0); n > 0; n--) share.leave('loud');
      await settled();
      sizes.push(entered.length);
    }
    expect(sizes.slice(0, 2)).toEqual([8, 24]);
  });

  test('there are more places again when requests take less, and who waits is let in to all of them', async () => {
    const share = shared();
    worked(share, 20, 20);
    const entered: string[] = [];
    crowd(share, 'loud', 200, entered);
    expect(entered).toHaveLength(3);
    meter.now += 1000;
    share.leave('loud');
    await settled();
    // three of which one has left, and all that there is room for now
    expect(entered).toHaveLength(49);
  });

  test('what the thread did while nobody was at work says nothing of requests', () => {
    const share = shared();
    worked(share, 1, 200);
    meter.busy += 5000;
    meter.now += 60_000;
    expect(most(share)).toBe(48);
  });

  test('a long request that is not done yet counts as well', () => {
    const share = shared();
    void share.enter('loud');
    meter.busy += 5000;
    meter.now += 5000;
    expect(most(share)).toBeLessThan(4);
  });
});
