import { sightOf } from '../access/policy.js';
import type { Key, Stored } from '../store/port.js';
import { gone, notFound } from './answers.js';
import type { Call, House, Success } from './house.js';
import type { Query } from './query.js';
import { shown } from './read.js';
import { ofSamePerson } from './same-person.js';

/** One version that the caller may see. 404, or 410 where it is the deletion. */
export const versionOf = async (house: House, call: Call, key: Key, version: string): Promise<Stored> => {
  const sight = sightOf(call.caller, key.type);
  const found = /^[1-9][0-9]{0,14}$/.test(version) ? await house.store.findVersion(key, Number(version), sight) : undefined;
  const [stored] = await ofSamePerson(house, sight, found ? [found] : []);
  if (!stored || String(stored.version) !== version) throw notFound({ type: key.type, id: `${key.id}/_history/${version}` });
  if (stored.body === undefined) throw gone(key);
  return stored;
};

/** R4 http.html#vread. */
export const vread = async (house: House, call: Call, key: Key, version: string, query: Query): Promise<Success> =>
  shown(house, call, await versionOf(house, call, key, version), query);
