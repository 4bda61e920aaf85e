import { categories, outcomeOf } from '../fhir/outcome-text.js';
import { parseSentJson } from '../fhir/json.js';
import { failure, type Failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';
import { preferred } from './answers.js';
import { refuseUnsound } from './checked.js';
import type { Interactive } from './dispatch.js';
import type { Call, House, Success } from './house.js';

/** An entry of a batch or transaction (R4 bundle.html), its request checked. */
export type Entry = {
  readonly fullUrl?: string;
  readonly resource?: Resource;
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly ifMatch?: string;
    readonly ifNoneExist?: string;
    readonly ifNoneMatch?: string;
    readonly ifModifiedSince?: string;
  };
};

const texts = ['ifMatch', 'ifNoneExist', 'ifNoneMatch', 'ifModifiedSince'] as const;
/** What R4 gives an entry of other Bundles alone. */
const ofAnswers = [
  { name: 'search', key: 'bdl-2' },
  { name: 'response', key: 'bdl-4' },
] as const;
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** Throws for an element that R4 does not give the Bundle, the entry or the request; the resources in it are each looked at on their own. */
const refuseUnknown = (house: House, tree: object, shape: string, at: string): void => {
  const { byName } = house.shapes(shape) ?? {};
  const unknown = Object.keys(tree).find((name) => name !== 'resourceType' && byName?.has(name.replace(/^_/, '')) !== true);
  if (unknown !== undefined) throw failure('invalid', 'structure', `${shape} has no element '${unknown}'.`, { expression: [at] });
};

/**
 * Throws for an element of the Bundle or the entry that is an empty object or list (R4 json.html). A list of entries may be: whoever has
 * nothing to ask is told so by an empty answer.
 */
const refuseEmpty = (tree: object, at: string): void => {
  const empty = Object.entries(tree as Readonly<Record<string, unknown>>).find(
    ([name, value]) => name !== 'entry' && typeof value === 'object' && value !== null && Object.keys(value).length === 0,
  );
  if (empty) throw failure('invalid', 'structure', `${empty[0]} is empty; leave it out instead.`, { expression: [`${at}.${empty[0]}`] });
};

/** The entries of a batch or transaction. Throws a Failure that names the first one that is no request. */
export const readEntries = (house: House, bundle: Resource): readonly Entry[] => {
  refuseUnknown(house, bundle, 'Bundle', 'Bundle');
  const given = bundle['entry'] ?? [];
  refuseEmpty(bundle, 'Bundle');
  if (!Array.isArray(given)) throw failure('invalid', 'structure', 'entry must be a list.', { expression: ['Bundle.entry'] });
  const { entry: _entries, ...head } = bundle;
  refuseUnsound(house, head);
  const entries = given as readonly (Partial<Entry> | null)[];
  if (entries.length > house.maxEntries)
    throw failure(
      'too-costly',
      'too-costly',
      `At most ${String(house.maxEntries)} entries are taken; these are ${String(entries.length)}.`,
      {
        expression: ['Bundle.entry'],
      },
    );
  return entries.map((entry, index) => readEntry(house, entry, index));
};

const readEntry = (house: House, entry: Partial<Entry> | null, index: number): Entry => {
  const at = `Bundle.entry[${String(index)}]`;
  const request = entry?.request as Partial<Entry['request']> | undefined;
  if (typeof request?.url !== 'string' || typeof request.method !== 'string')
    throw failure('invalid', 'required', 'An entry needs request.method and request.url.', { expression: [`${at}.request`] });
  if (!methods.has(request.method))
    throw failure('invalid', 'code-invalid', `request.method is ${[...methods].join(', ')}.`, { expression: [`${at}.request.method`] });
  if (entry?.resource !== undefined && typeof (entry.resource as unknown as { resourceType?: unknown } | null)?.resourceType !== 'string')
    throw failure('invalid', 'structure', 'An entry’s resource needs resourceType.', { expression: [`${at}.resource`] });
  refuseUnknown(house, entry as Entry, 'Bundle.entry', at);
  refuseUnknown(house, request, 'Bundle.entry.request', `${at}.request`);
  refuseEmpty(entry as Entry, at);
  for (const { name, key } of ofAnswers)
    if (Object.hasOwn(entry as Entry, name))
      throw failure('invalid', 'invariant', `${name} is for entries of an answer (R4 ${key}).`, { expression: [`${at}.${name}`] });
  const unread = texts.find((name) => !['string', 'undefined'].includes(typeof request[name]));
  if (unread !== undefined || !['string', 'undefined'].includes(typeof entry?.fullUrl))
    throw failure('invalid', 'value', 'What an entry says of its request is text.', {
      expression: [`${at}.${unread === undefined ? 'fullUrl' : `request.${unread}`}`],
    });
  if (request.ifModifiedSince !== undefined && Number.isNaN(Date.parse(request.ifModifiedSince)))
    throw failure('invalid', 'value', 'ifModifiedSince is an instant.', { expression: [`${at}.request.ifModifiedSince`] });
  const base = `${house.baseUrl}/`;
  const url = request.url.startsWith(base) ? request.url.slice(base.length) : request.url;
  return { ...(entry as Entry), request: { ...(request as Entry['request']), url } };
};

/** The call of one entry: the headers that the entry gives in place of the request's own. */
export const callOf = (call: Call, { request }: Entry): Call => ({
  ...call,
  ifMatch: request.ifMatch,
  ifNoneExist: request.ifNoneExist,
  ifNoneMatch: request.ifNoneMatch,
  ifModifiedSince: request.ifModifiedSince === undefined ? undefined : new Date(request.ifModifiedSince).toUTCString(),
});

export const interactiveOf = (entry: Entry): Interactive => ({
  method: entry.request.method,
  url: entry.request.url,
  body: entry.request.method === 'PATCH' ? patchOf(entry.resource) : entry.resource,
});

/** R4 http.html#patch: in a Bundle a JSON Patch travels as a Binary; Parameters are a FHIRPath Patch as they are. */
const patchOf = (resource: Resource | undefined): unknown => {
  if (resource?.resourceType !== 'Binary') return resource;
  const { contentType, data } = resource as { readonly contentType?: unknown; readonly data?: unknown };
  if (contentType !== 'application/json-patch+json' || typeof data !== 'string')
    throw failure('invalid', 'value', 'A Binary that patches has the contentType application/json-patch+json and data.', {
      expression: ['Binary.contentType'],
    });
  return parseSentJson(Buffer.from(data, 'base64').toString('utf8'));
};

/** What answers an entry that was carried out by itself: to HEAD all but the resource. */
export const readText = (house: House, call: Call, { request }: Entry, success: Success): string =>
  responseText(house, call, request.method === 'HEAD' ? { ...success, body: undefined } : success);

/** What answers one entry, as text. The resource is spliced in as it is. */
export const responseText = (house: House, call: Call, success: Success): string => {
  const { status, body, headers, key, contentType } = preferred(success, call.returns);
  const isOutcome = success.wrote === true && call.returns === 'OperationOutcome';
  const response = JSON.stringify({
    status: String(status),
    ...(headers['location'] === undefined ? {} : { location: headers['location'] }),
    ...(headers['etag'] === undefined ? {} : { etag: headers['etag'] }),
    ...(headers['last-modified'] === undefined ? {} : { lastModified: new Date(headers['last-modified']).toISOString() }),
  });
  const resource = resourceText(body, contentType);
  if (resource === undefined) return `{"response":${response}}`;
  if (isOutcome) return `{"response":${response.slice(0, -1)},"outcome":${resource}}}`;
  const fullUrl = key === undefined ? '' : `"fullUrl":${JSON.stringify(`${house.baseUrl}/${key.type}/${key.id}`)},`;
  return `{${fullUrl}"resource":${resource},"response":${response}}`;
};

/** Bytes of another media type stand in a Bundle as a Binary. */
const resourceText = (body: Success['body'], contentType: string | undefined): string | undefined => {
  if (body === undefined) return undefined;
  if (typeof body === 'string' && contentType === undefined) return body;
  if (typeof body !== 'string' && !(body instanceof Uint8Array))
    throw failure('invalid', 'not-supported', 'A stream cannot stand in a Bundle.');
  return JSON.stringify({ resourceType: 'Binary', contentType, data: Buffer.from(body).toString('base64') });
};

export const failureText = (failed: Failure): string =>
  JSON.stringify({
    response: { status: String(categories[failed.category].status), outcome: outcomeOf(failed.category, failed.issues) },
  });

export const bundleOf = (type: 'batch-response' | 'transaction-response', parts: readonly string[]): string =>
  `{"resourceType":"Bundle","type":"${type}"${parts.length === 0 ? '' : `,"entry":[${parts.join(',')}]`}}`;
