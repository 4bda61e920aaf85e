import { setTimeout } from 'node:timers/promises';
import { startRounds } from '../../src/rounds.js';

describe('rounds', () => {
  it('walks a round again after it failed, and tells of each failure', async () => {
    const failures: unknown[] = [];
    const stumble = () => Promise.reject(new Error('no store'));
    const end = startRounds([{ everyMs: 5, work: stumble, trouble: 'it could not be done' }], (error, trouble) =>
      failures.push([error, trouble]),
    );
    while (failures.length < 2) await setTimeout(5);
    await end();
    expect(failures.slice(0, 2)).toEqual(Array(2).fill([new Error('no store'), 'it could not be done']));
  });

  it('walks no round beside itself, and ends when what runs is done', async () => {
    let beside = 0;
    let most = 0;
    let done = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++beside);
      await setTimeout(40);
      beside--;
      done++;
    };
    const end = startRounds([{ everyMs: 5, work, trouble: '' }], () => undefined);
    while (beside === 0) await setTimeout(1);
    await end();
    expect({ most, beside }).toEqual({ most: 1, beside: 0 });
    const doneAtEnd = done;
    await setTimeout(60);
    expect(done).toBe(doneAtEnd);
  });
});
