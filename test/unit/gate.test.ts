import { Gate } from '../../src/store/mssql/gate.js';

const held = () => {
  let release = (): void => undefined;
  const done = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { done, release };
};

describe('the gate before the connections', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  const enter = (gate: Gate, tasks: number) => {
    let entered = 0;
    const task = held();
    const all = Array.from({ length: tasks }, () =>
      gate.pass(() => {
        entered++;
        return task.done;
      }),
    );
    return { all, release: task.release, entered: () => entered };
  };

  it('lets two in at first, and one more each time that somebody waited long', async () => {
    const gate = new Gate(4, 2, () => Date.now());
    const { all, release, entered } = enter(gate, 6);
    await jest.advanceTimersByTimeAsync(400);
    expect([entered(), gate.waiting]).toEqual([2, 4]);
    await jest.advanceTimersByTimeAsync(200);
    expect(entered()).toBe(3);
    await jest.advanceTimersByTimeAsync(5000);
    expect([entered(), gate.waiting]).toEqual([4, 2]);
    release();
    await Promise.all(all);
    expect([entered(), gate.waiting]).toEqual([6, 0]);
  });

  it('opens another one late while a connection meets a statement for the first time', async () => {
    const gate = new Gate(4, 2, () => Date.now());
    const { all, release, entered } = enter(gate, 6);
    gate.planning(1);
    await jest.advanceTimersByTimeAsync(4000);
    expect(entered()).toBe(2);
    await jest.advanceTimersByTimeAsync(1000);
    expect(entered()).toBe(3);
    gate.planning(-1);
    await jest.advanceTimersByTimeAsync(600);
    expect(entered()).toBe(4);
    release();
    await Promise.all(all);
  });

  it('whoever fails makes room for the next', async () => {
    const gate = new Gate(1);
    await expect(gate.pass(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await gate.pass(() => Promise.resolve('yes'))).toBe('yes');
  });

  it('refuses who waited for 15 s', async () => {
    const gate = new Gate(1, 1, () => Date.now());
    const { all, release } = enter(gate, 1);
    const late = gate.pass(() => Promise.resolve()).catch((error: unknown) => (error as Error).name);
    await jest.advanceTimersByTimeAsync(16_000);
    expect(await late).toBe('TimeoutError');
    release();
    await Promise.all(all);
  });
});
