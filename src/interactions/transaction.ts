import { categories, outcomeOf } from '../fhir/outcome-text.js';
import type { Decision, Draft, Facts } from '../domain/command.js';
import { Failure, failure } from '../fhir/outcome.js';
import { referenceTo, type Key, type Resource } from '../fhir/resource.js';
import { checkInteraction } from '../access/policy.js';
import { written } from './answers.js';
import { decideCreate } from './create.js';
import { dispatch, type Interactive } from './dispatch.js';
import { factsOf } from './facts.js';
import type { Call, House, Success } from './house.js';
import { translated, unitOf } from './perform.js';
import { decideRemove } from './remove.js';
import { decideUpdate } from './update.js';
import { Stale, Taken } from '../store/port.js';

type Entry = {
  readonly fullUrl?: string;
  readonly resource?: Resource;
  readonly request?: {
    readonly method: string;
    readonly url: string;
    readonly ifMatch?: string;
    readonly ifNoneExist?: string;
    readonly ifNoneMatch?: string;
  };
};

/** R4 http.html#transaction: POST of a Bundle to the base; a batch's entries stand alone, a transaction's are one. */
export const processBundle = async (house: House, call: Call, bundle: Resource): Promise<Success> => {
  if (bundle.resourceType !== 'Bundle') throw failure('invalid', 'invalid', `The base takes a Bundle, not a ${bundle.resourceType}.`);
  const entries = (bundle['entry'] ?? []) as readonly Entry[];
  if (entries.length > house.maxEntries)
    throw failure(
      'too-costly',
      'too-costly',
      `At most ${String(house.maxEntries)} entries are taken; these are ${String(entries.length)}.`,
      { expression: ['Bundle.entry'] },
    );
  entries.forEach((entry, index) => {
    if (typeof entry.request?.url !== 'string' || typeof entry.request.method !== 'string')
      throw failure('invalid', 'required', 'An entry needs request.method and request.url.', {
        expression: [`Bundle.entry[${String(index)}].request`],
      });
  });
  if (bundle['type'] === 'batch') return batch(house, call, entries);
  if (bundle['type'] === 'transaction') return transaction(house, call, entries);
  throw failure('invalid', 'invalid', 'The Bundle must be a batch or a transaction.', { expression: ['Bundle.type'] });
};

const callOf = (call: Call, entry: Entry): Call => ({
  ...call,
  ifMatch: entry.request?.ifMatch,
  ifNoneExist: entry.request?.ifNoneExist,
  ifNoneMatch: entry.request?.ifNoneMatch,
});

const batch = async (house: House, call: Call, entries: readonly Entry[]): Promise<Success> => {
  const parts: string[] = [];
  for (const entry of entries) parts.push(await standingAlone(house, callOf(call, entry), entry));
  return { status: 200, body: bundleOf('batch-response', parts), headers: {} };
};

const standingAlone = async (house: House, call: Call, entry: Entry): Promise<string> => {
  try {
    return responseText(await dispatch(house, call, interactiveOf(entry)));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return JSON.stringify({
      response: { status: String(categories[error.category].status), outcome: outcomeOf(error.category, error.issues) },
    });
  }
};

const interactiveOf = (entry: Entry): Interactive => ({
  method: entry.request?.method ?? '',
  url: entry.request?.url ?? '',
  resource: entry.resource,
});

const responseText = ({ status, body, headers }: Success): string => {
  const response = {
    status: String(status),
    ...(headers['location'] === undefined ? {} : { location: headers['location'] }),
    ...(headers['etag'] === undefined ? {} : { etag: headers['etag'] }),
    ...(headers['last-modified'] === undefined ? {} : { lastModified: new Date(headers['last-modified']).toISOString() }),
  };
  return `{${body === undefined ? '' : `"resource":${body},`}"response":${JSON.stringify(response)}}`;
};

const bundleOf = (type: string, parts: readonly string[]): string =>
  `{"resourceType":"Bundle","type":"${type}"${parts.length === 0 ? '' : `,"entry":[${parts.join(',')}]`}}`;

// R4 http.html#trules: DELETE, POST, PUT/PATCH, GET/HEAD
const order = ['DELETE', 'POST', 'PUT', 'GET'] as const;

const transaction = async (house: House, call: Call, entries: readonly Entry[]): Promise<Success> => {
  for (let attempt = 1; ; attempt++) {
    const planned = await plan(house, call, entries);
    const unit = await unitOf(house, call, { ...merged(planned.flatMap(({ decision }) => decision ?? [])), result: { type: '', id: '' } });
    try {
      await house.store.commit(unit);
      const parts: string[] = [];
      for (const [index, entry] of entries.entries()) {
        const result = planned[index]?.decision?.result;
        const put = result && unit.puts?.find(({ type, id }) => type === result.type && id === result.id);
        if (entry.request?.method === 'GET') parts.push(responseText(await dispatch(house, callOf(call, entry), interactiveOf(entry))));
        else parts.push(put?.body === undefined ? JSON.stringify({ response: { status: '204' } }) : responseText(written(house, put)));
      }
      return { status: 200, body: bundleOf('transaction-response', parts), headers: {} };
    } catch (error) {
      if (!(error instanceof Stale || error instanceof Taken) || attempt === 4) throw translated(error);
    }
  }
};

type Planned = { readonly decision?: Decision };

/** One Unit of all decisions: of several drafts of one resource the last counts, written over the version first read. */
const merged = (decisions: readonly Decision[]): Omit<Decision, 'result'> => {
  const drafts = new Map<string, Draft>();
  for (const draft of decisions.flatMap((decision) => decision.drafts))
    drafts.set(referenceTo(draft), { ...draft, version: drafts.get(referenceTo(draft))?.version ?? draft.version });
  return {
    drafts: [...drafts.values()],
    claims: decisions.flatMap(({ claims }) => claims ?? []),
    releases: decisions.flatMap(({ releases }) => releases ?? []),
  };
};

const plan = async (house: House, call: Call, entries: readonly Entry[]): Promise<readonly Planned[]> => {
  const planned: Planned[] = entries.map(() => ({}));
  const ids = new Map<string, string>();
  const touched = new Set<string>();
  for (const method of order)
    for (const index of pending(entries, method, ids)) {
      const entry = entries[index];
      if (!entry) continue;
      try {
        const drafts = planned.flatMap(({ decision }) => decision?.drafts ?? []);
        const decision = await decideEntry(house, callOf(call, entry), rewritten(entry, ids), factsOf(house.store, call.caller, drafts));
        if (!decision) continue;
        const key = referenceTo(decision.result);
        if (touched.has(key)) throw failure('invalid', 'invalid', `${key} stands twice in the transaction.`);
        touched.add(key);
        if (entry.fullUrl !== undefined) ids.set(entry.fullUrl, key);
        planned[index] = { decision };
      } catch (error) {
        throw error instanceof Failure
          ? new Failure(
              error.category,
              error.issues.map((issue) => ({
                ...issue,
                expression: [
                  `Bundle.entry[${String(index)}]${issue.expression?.[0] === undefined ? '' : `.resource.${issue.expression[0]}`}`,
                ],
              })),
              error.headers,
            )
          : error;
      }
    }
  return planned;
};

/** The entries of a verb, those first on which no other one of them depends: a booking after the referral it is based on. */
const pending = (entries: readonly Entry[], method: string, ids: ReadonlyMap<string, string>): readonly number[] => {
  const open = entries.flatMap((entry, index) =>
    entry.request?.method === method || (method === 'GET' && entry.request?.method === 'HEAD') ? [index] : [],
  );
  const sorted: number[] = [];
  while (open.length > 0) {
    const urls = open.flatMap((index) => entries[index]?.fullUrl ?? []).filter((url) => !ids.has(url));
    const free = open.filter((index) => {
      const text = JSON.stringify(entries[index]?.resource ?? {});
      return !urls.some((url) => url !== entries[index]?.fullUrl && text.includes(`"${url}"`));
    });
    const next = free.length > 0 ? free : [...open];
    sorted.push(...next);
    for (const index of next) open.splice(open.indexOf(index), 1);
  }
  return sorted;
};

const rewritten = (entry: Entry, ids: ReadonlyMap<string, string>): Entry => {
  if (!entry.resource) return entry;
  const replace = (value: unknown): unknown => {
    if (typeof value === 'string') return ids.get(value) ?? value;
    if (Array.isArray(value)) return value.map(replace);
    if (typeof value !== 'object' || value === null || 'isLosslessNumber' in value) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, replace(inner)]));
  };
  return { ...entry, resource: replace(entry.resource) as Resource };
};

const decideEntry = async (house: House, call: Call, entry: Entry, facts: Facts): Promise<Decision | undefined> => {
  const method = entry.request?.method ?? '';
  const [path = ''] = (entry.request?.url ?? '').split('?');
  const [type = '', id] = path.split('/');
  if (method === 'GET' || method === 'HEAD') return undefined;
  if (!house.registry.has(type)) throw failure('not-found', 'not-supported', `${type} is not a type that this server serves.`);
  if (method === 'DELETE' && id !== undefined) {
    checkInteraction(call.caller, type, 'd');
    return decideRemove(house, call, { type, id });
  }
  const { resource } = entry;
  if (resource?.resourceType !== type) throw failure('invalid', 'invalid', `The entry's resource is not the ${type} of its request.url.`);
  if (method === 'POST' && id === undefined) {
    checkInteraction(call.caller, type, 'c');
    return decideCreate(house, call, resource, facts);
  }
  if (method === 'PUT' && id !== undefined) {
    checkInteraction(call.caller, type, 'u');
    return decideUpdate(house, call, { type, id } satisfies Key, { ...resource, id }, facts);
  }
  throw failure('method', 'not-supported', `${method} ${path} is not offered in a transaction.`);
};
