import { categories, outcomeOf } from '../fhir/outcome-text.js';
import { failure } from '../fhir/outcome.js';
import { bundleOf } from '../interactions/entries.js';
import type { Call, House, Success } from '../interactions/house.js';
import type { Job } from '../jobs/jobs.js';
import { readText } from './files.js';
import { ownerOf, type BulkResult, type DeferredRequest, type DeferredResult, type ImportRequest } from './work.js';

const ndjson = 'application/fhir+ndjson';
const unknown = (id: string) => failure('not-found', 'not-found', `There is no job ${id}.`);

/** The job, for who asked for it; everybody else is told what is told of a job that is not there. */
const own = async (house: House, call: Call, id: string): Promise<Job> => {
  const job = await house.jobs.find(id);
  if (job?.owner !== ownerOf(call.caller) || job.status === 'cancelled') throw unknown(id);
  return job;
};

export const jobUrl = (house: House, id: string): string => `${house.baseUrl}/_job/${id}`;

/** 202 with the URL to ask after the job (R4 async.html; Bulk Data Access, kick-off response). */
export const accepted = (house: House, job: Job): Success => {
  house.jobs.nudge();
  return {
    status: 202,
    body: JSON.stringify({
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'information', code: 'informational', details: { text: `The work is under way: ${jobUrl(house, job.id)}` } }],
    }),
    headers: { 'content-location': jobUrl(house, job.id) },
  };
};

/** GET of the polling URL: 202 with progress, or what came of it. */
export const jobStatus = async (house: House, call: Call, id: string): Promise<Success> => {
  const job = await own(house, call, id);
  if (job.status === 'waiting' || job.status === 'running')
    return { status: 202, headers: { 'x-progress': job.progress ?? job.status, 'retry-after': '1' } };
  if (job.status === 'failed') throw failure('exception', 'exception', job.reason ?? 'The work failed.');
  if (job.kind === 'deferred') return deferredAnswer(house, job.result as DeferredResult);
  return {
    status: 200,
    body: manifest(house, job),
    contentType: 'application/json',
    headers: { expires: new Date(expiry(job)).toUTCString() },
  };
};

/** files are kept as long as the job is told of */
export const keptMs = 24 * 3_600_000;
const expiry = (job: Job): number => job.submitted + keptMs;

const filesOf = ({ outputs = [], errors = [], deleted = [] }: Partial<BulkResult>): BulkResult['outputs'] => [
  ...outputs,
  ...errors,
  ...deleted,
];

/** Bulk Data Access, complete status response. */
const manifest = (house: House, job: Job): string => {
  const result = job.result as BulkResult;
  const files = filesOf(result);
  const shown = ({ type, blob, count }: BulkResult['outputs'][number]) => ({
    type,
    url: `${jobUrl(house, job.id)}/${String(files.findIndex((file) => file.blob === blob))}`,
    count,
  });
  const written = Object.entries(result.written ?? {}).map(([type, count]) => ({ type, count }));
  return JSON.stringify({
    transactionTime: new Date(result.transactionTime).toISOString(),
    request: result.request,
    requiresAccessToken: true,
    output: result.written === undefined ? result.outputs.map(shown) : written,
    ...(result.deleted === undefined ? {} : { deleted: result.deleted.map(shown) }),
    error: result.errors.map(shown),
  });
};

/** A Bundle of one entry that holds what the request would have been answered. */
const deferredAnswer = async (house: House, result: DeferredResult): Promise<Success> => {
  if ('category' in result) {
    const outcome = outcomeOf(result.category, result.issues);
    const response = { status: String(categories[result.category].status), outcome };
    return { status: 200, body: bundleOf('batch-response', [JSON.stringify({ response })]), headers: {} };
  }
  const { status, headers, blob } = result;
  const response = JSON.stringify({
    status: String(status),
    ...(headers['location'] === undefined ? {} : { location: headers['location'] }),
    ...(headers['etag'] === undefined ? {} : { etag: headers['etag'] }),
  });
  const resource = blob === undefined ? '' : `"resource":${await readText(house, blob)},`;
  return { status: 200, body: bundleOf('batch-response', [`{${resource}"response":${response}}`]), headers: {} };
};

/** One file of a job, streamed. */
export const jobFile = async (house: House, call: Call, id: string, index: string): Promise<Success> => {
  const job = await own(house, call, id);
  const result = job.status === 'done' && job.kind !== 'deferred' ? (job.result as BulkResult) : undefined;
  const file = /^[0-9]{1,6}$/.test(index) ? filesOf(result ?? {})[Number(index)] : undefined;
  const blob = file && (await house.blobs.open(file.blob));
  if (!blob) throw unknown(`${id}/${index}`);
  return { status: 200, body: blob.bytes, contentType: ndjson, headers: {} };
};

/** DELETE of the polling URL: stops the work, or forgets it and its files. */
export const cancelJob = async (house: House, call: Call, id: string): Promise<Success> => {
  const job = await own(house, call, id);
  await removeFiles(house, job);
  if (!(await house.jobs.cancel(id))) await house.jobs.remove(id);
  return { status: 202, headers: {} };
};

/** Removes every blob that the job names. */
export const removeFiles = async (house: House, job: Job): Promise<void> => {
  const request = job.request as Partial<DeferredRequest & ImportRequest>;
  const result = (job.result ?? {}) as Partial<BulkResult> & { readonly blob?: string };
  const checkpoint = (job.checkpoint ?? {}) as Partial<BulkResult>;
  const names = [
    ...(request.body === undefined ? [] : [request.body]),
    ...(request.blobs ?? []).filter((name) => name.startsWith('import-')),
    ...(result.blob === undefined ? [] : [result.blob]),
    ...[...filesOf(result), ...filesOf(checkpoint)].map(({ blob }) => blob),
  ];
  for (const name of names) await house.blobs.remove(name);
};
