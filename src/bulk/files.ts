import { failure } from '../fhir/outcome.js';
import type { House } from '../interactions/house.js';
import type { HeldJob } from '../jobs/jobs.js';

/** How the files of a job begin; an attempt that was broken off leaves its own behind and is in nobody's way. */
export const fileStem = ({ job }: HeldJob): string => `job-${job.id}-${String(job.attempts)}`;

/** The whole text of a blob that a job has written. */
export const readText = async (house: House, name: string): Promise<string> => {
  const blob = await house.blobs.open(name);
  if (!blob) throw failure('not-found', 'not-found', 'The result is not kept any more.');
  const chunks: Buffer[] = [];
  for await (const chunk of blob.bytes as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
};
