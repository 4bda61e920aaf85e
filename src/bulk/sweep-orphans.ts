import type { House } from '../interactions/house.js';

/** Longer than any request takes to commit the record of what it uploaded, and than a job and its files are kept. */
const orphanMs = 48 * 3_600_000;
/** So many documents without a record, and this share of all of them, are no accident: the database is another one than theirs. */
const suspicious = { count: 20, share: 0.1 };

/** How the blobs of jobs begin; all others are the bytes of the Binary of their name. */
const ofJobs = /^(?:job|import|deferred)-/;

/**
 * Removes the blobs that nothing names any more: bytes whose record was never committed as the process died, files of attempts at a job that
 * were broken off, and what a broken write left. Only what is older than 48 hours is looked at.
 *
 * @returns how many were removed
 * @throws Error when so many documents have no record that the database must be the wrong one, or an old copy: then none of them is removed
 */
export const sweepOrphans = async ({ blobs, store, clock }: Pick<House, 'blobs' | 'store' | 'clock'>): Promise<number> => {
  const before = clock() - orphanMs;
  const jobs = [...(await store.listEntries('job')), ...(await store.listEntries('job-files'))].map(({ body }) => body).join('\n');
  const strays: string[] = [];
  const unrecorded: string[] = [];
  let documents = 0;
  for await (const { name, written } of blobs.list()) {
    const isPart = name.endsWith('.part');
    if (!isPart && !ofJobs.test(name)) documents++;
    if (written >= before) continue;
    if (isPart || (ofJobs.test(name) && !jobs.includes(JSON.stringify(name)))) strays.push(name);
    // a deleted Binary keeps its versions, and they their bytes
    else if (!ofJobs.test(name) && !(await store.find({ type: 'Binary', id: name }, 'all'))) unrecorded.push(name);
  }
  const isSuspicious = unrecorded.length > Math.max(suspicious.count, documents * suspicious.share);
  for (const name of isSuspicious ? strays : [...strays, ...unrecorded]) await blobs.remove(name);
  if (isSuspicious)
    throw new Error(
      `${String(unrecorded.length)} of ${String(documents)} documents have no record in the database, which may not be the one they belong to: none was removed`,
    );
  return strays.length + unrecorded.length;
};
