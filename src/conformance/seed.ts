import { referenceTo, type Resource } from '../fhir/resource.js';
import type { House } from '../interactions/house.js';
import { wireForm } from '../interactions/seal.js';
import { ownSource, type Conformance } from '../resources/conformance.js';
import { ignoring } from '../store/ignoring.js';
import { Stale, Taken, type Put, type Stored } from '../store/port.js';

const together = 1000;

const claimOf = ({ version }: Conformance) => ({ kind: 'idempotency', key: `conformance:${version}`, owner: 'conformance' }) as const;

export const isConformanceSeeded = async ({ store }: Pick<House, 'store'>, conformance: Conformance): Promise<boolean> => {
  const { kind, key } = claimOf(conformance);
  return (await store.findClaim(kind, key)) !== undefined;
};

/**
 * Writes the conformance resources that the store lacks or has in an older form, so that read, search and history work on them as on
 * any resource. Once per version of them: a claim remembers it, and several servers that start at once do no harm to each other.
 * What a client has put in place of one of them stays.
 *
 * @returns how many were written
 */
export const seedConformance = async (house: House, conformance: Conformance): Promise<number> => {
  if (await isConformanceSeeded(house, conformance)) return 0;
  const resources = await conformance.resources();
  let written = 0;
  for (let from = 0; from < resources.length; from += together) written += await write(house, resources.slice(from, from + together));
  await house.store.commit({ claims: [claimOf(conformance)] }).catch(ignoring(Taken));
  return written;
};

const write = async (house: House, resources: readonly Resource[]): Promise<number> => {
  const keys = resources.map((resource) => ({ type: resource.resourceType, id: resource.id! }));
  const stored = new Map((await house.store.findMany(keys, 'all')).map((row) => [referenceTo(row), row]));
  const puts = resources.flatMap((resource, index) => putOf(house, resource, stored.get(referenceTo(keys[index]!))) ?? []);
  if (puts.length === 0) return 0;
  // Stale: another server that starts at the same time writes the same
  await house.store.commit({ puts }).catch(ignoring(Stale));
  return puts.length;
};

/** The write that brings the stored row up to date; undefined when it is, or when it is a client's. */
const putOf = (house: House, resource: Resource, stored: Stored | undefined): Put | undefined => {
  const key = { type: resource.resourceType, id: resource.id! };
  const own = { ...resource, meta: { ...resource.meta, source: ownSource } };
  if (stored?.body !== undefined) {
    const present = JSON.parse(stored.body) as Resource;
    if (present.meta?.['source'] !== ownSource) return undefined;
    if (JSON.stringify(wireForm(own, key, stored.version, stored.lastUpdated)) === stored.body) return undefined;
  }
  const version = stored?.version ?? 0;
  const lastUpdated = house.clock();
  const wire = wireForm(own, key, version + 1, lastUpdated);
  return {
    ...key,
    version,
    lastUpdated,
    body: JSON.stringify(wire),
    // canonicals are no references of this server: there is nothing to resolve
    values: house
      .extract(wire, { resolve: () => undefined, baseUrl: house.baseUrl, timeZone: house.timeZone })
      .filter(({ kind }) => kind !== 'reference'),
    accessKeys: [],
    accessLinks: [],
  };
};
