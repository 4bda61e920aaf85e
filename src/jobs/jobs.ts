/**
 * Long work (an export, an import, an asynchronous request) that any process may take on, and that outlives the process which
 * does it: a job is an entry in the store, held by lease.
 */
import { Stale, type Claim, type Entry, type EntryPut, type Store } from '../store/port.js';

export type JobStatus = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

export type Job = {
  readonly id: string;
  readonly kind: string;
  /** who asked for it: compared by the caller before anything of the job is told */
  readonly owner: string;
  /** whose turn it is: the jobs of one client do not keep those of another waiting; absent for the server's own */
  readonly client?: string;
  /** JSON of the kind's own shape, as is `result` */
  readonly request: unknown;
  readonly status: JobStatus;
  readonly submitted: number;
  /** for X-Progress (R4 async.html) */
  readonly progress?: string;
  /** while running: what the next process needs to go on where this one stopped */
  readonly checkpoint?: unknown;
  /** of a job that is done */
  readonly result?: unknown;
  /** of a job that failed: what may be told to its owner */
  readonly reason?: string;
  readonly leaseUntil?: number;
  readonly attempts: number;
};

/** A job that this process holds until its lease ends. */
export type HeldJob = {
  readonly job: Job;
  /** Keeps the lease. False: the job was cancelled, or another process has it, and this one must stop. */
  readonly heartbeat: (told?: { readonly progress?: string; readonly checkpoint?: unknown }) => Promise<boolean>;
  /** Gives the job back unfinished, for any process to go on with. */
  readonly release: () => Promise<boolean>;
  /** False as for `heartbeat`: then nothing was written. */
  readonly finish: (end: { readonly result: unknown } | { readonly reason: string }) => Promise<boolean>;
};

type Asked = Pick<Job, 'kind' | 'owner' | 'client' | 'request'>;

export type Jobs = {
  /** `claims` are committed with it; throws Taken when one is another's */
  readonly submit: (asked: Asked, claims?: readonly Claim[]) => Promise<Job>;
  /** how many of the client's jobs have not ended */
  readonly pendingOf: (client: string) => Promise<number>;
  /** A job that is submitted by committing its entries, together with what it is about. */
  readonly drafted: (asked: Asked) => { readonly job: Job; readonly entries: readonly EntryPut[] };
  readonly find: (id: string) => Promise<Job | undefined>;
  /** the jobs that have not ended, in the order of their turn */
  readonly unended: () => Promise<readonly Job[]>;
  /**
   * The oldest job of these kinds that nobody holds, or whose holder's lease has ended: of several clients' jobs first the first of each,
   * then the second of each, those that run among them.
   */
  readonly claim: (kinds: readonly string[]) => Promise<HeldJob | undefined>;
  /** False when there is no such job, or it has ended. */
  readonly cancel: (id: string) => Promise<boolean>;
  /** Forgets an ended job. */
  readonly remove: (id: string) => Promise<void>;
};

export type JobOptions = {
  readonly clock: () => number;
  readonly newId: () => string;
  /** a holder that is silent for this long has lost the job */
  readonly leaseMs?: number;
  /** an ended job is told of for this long */
  readonly keepMs?: number;
  /** a job whose holders died this often has failed */
  readonly maxAttempts?: number;
};

type Held = { readonly job: Job; readonly version: number };

const ended = (job: Job): boolean => job.status === 'done' || job.status === 'failed' || job.status === 'cancelled';
/** sorts by submission, so that the oldest waiting job comes first */
const pendingKey = (job: Job): string => `${String(job.submitted).padStart(15, '0')}-${job.id}`;

type Pending = Pick<Job, 'id' | 'client'>;

/** The pending jobs in the order of their turn. */
const inTurn = (pending: readonly Pending[]): readonly Pending[] => {
  const before = new Map<string, number>();
  const placed = pending.map((job, index) => {
    const place = job.client === undefined ? 0 : (before.get(job.client) ?? 0);
    if (job.client !== undefined) before.set(job.client, place + 1);
    return { job, place, index };
  });
  return placed.sort((a, b) => a.place - b.place || a.index - b.index).map(({ job }) => job);
};

/** A write that another process may win: false then, with nothing written. */
const won = async (commit: Promise<void>): Promise<boolean> => {
  try {
    await commit;
    return true;
  } catch (error) {
    if (error instanceof Stale) return false;
    throw error;
  }
};

export const createJobs = (store: Store, options: JobOptions): Jobs => {
  const { clock, newId, leaseMs = 30_000, keepMs = 24 * 3_600_000, maxAttempts = 3 } = options;

  const read = async (id: string): Promise<Held | undefined> => {
    const entry: Entry | undefined = await store.findEntry('job', id);
    return entry && { job: JSON.parse(entry.body) as Job, version: entry.version };
  };

  const write = (job: Job, version: number): Promise<boolean> => {
    const over = ended(job);
    return won(
      store.commit({
        entries: [
          { kind: 'job', key: job.id, version, body: JSON.stringify(job), ...(over ? { expires: clock() + keepMs } : {}) },
          ...(over ? [{ kind: 'pending-job' as const, key: pendingKey(job), version: 1, body: undefined }] : []),
        ],
      }),
    );
  };

  const hold = (first: Held): HeldJob => {
    let { job, version } = first;
    // one write at a time: the runner's heartbeat and the handler's must not take each other for another process
    let last: Promise<boolean> = Promise.resolve(true);
    const next = (change: (job: Job) => Job): Promise<boolean> => {
      const attempt = async (): Promise<boolean> => {
        const changed = change(job);
        if (!(await write(changed, version))) return false;
        job = changed;
        version++;
        return true;
      };
      last = last.then(attempt, attempt);
      return last;
    };
    const unheld = ({ leaseUntil: _lease, ...rest }: Job): Job => rest;
    return {
      job,
      heartbeat: (told = {}) => next((current) => ({ ...current, ...told, leaseUntil: clock() + leaseMs })),
      release: () => next((current) => ({ ...unheld(current), status: 'waiting', attempts: current.attempts - 1 })),
      finish: (end) =>
        next((current) => {
          const { checkpoint: _checkpoint, ...rest } = unheld(current);
          return { ...rest, status: 'result' in end ? 'done' : 'failed', ...end };
        }),
    };
  };

  const take = async (kinds: readonly string[], { job, version }: Held): Promise<HeldJob | undefined> => {
    // it may have ended since it was listed
    if (!kinds.includes(job.kind) || ended(job) || (job.status === 'running' && (job.leaseUntil ?? 0) > clock())) return undefined;
    if (job.attempts >= maxAttempts) {
      await write({ ...job, status: 'failed', reason: 'The work stopped several times and was given up.' }, version);
      return undefined;
    }
    const mine: Job = { ...job, status: 'running', leaseUntil: clock() + leaseMs, attempts: job.attempts + 1 };
    return (await write(mine, version)) ? hold({ job: mine, version: version + 1 }) : undefined;
  };

  const drafted: Jobs['drafted'] = (asked) => {
    const job: Job = { ...asked, id: newId(), status: 'waiting', submitted: clock(), attempts: 0 };
    return {
      job,
      entries: [
        { kind: 'job', key: job.id, version: 0, body: JSON.stringify(job) },
        {
          kind: 'pending-job',
          key: pendingKey(job),
          version: 0,
          body: JSON.stringify({ id: job.id, ...(job.client === undefined ? {} : { client: job.client }) } satisfies Pending),
        },
      ],
    };
  };

  const pending = async (): Promise<readonly Pending[]> =>
    (await store.listEntries('pending-job')).map(({ body }) => JSON.parse(body) as Pending);

  return {
    drafted,
    submit: async (asked, claims = []) => {
      const { job, entries } = drafted(asked);
      await store.commit({ entries, claims });
      return job;
    },
    pendingOf: async (client) => (await pending()).filter((job) => job.client === client).length,
    find: async (id) => (await read(id))?.job,
    unended: async () => {
      const known = await Promise.all(inTurn(await pending()).map(({ id }) => read(id)));
      return known.flatMap((one) => (one && !ended(one.job) ? [one.job] : []));
    },
    claim: async (kinds) => {
      for (const { id } of inTurn(await pending())) {
        const known = await read(id);
        const held = known && (await take(kinds, known));
        if (held) return held;
      }
      return undefined;
    },
    cancel: async (id) => {
      for (;;) {
        const known = await read(id);
        if (!known || ended(known.job)) return false;
        const { leaseUntil: _lease, ...rest } = known.job;
        if (await write({ ...rest, status: 'cancelled' }, known.version)) return true;
      }
    },
    remove: async (id) => {
      const known = await read(id);
      if (known && ended(known.job))
        await won(store.commit({ entries: [{ kind: 'job', key: id, version: known.version, body: undefined }] }));
    },
  };
};
