import { Readable } from 'node:stream';
import { stringifyJson } from '../fhir/json.js';
import type { Interactive } from '../interactions/dispatch.js';
import type { Call, House, Success } from '../interactions/house.js';
import { checkRoom, submitted } from './submit.js';
import { laterCall, type DeferredRequest } from './work.js';

/** Operations with a polling URL of their own, and that URL itself. */
const already = /(^|\/)(\$export|\$import|_job(\/.*)?)$/;

/**
 * Searches, histories, operations, batches and transactions may be answered later (R4 async.html). A single read or write takes less
 * time than asking after it.
 */
export const isDeferrable = ({ method, url }: Interactive): boolean => {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  if (already.test(path)) return false;
  if (method === 'POST') return path === '' || /(^|\/)(_search|\$[^/]+)$/.test(path);
  return method === 'GET' && (/(^|\/)(_history|\$[^/]+)$/.test(path) || /^[A-Z][A-Za-z]+$/.test(path));
};

/** Keeps the request for later and tells where to ask after it. */
export const defer = async (house: House, call: Call, { method, url, body }: Interactive): Promise<Success> => {
  await checkRoom(house, call);
  const name = `deferred-${house.newId()}`;
  if (body !== undefined) await house.blobs.write(name, Readable.from([Buffer.from(stringifyJson(body))]), Number.MAX_SAFE_INTEGER);
  const request: DeferredRequest = { call: laterCall(call), method, url, ...(body === undefined ? {} : { body: name }) };
  return submitted(house, call, { kind: 'deferred', request });
};
