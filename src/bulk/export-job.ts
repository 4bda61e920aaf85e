import { Readable } from 'node:stream';
import { mayRead, sightOf } from '../access/policy.js';
import { withData } from '../interactions/binary.js';
import { fileStem } from './files.js';
import { parseJson } from '../fhir/json.js';
import { patientCompartment } from '../fhir/patient-compartment.js';
import type { Resource } from '../fhir/resource.js';
import { queryOf } from '../interactions/query.js';
import type { House } from '../interactions/house.js';
import type { HeldJob } from '../jobs/jobs.js';
import type { Stored } from '../store/port.js';
import type { BulkResult, ExportRequest, Output } from './work.js';

const together = 200;
/** a file that a client can still handle in one piece */
const linesInFile = 100_000;

type Progress = { readonly outputs: readonly Output[]; readonly done: readonly string[] };

/**
 * Writes the versions that were current at the moment of the request, whatever is written meanwhile: history in the order of commits
 * tells them apart. One page is in memory at a time. A job that another process takes over goes on with the first unfinished type.
 */
export const exportJob = async (house: House, held: HeldJob, signal: AbortSignal): Promise<BulkResult> => {
  const request = held.job.request as ExportRequest;
  let progress = (held.job.checkpoint ?? { outputs: [], done: [] }) as Progress;
  for (const type of request.types) {
    // scopes are looked at again: what the caller may not read in whole is not exported
    if (progress.done.includes(type) || !mayRead(request.call.caller, type) || sightOf(request.call.caller, type) !== 'all') continue;
    const outputs = await exportType(house, fileStem(held), request, type, signal);
    progress = { outputs: [...progress.outputs, ...outputs], done: [...progress.done, type] };
    const told = `${String(progress.done.length)} of ${String(request.types.length)} types`;
    if (!(await held.heartbeat({ progress: told, checkpoint: progress }))) signal.throwIfAborted();
  }
  return { transactionTime: request.at, request: request.url, outputs: progress.outputs, errors: [] };
};

const exportType = async (
  house: House,
  stem: string,
  request: ExportRequest,
  type: string,
  signal: AbortSignal,
): Promise<readonly Output[]> => {
  const outputs: Output[] = [];
  const rows = rowsOf(house, request, type, signal);
  for (let part = 0; ; part++) {
    const first = await rows.next();
    if (first.done === true) return outputs;
    const blob = `${stem}-${type}-${String(part)}`;
    const counted = { lines: 0 };
    await house.blobs.write(blob, Readable.from(linesOf(house, first.value, rows, counted)), Number.MAX_SAFE_INTEGER);
    outputs.push({ type, blob, count: counted.lines });
  }
};

async function* linesOf(
  house: House,
  first: Stored,
  rows: AsyncGenerator<Stored, void>,
  counted: { lines: number },
): AsyncGenerator<Buffer> {
  let row: Stored | undefined = first;
  while (row !== undefined) {
    counted.lines++;
    yield Buffer.from(`${row.type === 'Binary' ? await withData(house, row) : (row.body ?? '')}\n`);
    if (counted.lines === linesInFile) return;
    const next: IteratorResult<Stored, void> = await rows.next();
    row = next.done === true ? undefined : next.value;
  }
}

async function* rowsOf(house: House, request: ExportRequest, type: string, signal: AbortSignal): AsyncGenerator<Stored, void> {
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
    const live = page.rows.filter(({ body }) => body !== undefined);
    const inScope = request.level === 'system' ? live : live.filter((row) => isOfPatient(house, request, row));
    yield* await matching(house, request, type, inScope);
    after = page.next;
  } while (after !== undefined);
}

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

/** `_typeFilter`: asked of the search index as it is now, for the rows of one page. */
const matching = async (house: House, { filters }: ExportRequest, type: string, rows: readonly Stored[]): Promise<readonly Stored[]> => {
  const own = filters.filter((filter) => filter.type === type);
  if (own.length === 0 || rows.length === 0) return rows;
  const ids = new Set<string>();
  for (const { query } of own) {
    const { plan } = house.parseQuery(type, queryOf(query), { lenient: false });
    const where = [...plan.where, { kind: 'id', ids: rows.map(({ id }) => id) } as const];
    const page = await house.store.search({ type, where, sort: [], count: together }, 'all');
    for (const { id } of page.rows) ids.add(id);
  }
  return rows.filter(({ id }) => ids.has(id));
};
