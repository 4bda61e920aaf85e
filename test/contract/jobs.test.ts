import { createJobs, type JobOptions } from '../../src/jobs/jobs.js';
import { runJobs } from '../../src/jobs/runner.js';
import type { Store } from '../../src/store/port.js';
import { onEveryEngine } from './engines.js';

onEveryEngine('jobs', ({ open, openAgain }) => {
  let here: Store;
  let there: Store;
  let now = 0;
  let made = 0;
  const options: JobOptions = { clock: () => now, newId: () => `job-${String(++made)}`, leaseMs: 1000, keepMs: 5000, maxAttempts: 2 };
  const asked = { kind: 'export', owner: 'client-a', request: { types: ['Patient'] } };

  beforeEach(async () => {
    now = Date.now();
    here = await open({ integrity: true });
    there = await openAgain({ integrity: true });
  });
  afterEach(async () => {
    await here.close();
    await there.close();
  });

  it('a submitted job is claimed once, by one of many processes', async () => {
    const jobs = [createJobs(here, options), createJobs(there, options)] as const;
    const { id } = await jobs[0].submit(asked);
    const claims = await Promise.all(Array.from({ length: 10 }, (_, n) => jobs[n % 2 === 0 ? 0 : 1].claim(['export'])));
    expect(claims.filter((claim) => claim !== undefined)).toHaveLength(1);
    expect((await jobs[1].find(id))?.status).toBe('running');
    expect(await jobs[1].claim(['import'])).toBeUndefined();
  });

  it('the oldest waiting job comes first', async () => {
    const jobs = createJobs(here, options);
    const first = await jobs.submit(asked);
    now += 5;
    await jobs.submit(asked);
    expect((await jobs.claim(['export']))?.job.id).toBe(first.id);
  });

  it('who has many jobs does not keep the first one of another client waiting', async () => {
    const jobs = createJobs(here, options);
    const submit = async (client: string) => {
      now += 5;
      return (await jobs.submit({ ...asked, client })).id;
    };
    const many = [await submit('a'), await submit('a'), await submit('a')];
    const other = [await submit('b'), await submit('b')];
    expect([await jobs.pendingOf('a'), await jobs.pendingOf('b'), await jobs.pendingOf('c')]).toEqual([3, 2, 0]);
    const turns: (string | undefined)[] = [];
    for (let n = 0; n < 6; n++) turns.push((await jobs.claim(['export']))?.job.id);
    expect(turns).toEqual([many[0], other[0], many[1], other[1], many[2], undefined]);
  });

  it('a job whose holder is silent is claimed again with its checkpoint, and the old holder cannot end it', async () => {
    const jobs = createJobs(here, options);
    const { id } = await jobs.submit(asked);
    const silent = await jobs.claim(['export']);
    expect(await silent?.heartbeat({ progress: '10 of 20', checkpoint: { after: 10 } })).toBe(true);
    expect(await createJobs(there, options).claim(['export'])).toBeUndefined();
    now += 1001;
    const second = await createJobs(there, options).claim(['export']);
    expect(second?.job).toMatchObject({ id, progress: '10 of 20', checkpoint: { after: 10 }, attempts: 2 });
    expect(await silent?.finish({ result: 'late' })).toBe(false);
    expect(await second?.finish({ result: { files: 3 } })).toBe(true);
    expect(await jobs.find(id)).toMatchObject({ status: 'done', result: { files: 3 } });
    expect(await jobs.claim(['export'])).toBeUndefined();
  });

  it('a job that its holders never survive fails', async () => {
    const jobs = createJobs(here, options);
    const { id } = await jobs.submit(asked);
    for (let n = 0; n < 2; n++) {
      expect(await jobs.claim(['export'])).toBeDefined();
      now += 1001;
    }
    expect(await jobs.claim(['export'])).toBeUndefined();
    expect((await jobs.find(id))?.status).toBe('failed');
  });

  it('a cancelled job stops at the next heartbeat and never starts again', async () => {
    const jobs = createJobs(here, options);
    const { id } = await jobs.submit(asked);
    const held = await jobs.claim(['export']);
    expect(await createJobs(there, options).cancel(id)).toBe(true);
    expect(await held?.heartbeat()).toBe(false);
    expect(await jobs.cancel(id)).toBe(false);
    now += 1001;
    expect(await jobs.claim(['export'])).toBeUndefined();
    await jobs.remove(id);
    expect(await jobs.find(id)).toBeUndefined();
  });

  it('two runners do every job once, give failures a reason, and hand stopped work on', async () => {
    const all = createJobs(here, options);
    const done: string[] = [];
    const runner = (store: Store) =>
      runJobs({
        jobs: createJobs(store, options),
        handlers: {
          export: ({ job }) => {
            done.push(job.id);
            return job.request === 'bad' ? Promise.reject(new Error('no such type')) : Promise.resolve('made');
          },
        },
        pollMs: 10,
        reasonOf: (error) => (error as Error).message,
        onError: () => undefined,
      });
    const runners = [runner(here), runner(there)];
    const submitted = await Promise.all(['a', 'b', 'bad', 'c'].map((request) => all.submit({ ...asked, request })));
    runners.forEach(({ nudge }) => {
      nudge();
    });
    const ends = async () => Promise.all(submitted.map(async ({ id }) => (await all.find(id))?.status));
    while ((await ends()).some((status) => status === 'waiting' || status === 'running')) await new Promise((r) => setTimeout(r, 5));
    expect(await ends()).toEqual(['done', 'done', 'failed', 'done']);
    expect([...done].sort()).toEqual(submitted.map(({ id }) => id).sort());
    await Promise.all(runners.map(({ stop }) => stop()));

    const { id } = await all.submit(asked);
    let started = (): void => undefined;
    const begun = new Promise<void>((resolve) => (started = resolve));
    const stopped = runJobs({
      jobs: all,
      handlers: {
        export: (_held, signal) =>
          new Promise((_, reject) => {
            started();
            signal.addEventListener('abort', () => {
              reject(new Error('stopped'));
            });
          }),
      },
      pollMs: 10,
      reasonOf: String,
      onError: () => undefined,
    });
    await begun;
    await stopped.stop();
    expect(await all.find(id)).toMatchObject({ status: 'waiting', attempts: 0 });
  });
});
