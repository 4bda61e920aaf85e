import { sightOf } from '../access/policy.js';
import { etagOf } from '../fhir/etag.js';
import type { Key } from '../store/port.js';
import { found, gone, notFound } from './answers.js';
import type { Call, House, Success } from './house.js';

/** R4 http.html#read, with #cread by If-None-Match. 404, or 410 for a deleted one that the caller could have read. */
export const read = async (house: House, call: Call, key: Key): Promise<Success> => {
  const stored = await house.store.find(key, sightOf(call.caller, key.type));
  if (!stored) throw notFound(key);
  if (stored.body === undefined) throw gone(key);
  const success = found(stored);
  return call.ifNoneMatch === etagOf(stored.version) ? { ...success, status: 304, body: undefined } : success;
};
