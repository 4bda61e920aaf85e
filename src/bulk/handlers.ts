import type { Store } from '../store/port.js';
import { Stale } from '../store/port.js';
import { discreet } from '../interactions/discreet-house.js';
import type { House } from '../interactions/house.js';
import type { HeldJob } from '../jobs/jobs.js';
import type { JobHandler } from '../jobs/runner.js';
import { reindexJob } from '../custom-parameters/reindex-job.js';
import { upkeepJob } from '../search-index/upkeep.js';
import { deferredJob } from './deferred-job.js';
import { exportJob } from './export-job.js';
import { importJob } from './import-job.js';
import { keptMs, removeFiles } from './status.js';

/** What this server can do later: each kind of job and who does it. `indexed` is told of each type that is indexed anew. */
export const jobHandlers = (house: House, indexed: (type: string) => void): Readonly<Record<string, JobHandler>> => ({
  export: (held, signal) => exportJob(discreet(house), held, signal).then((result) => filed(house, held, result)),
  import: (held, signal) => importJob(house, held, signal).then((result) => filed(house, held, result)),
  reindex: (held, signal) => reindexJob(house, held, signal),
  [house.searchIndex.jobKind]: (held, signal) => upkeepJob(house, held, signal, indexed),
  deferred: (held) => deferredJob(house, held).then((result) => filed(house, held, result)),
});

/** Notes the files of a job before it ends, for `sweepJobFiles` to find when nobody is told of the job any more. */
const filed = async <T>(house: House, { job }: HeldJob, result: T): Promise<T> => {
  const key = `${String(house.clock() + keptMs).padStart(15, '0')}-${job.id}`;
  await house.store.commit({ entries: [{ kind: 'job-files', key, version: 0, body: JSON.stringify({ ...job, result }) }] });
  return result;
};

/** Removes the files of jobs that ended longer ago than they are kept. */
export const sweepJobFiles = async (house: House): Promise<void> => {
  const due = String(house.clock()).padStart(15, '0');
  for (const { key, version, body } of await house.store.listEntries('job-files')) {
    if (key > due) continue;
    await removeFiles(house, JSON.parse(body) as HeldJob['job']);
    await forget(house.store, key, version);
  }
};

/** Another process may have swept the same. */
const forget = async (store: Store, key: string, version: number): Promise<void> => {
  try {
    await store.commit({ entries: [{ kind: 'job-files', key, version, body: undefined }] });
  } catch (error) {
    if (!(error instanceof Stale)) throw error;
  }
};
