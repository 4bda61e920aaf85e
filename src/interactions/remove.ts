import { sightOf } from '../access/policy.js';
import { failure } from '../fhir/outcome.js';
import type { Key } from '../store/port.js';
import { notFound } from './answers.js';
import { matchesOf, severalMatches } from './criteria.js';
import type { Call, House } from './house.js';
import type { Verdict } from './perform.js';
import { checkVersion } from './update.js';

/** R4 http.html#delete: 204, also for one that is deleted already; 409 while others refer to it; no cascade. */
export const decideRemove = async (house: House, call: Call, key: Key): Promise<Verdict> => {
  const stored = await house.store.find(key, sightOf(call.caller, key.type));
  if (!stored) throw notFound(key);
  if (stored.body === undefined) return { answer: { status: 204, headers: {}, key, wrote: true } };
  checkVersion(call, key, stored.version);
  return { drafts: [{ type: key.type, id: key.id, version: stored.version, resource: undefined }], result: { type: key.type, id: key.id } };
};

/** R4 http.html#cdelete for one match: several are refused, as deleting many by a slip of criteria cannot be undone. */
export const decideConditionalRemove = async (house: House, call: Call, type: string, criteria: string): Promise<Verdict> => {
  const { one, several } = await matchesOf(house, call, type, criteria, 'url');
  if (several) throw severalMatches(type, 'url');
  if (!one) throw failure('not-found', 'not-found', `No ${type} matches the criteria.`);
  return decideRemove(house, call, one);
};
