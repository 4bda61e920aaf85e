import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { checkInteraction, isUnchangeable, neverChanged } from '../access/policy.js';
import { Failure, failure } from '../fhir/outcome.js';
import { outcomeOf } from '../fhir/outcome-text.js';
import { parseSentJson } from '../fhir/json.js';
import type { Key, Resource } from '../fhir/resource.js';
import { isSameContent } from '../fhir/same-content.js';
import { unchanged } from '../interactions/answers.js';
import { dispatch } from '../interactions/dispatch.js';
import type { Call, House, Success } from '../interactions/house.js';
import { performWrite } from '../interactions/perform.js';
import type { HeldJob } from '../jobs/jobs.js';
import { fileStem } from './files.js';
import type { BulkResult, ImportRequest } from './work.js';

/** Resources under way together: they share a sync to disk. */
const together = 50;
const idForm = /^[A-Za-z0-9\-.]{1,64}$/;
/** passes over what refers to something that comes later in the files */
const maxPasses = 20;

type Line = { readonly place: string; readonly text: string };
type Counts = { readonly written: Record<string, number>; readonly errors: string[]; failed: number };

/** errors told one by one; the rest is only counted */
const maxErrors = 10_000;

/**
 * Writes each line by the same decisions as a single request: an id is kept (update as create), so that a job that is done again, or
 * taken over, changes nothing twice. Lines whose references do not resolve yet are tried again after the others.
 */
export const importJob = async (house: House, held: HeldJob, signal: AbortSignal): Promise<BulkResult> => {
  const request = held.job.request as ImportRequest;
  const call: Call = { ...request.call };
  const counts: Counts = { written: {}, errors: [], failed: 0 };
  let sources = request.blobs;
  let waiting = Number.POSITIVE_INFINITY;
  for (let pass = 1; sources.length > 0; pass++) {
    const isLast = pass === maxPasses;
    const left = await onePass(house, call, sources, counts, { held, signal, isLast, blob: `${fileStem(held)}-pass-${String(pass)}` });
    // nothing new resolved: what is left never will
    const stuck = left.count >= waiting;
    waiting = left.count;
    sources = left.count === 0 ? [] : [left.blob];
    if (stuck && sources.length > 0) {
      await onePass(house, call, sources, counts, { held, signal, isLast: true, blob: `${fileStem(held)}-rest` });
      break;
    }
  }
  const errors = await keepErrors(house, fileStem(held), counts);
  return { transactionTime: request.at, request: request.url, outputs: [], errors, written: counts.written };
};

type Pass = { readonly held: HeldJob; readonly signal: AbortSignal; readonly isLast: boolean; readonly blob: string };

const onePass = async (
  house: House,
  call: Call,
  sources: readonly string[],
  counts: Counts,
  { held, signal, isLast, blob }: Pass,
): Promise<{ readonly blob: string; readonly count: number }> => {
  const left = { blob, count: 0 };
  const later = async function* (): AsyncGenerator<Buffer> {
    let batch: Line[] = [];
    const flush = async (): Promise<readonly Line[]> => {
      signal.throwIfAborted();
      const lines = batch;
      batch = [];
      const unresolved = await Promise.all(lines.map((line) => writeLine(house, call, line, counts, isLast)));
      const done = Object.values(counts.written).reduce((sum, n) => sum + n, 0);
      await held.heartbeat({ progress: `${String(done)} written, ${String(counts.failed)} refused` });
      return unresolved.flatMap((line) => line ?? []);
    };
    for await (const line of linesOf(house, sources)) {
      batch.push(line);
      if (batch.length < together) continue;
      for (const waiting of await flush()) {
        left.count++;
        yield Buffer.from(`${JSON.stringify(waiting)}\n`);
      }
    }
    for (const waiting of await flush()) {
      left.count++;
      yield Buffer.from(`${JSON.stringify(waiting)}\n`);
    }
  };
  await house.blobs.write(blob, Readable.from(later()), Number.MAX_SAFE_INTEGER);
  if (left.count === 0) await house.blobs.remove(blob);
  return left;
};

async function* linesOf(house: House, blobs: readonly string[]): AsyncGenerator<Line> {
  for (const [file, name] of blobs.entries()) {
    const blob = await house.blobs.open(name);
    if (!blob) throw failure('not-found', 'not-found', 'An input of the import is not there any more.');
    const spooled = name.startsWith('job-');
    let number = 0;
    for await (const text of createInterface({ input: blob.bytes, crlfDelay: Infinity })) {
      number++;
      if (text.trim() === '') continue;
      yield spooled ? (JSON.parse(text) as Line) : { place: `input ${String(file + 1)}, line ${String(number)}`, text };
    }
  }
}

/** The line again when its references do not resolve yet. */
const writeLine = async (house: House, call: Call, line: Line, counts: Counts, isLast: boolean): Promise<Line | undefined> => {
  try {
    const resource = parseSentJson(line.text) as Resource;
    const type = await writeResource(house, call, resource);
    counts.written[type] = (counts.written[type] ?? 0) + 1;
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const [issue] = error.issues;
    if (!isLast && error.category === 'business-rule' && issue?.code === 'not-found') return line;
    counts.failed++;
    const issues = error.issues.map((one) => ({ ...one, diagnostics: line.place }));
    if (counts.errors.length < maxErrors) counts.errors.push(JSON.stringify(outcomeOf(error.category, issues)));
    return undefined;
  }
};

const writeResource = async (house: House, call: Call, resource: unknown): Promise<string> => {
  const { resourceType: type, id } = (resource ?? {}) as Partial<Resource>;
  const row = typeof type === 'string' ? house.registry.get(type) : undefined;
  if (!row || typeof type !== 'string') throw failure('invalid', 'structure', 'The line is not a resource of a type that is served.');
  const given = resource as Resource;
  const isOnceForAll = isUnchangeable(type) && row.interactions.includes('create');
  const keepsId = id !== undefined && (row.interactions.includes('update') || isOnceForAll);
  // one that cannot be kept is an error, as in a request: other lines may refer to it
  if (keepsId && (typeof id !== 'string' || !idForm.test(id)))
    throw failure('invalid', 'value', `${JSON.stringify(id).slice(0, 100)} is no id: letters, digits, - and ., at most 64.`, {
      expression: [`${type}.id`],
    });
  if (!keepsId) await dispatch(house, call, { method: 'POST', url: type, body: given });
  else if (isOnceForAll) await makeOnce(house, call, { type, id }, given);
  else await dispatch(house, call, { method: 'PUT', url: `${type}/${id}`, body: given });
  return type;
};

/** Of a type that is never updated: made under its id, or there already and saying the same. */
const makeOnce = (house: House, call: Call, key: Key, resource: Resource): Promise<Success> =>
  house.witness.around(house, call, { doing: 'create', action: 'C', ...key, part: call.about?.part }, (own) => {
    checkInteraction(call.caller, key.type, 'c');
    return performWrite(own, call, async (facts) => {
      const stored = await own.store.find(key, 'all');
      if (!stored) return { drafts: [{ ...key, version: 0, resource, plain: true }], created: true, result: key };
      const seen = await facts.find(key);
      if (!seen || !isSameContent(seen.resource, resource)) throw neverChanged(key.type);
      return { answer: unchanged(own, stored) };
    });
  });

const keepErrors = async (house: House, stem: string, { errors, failed }: Counts): Promise<BulkResult['errors']> => {
  if (failed === 0) return [];
  const blob = `${stem}-errors`;
  await house.blobs.write(blob, Readable.from(errors.map((line) => Buffer.from(`${line}\n`))), Number.MAX_SAFE_INTEGER);
  return [{ type: 'OperationOutcome', blob, count: failed }];
};
