import { Readable } from 'node:stream';
import type { Caller } from '../access/caller.js';
import type { Draft } from '../domain/command.js';
import type { Resource } from '../fhir/resource.js';
import type { House } from '../interactions/house.js';
import { seal } from '../interactions/seal.js';
import type { Store } from '../store/port.js';

const searchesAtOnce = 2;
const loader: Caller = { kind: 'system', clientId: 'loader', scopes: ['system/*.cruds'], organisations: [] };
export const loaderCall = { caller: loader, lenient: false };

const bytesOf = (resource: Resource): { readonly record: Resource; readonly bytes: Buffer | undefined } => {
  const { data, ...record } = resource;
  if (resource.resourceType !== 'Binary' || typeof data !== 'string') return { record: resource, bytes: undefined };
  return { record, bytes: Buffer.from(data, 'base64') };
};

/**
 * The house with few searches at a time: a loader is one client, and a pool that opens a connection for each of a hundred look-ups has more
 * to do with connections than with look-ups.
 */
const inTurns = (house: House): House => {
  const turns = Array.from({ length: searchesAtOnce }, (): Promise<unknown> => Promise.resolve());
  let next = 0;
  const search: Store['search'] = (plan, sight) => {
    const at = next++ % turns.length;
    const found = (turns[at] ?? Promise.resolve()).then(() => house.store.search(plan, sight));
    turns[at] = found.catch(() => undefined);
    return found;
  };
  const store = Object.assign(Object.create(house.store) as Store, { search });
  return Object.assign(Object.create(house) as House, { store });
};

/**
 * Validates, indexes and writes resources in one unit, through the same sealing as clients' writes; the bytes of a Binary are durable
 * before its record. `version` is the one that is there already, 0 for none. Throws Failure and the store's errors: then nothing of
 * the unit is written.
 */
export const writeTogether = async (
  house: House,
  resources: readonly { readonly id: string; readonly version: number; readonly resource: Resource }[],
): Promise<void> => {
  const drafts = await Promise.all(
    resources.map(async ({ id, version, resource }): Promise<Draft> => {
      const { record, bytes } = bytesOf(resource);
      if (bytes) await house.blobs.write(id, Readable.from([bytes]), Math.max(bytes.length, 1));
      return { type: record.resourceType, id, version, resource: record };
    }),
  );
  const patient = inTurns(house);
  const sealed = await Promise.all(drafts.map((draft) => seal(patient, loaderCall, draft, drafts)));
  await house.store.commit({
    puts: sealed.flatMap(({ put, contained }) => [put, ...contained]),
    claims: sealed.flatMap(({ claims }) => claims),
    releases: sealed.flatMap(({ releases }) => releases),
    entries: sealed.flatMap(({ entries }) => entries),
  });
};
