import { sightOf } from '../access/policy.js';
import { matchesIfNoneMatch } from '../fhir/etag.js';
import { parseJson, stringifyJson } from '../fhir/json.js';
import { failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';
import { readSubset, subsetOf } from '../fhir/subset.js';
import type { Key, Stored } from '../store/port.js';
import { found, gone, notFound } from './answers.js';
import { withData } from './binary.js';
import { refuseUnavailable } from './document-scan.js';
import type { Call, House, Success } from './house.js';
import type { Query } from './query.js';

const known = ['_summary', '_elements', '_format', '_pretty'];

/** The parameters of an interaction by name. Throws for one that it does not know, unless the client asked for lenient handling. */
export const parametersOf = (query: Query, call: Call, names: readonly string[], what: string): ReadonlyMap<string, string> => {
  for (const [name] of query)
    if (!names.includes(name) && !call.lenient)
      throw failure('invalid', 'not-supported', `${what} does not know the parameter ${name}; it knows ${names.join(', ')}.`, {
        expression: [name],
      });
  return new Map(query);
};

/** R4 http.html#cread: 304 when the client has this version already. If-None-Match goes before If-Modified-Since (RFC 9110 13.2.2). */
export const isFresh = (call: Call, stored: Stored): boolean => {
  if (call.ifNoneMatch !== undefined) return matchesIfNoneMatch(call.ifNoneMatch, stored.version);
  if (call.ifModifiedSince === undefined) return false;
  const since = Date.parse(call.ifModifiedSince);
  return !Number.isNaN(since) && Math.floor(stored.lastUpdated / 1000) * 1000 <= since;
};

/** The part of an answer that was asked for. */
const partOf = (house: House, call: Call, success: ReturnType<typeof found>, query: Query): Success => {
  if (query.length === 0) return success;
  const parameters = parametersOf(query, call, known, 'A read');
  const subset = readSubset(parameters.get('_summary'), parameters.get('_elements'));
  if (!subset || success.body === undefined) return success;
  return { ...success, body: stringifyJson(subsetOf(parseJson(success.body) as Resource, subset, house.shapes)) };
};

/** The answer for one stored version: 304, or its text, or the part of it that was asked for. A promise only where there is something to wait for. */
export const shown = (house: House, call: Call, stored: Stored, query: Query): Success | Promise<Success> => {
  refuseUnavailable(stored);
  const plain = found(stored);
  if (isFresh(call, stored)) return { status: 304, headers: plain.headers, seen: [stored] };
  if (stored.type !== 'Binary') return partOf(house, call, plain, query);
  return withData(house, stored).then((body) => partOf(house, call, { ...plain, body }, query));
};

/** The current version. 404, or 410 for a deleted one that the caller could have read. */
export const currentOf = async (house: House, call: Call, key: Key): Promise<Stored> => {
  const stored = await house.store.find(key, sightOf(call.caller, key.type));
  if (!stored) throw notFound(key);
  if (stored.body === undefined) throw gone(key);
  return stored;
};

/** R4 http.html#read. */
export const read = async (house: House, call: Call, key: Key, query: Query): Promise<Success> => {
  const stored = await currentOf(house, call, key);
  const showing = shown(house, call, stored, query);
  const answer = showing instanceof Promise ? await showing : showing;
  // e-RS A033: a copy is shown again when its version is the current one
  return key.type === 'HealthcareService' ? { ...answer, headers: { ...answer.headers, 'cache-control': 'no-cache' } } : answer;
};
