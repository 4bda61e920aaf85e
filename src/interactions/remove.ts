import { sightOf } from '../access/policy.js';
import { etagOf } from '../fhir/etag.js';
import type { Decision } from '../domain/command.js';
import type { Key } from '../store/port.js';
import { notFound } from './answers.js';
import type { Call, House, Success } from './house.js';
import { perform } from './perform.js';
import { checkVersion } from './update.js';

export const decideRemove = async (house: House, call: Call, key: Key): Promise<Decision | undefined> => {
  const stored = await house.store.find(key, sightOf(call.caller, key.type));
  if (!stored) throw notFound(key);
  if (stored.body === undefined) return undefined;
  checkVersion(call, key, stored.version);
  return { drafts: [{ ...key, version: stored.version, resource: undefined }], result: key };
};

/** R4 http.html#delete: 204, also for one that is deleted already; 409 while others refer to it; no cascade. */
export const remove = async (house: House, call: Call, key: Key): Promise<Success> => {
  if ((await decideRemove(house, call, key)) === undefined) return { status: 204, headers: {} };
  const { put } = await perform(house, call, async () => (await decideRemove(house, call, key)) ?? Promise.reject(notFound(key)));
  return { status: 204, headers: { etag: etagOf(put.version + 1) } };
};
