import { Retries } from '../../src/store/mssql/retries.js';
import { thrown, troubleOf } from '../../src/store/mssql/server-errors.js';

/** An error as the driver throws it. */
const failure = (more: { readonly number?: number; readonly code?: string; readonly name?: string }) =>
  Object.assign(new Error('no'), more);
const server = (number: number) => failure({ number, code: 'EREQUEST' });

describe('what an error means', () => {
  test.each([1205, 3960, 4060, 10928, 10929, 40197, 40501, 40613, 49918, 33_557_097])('%i passes', (number) => {
    expect(troubleOf(server(number))).toBe('passing');
  });
  it('what the server has rolled back passes', () => {
    expect(troubleOf(failure({ code: 'EABORT' }))).toBe('passing');
  });
  test.each([2601, 2627, 547, thrown.again])('%i is a race', (number) => {
    expect(troubleOf(server(number))).toBe('race');
  });
  test.each(['ESOCKET', 'ETIMEOUT', 'ECONNCLOSED', 'ECLOSE', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'])(
    '%s leaves open what was done',
    (code) => {
      expect(troubleOf(failure({ code }))).toBe('unknown');
    },
  );
  it('so does an error of the socket of which the driver kept the message alone', () => {
    const of = (message: string, number?: number) =>
      troubleOf(Object.assign(new Error(message), { code: 'EREQUEST', ...(number === undefined ? {} : { number }) }));
    expect(of('Error: read ECONNRESET')).toBe('unknown');
    expect([of('Error: read'), of('The column is named ECONNRESET', 207)]).toEqual(['fault', 'fault']);
  });
  it('a login that is refused, and a pool with no connection to give, have sent nothing', () => {
    expect(troubleOf(failure({ code: 'ELOGIN' }))).toBe('unreachable');
    expect(troubleOf(failure({ name: 'TimeoutError' }))).toBe('unreachable');
  });
  test.each([102, 207, 208, 8152, thrown.stale, thrown.taken])('%i is final', (number) => {
    expect(troubleOf(server(number))).toBe('fault');
  });
});

describe('what is tried again', () => {
  /** A task that fails so often; the clock moves by what is waited. */
  const failing = (times: number, error: Error, tookMs = 0) => {
    const clock = { now: 0, waits: [] as number[], runs: 0 };
    const retries = new Retries(
      () => clock.now,
      (ms) => {
        clock.waits.push(ms);
        clock.now += ms;
        return Promise.resolve();
      },
    );
    const task = () => {
      clock.now += tookMs;
      return clock.runs++ < times ? Promise.reject(error) : Promise.resolve('done');
    };
    return { clock, retries, task };
  };

  test.each([1205, 40613, 40197, 10928])('%i is sent again until it is taken', async (number) => {
    const { clock, retries, task } = failing(3, server(number));
    expect(await retries.run(task)).toBe('done');
    expect([clock.runs, retries.count, retries.troubles.get('passing')]).toEqual([4, 3, 3]);
    expect(clock.waits.every((ms) => ms >= 0 && ms <= 500)).toBe(true);
  });

  it('six tries at most', async () => {
    const { clock, retries, task } = failing(100, server(1205));
    await expect(retries.run(task)).rejects.toMatchObject({ number: 1205 });
    expect([clock.runs, retries.count, retries.troubles.get('passing')]).toEqual([6, 5, 6]);
  });

  it('none after five seconds', async () => {
    const { clock, retries, task } = failing(100, failure({ code: 'ETIMEOUT' }), 3000);
    await expect(retries.run(task)).rejects.toMatchObject({ code: 'ETIMEOUT' });
    expect(clock.runs).toBe(2);
  });

  it('nothing that would fail again', async () => {
    const { clock, retries, task } = failing(1, server(8152));
    await expect(retries.run(task)).rejects.toMatchObject({ number: 8152 });
    expect([clock.runs, retries.count, retries.troubles.size]).toEqual([1, 0, 0]);
  });
});
