import { Readable } from 'node:stream';
import { narrowPlan } from '../access/narrow-plan.js';
import { mayRead, sightOf } from '../access/policy.js';
import { withData } from '../interactions/binary.js';
import { fileStem } from './files.js';
import { ToldPatients } from './told-patients.js';
import { parseJson, stringifyJson } from '../fhir/json.js';
import { patientCompartment } from '../fhir/patient-compartment.js';
import type { Resource } from '../fhir/resource.js';
import { readSubset, subsetOf } from '../fhir/subset.js';
import { queryOf } from '../interactions/query.js';
import { readAhead } from '../interactions/read-ahead.js';
import type { House } from '../interactions/house.js';
import type { HeldJob } from '../jobs/jobs.js';
import type { SearchPlan, Stored } from '../store/port.js';
import type { BulkResult, ExportRequest, Output } from './work.js';

const together = 200;
/** a file that a client can still handle in one piece */
const linesInFile = 100_000;

type Progress = { readonly outputs: readonly Output[]; readonly deleted: readonly Output[]; readonly done: readonly string[] };

/**
 * Writes the versions that were current at the moment of the request, whatever is written meanwhile: history in the order of commits
 * tells them apart. One page is in memory at a time. A job that another process takes over goes on with the first unfinished type.
 */
export const exportJob = async (house: House, held: HeldJob, signal: AbortSignal): Promise<BulkResult> => {
  const request = held.job.request as ExportRequest;
  let progress = (held.job.checkpoint ?? { outputs: [], deleted: [], done: [] }) as Progress;
  for (const type of request.types) {
    // scopes are looked at again: what the caller may not read in whole is not exported
    if (progress.done.includes(type) || !mayRead(request.call.caller, type) || sightOf(request.call.caller, type) !== 'all') continue;
    const outputs = await exportType(house, held, { request, type, before: progress.outputs.length }, signal);
    const deleted = request.since === undefined ? [] : await deletedOf(house, fileStem(held), request, type, signal);
    progress = {
      outputs: [...progress.outputs, ...outputs],
      deleted: [...progress.deleted, ...deleted],
      done: [...progress.done, type],
    };
    const told = `${String(progress.done.length)} of ${String(request.types.length)} types`;
    if (!(await held.heartbeat({ progress: told, checkpoint: progress }))) signal.throwIfAborted();
  }
  return {
    transactionTime: request.at,
    request: request.url,
    outputs: progress.outputs,
    errors: [],
    ...(request.since === undefined ? {} : { deleted: progress.deleted }),
  };
};

/** A file that is being written: its lines, and whose they are. */
type Content = { lines: number; readonly told: ToldPatients };

const exportType = async (
  house: House,
  held: HeldJob,
  { request, type, before }: { readonly request: ExportRequest; readonly type: string; readonly before: number },
  signal: AbortSignal,
): Promise<readonly Output[]> => {
  const outputs: Output[] = [];
  const rows = rowsOf(house, request, type, signal);
  for (let part = 0; ; part++) {
    const first = await rows.next();
    if (first.done === true) return outputs;
    const blob = `${fileStem(held)}-${type}-${String(part)}`;
    const content: Content = { lines: 0, told: new ToldPatients(house.store) };
    await house.blobs.write(blob, Readable.from(linesOf(house, request, first.value, rows, content)), Number.MAX_SAFE_INTEGER);
    // who fetches the file is audited by the same job and number
    const access = { doing: 'operation export', action: 'R', query: `${held.job.id}/${String(before + part)}` } as const;
    await house.witness.filed(request.call, access, await content.told.whose());
    outputs.push({ type, blob, count: content.lines });
  }
};

async function* linesOf(
  house: House,
  request: ExportRequest,
  first: Stored,
  rows: AsyncGenerator<Stored, void>,
  content: Content,
): AsyncGenerator<Buffer> {
  let row: Stored | undefined = first;
  while (row !== undefined) {
    content.lines++;
    await content.told.add(row);
    yield Buffer.from(`${partOf(house, request, row.type === 'Binary' ? await withData(house, row) : (row.body ?? ''))}\n`);
    if (content.lines === linesInFile) return;
    const next: IteratorResult<Stored, void> = await rows.next();
    row = next.done === true ? undefined : next.value;
  }
}

/** R4 search.html#elements, as a client of an export asks for it. */
const partOf = (house: House, { elements }: ExportRequest, text: string): string => {
  const subset = readSubset(undefined, elements);
  return subset === undefined ? text : stringifyJson(subsetOf(parseJson(text) as Resource, subset, house.shapes));
};

/** Pages of what was current at the moment of the request, and was written since the moment that the client names. */
async function* pagesOf(house: House, request: ExportRequest, type: string, signal: AbortSignal): AsyncGenerator<readonly Stored[], void> {
  let after: string | undefined;
  do {
    signal.throwIfAborted();
    const window = {
      at: { from: request.at, to: request.at },
      ...(request.since === undefined ? {} : { since: request.since }),
      ascending: true,
      count: together,
      ...(after === undefined ? {} : { after }),
    };
    const page = await house.store.at('replica').history({ type }, window, 'all');
    yield page.rows;
    after = page.next;
  } while (after !== undefined);
}

async function* rowsOf(house: House, request: ExportRequest, type: string, signal: AbortSignal): AsyncGenerator<Stored, void> {
  const filters = await filtersOf(house, request, type);
  for await (const rows of pagesOf(house, request, type, signal)) {
    const live = rows.filter(({ body }) => body !== undefined);
    const inScope = request.level === 'system' ? live : live.filter((row) => isOfPatient(house, request, row));
    yield* await matching(house, filters, type, inScope);
  }
}

/** Bulk Data Access, `deleted`: a transaction of one DELETE a line, so that a client may carry it out. */
const deletedOf = async (
  house: House,
  stem: string,
  request: ExportRequest,
  type: string,
  signal: AbortSignal,
): Promise<readonly Output[]> => {
  const counted = { lines: 0 };
  const lines = async function* (): AsyncGenerator<Buffer> {
    for await (const rows of pagesOf(house, request, type, signal))
      for (const row of rows) {
        if (row.body !== undefined || !(await wasInScope(house, request, row))) continue;
        counted.lines++;
        const entry = [{ request: { method: 'DELETE', url: `${row.type}/${row.id}` } }];
        yield Buffer.from(`${JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry })}\n`);
      }
  };
  const blob = `${stem}-deleted-${type}`;
  await house.blobs.write(blob, Readable.from(lines()), Number.MAX_SAFE_INTEGER);
  if (counted.lines > 0) return [{ type: 'Bundle', blob, count: counted.lines }];
  await house.blobs.remove(blob);
  return [];
};

/** A deleted resource was a patient's when its last version was. */
const wasInScope = async (house: House, request: ExportRequest, deleted: Stored): Promise<boolean> => {
  if (request.level === 'system') return true;
  const last = await house.store.at('replica').findVersion(deleted, deleted.version - 1, 'all');
  return last?.body !== undefined && isOfPatient(house, request, last);
};

/** Whether the resource is a patient's, or in the compartment of one: of the group's, or of any. */
const isOfPatient = (house: House, { patients }: ExportRequest, row: Stored): boolean => {
  const wanted = (id: string): boolean => patients === undefined || patients.includes(id);
  if (row.type === 'Patient') return wanted(row.id);
  const params = patientCompartment[row.type]?.params ?? [];
  if (params.length === 0) return false;
  const context = { resolve: () => undefined, baseUrl: house.baseUrl, timeZone: house.timeZone };
  return house
    .extract(parseJson(row.body ?? '{}') as Resource, context)
    .some(
      (value) => value.kind === 'reference' && params.includes(value.param) && value.target.type === 'Patient' && wanted(value.target.id),
    );
};

/** The plans of `_typeFilter` for a type. */
const filtersOf = async (house: House, { call, filters }: ExportRequest, type: string): Promise<readonly SearchPlan[]> => {
  const plans: SearchPlan[] = [];
  for (const { query } of filters.filter((filter) => filter.type === type)) {
    const read = queryOf(query);
    const { plan } = house.parseQuery(type, read, { lenient: call.lenient, ...(await readAhead(house, call, read)) });
    plans.push(narrowPlan(call.caller, plan));
  }
  return plans;
};

/** Asked of the search index as it is now, for the rows of one page. */
const matching = async (
  house: House,
  filters: readonly SearchPlan[],
  type: string,
  rows: readonly Stored[],
): Promise<readonly Stored[]> => {
  if (filters.length === 0 || rows.length === 0) return rows;
  const ids = new Set<string>();
  for (const filter of filters) {
    const where = [...filter.where, { kind: 'id', ids: rows.map(({ id }) => id) } as const];
    const page = await house.store.search({ type, where, sort: [], count: together }, 'all');
    for (const { id } of page.rows) ids.add(id);
  }
  return rows.filter(({ id }) => ids.has(id));
};
