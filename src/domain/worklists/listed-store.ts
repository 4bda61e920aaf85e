import type { ServiceRequest } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { Stale, type EntryPut, type Put, type Reader, type Recall, type Store, type Unit, type WorklistPut } from '../../store/port.js';
import { factsAfter } from './after-unit.js';
import { gatherCandidate, gatherReferrer } from './gather-worklist.js';
import { placesOf } from './place.js';
import { printedRequest } from '../documents/printed.js';
import { stateOf } from '../referral/referral.js';

const tries = 4;
/** referrals of a unit that are looked at side by side */
const together = 4;
/** types beside the referral whose content a worklist shows, and the parameter by which they name it */
const naming: Readonly<Record<string, string>> = { Task: 'focus', DocumentReference: 'related', Communication: 'based-on' };

/** The referrals that a record names; what it named before is named by the version that is there. */
const namedBy = async (reader: Reader, put: Put): Promise<readonly string[]> => {
  const param = naming[put.type];
  if (param === undefined) return [];
  const now = put.values.flatMap((value) =>
    value.kind === 'reference' && value.param === param && value.target.type === 'ServiceRequest' ? [value.target.id] : [],
  );
  const before = put.version === 0 ? undefined : (await reader.find(put, 'all'))?.body;
  const named = [...(before ?? '').matchAll(/"reference":"(ServiceRequest\/[^"]+)"/g)];
  return [...now, ...named.flatMap(([, reference]) => readReference(reference ?? '', '')?.id ?? [])];
};

/**
 * The referrals whose places a unit may change: an appointment takes or gives back its referral's current booking, a printing is told of
 * by a claim.
 */
const touchedBy = async (reader: Reader, { puts = [], claims = [], releases = [] }: Unit): Promise<ReadonlySet<string>> => {
  const ids = new Set(
    [...claims, ...releases].flatMap((claim) => (claim.kind === 'current-booking' ? claim.key : printedRequest(claim)) ?? []),
  );
  for (const put of puts) {
    if (put.type === 'ServiceRequest') ids.add(put.id);
    else for (const id of await namedBy(reader, put)) ids.add(id);
  }
  return ids;
};

/** The places that a referral will have when the unit is committed. */
export const placesAfter = async (
  reader: Pick<Reader, 'find' | 'findClaim' | 'search'>,
  unit: Unit,
  referral: string,
  integrity: boolean,
): Promise<WorklistPut> => {
  const facts = factsAfter(reader, unit, integrity);
  const found = await facts.find({ type: 'ServiceRequest', id: referral }, 'all');
  const request = found?.resource as unknown as ServiceRequest | undefined;
  if (!found || !request || stateOf(request) === undefined || stateOf(request) === 'CANCELLED_REFERRAL') return { referral, places: [] };
  const now = new Date(unit.puts?.[0]?.lastUpdated ?? 0).toISOString();
  const [candidate, referrer] = await Promise.all([gatherCandidate(facts, found, now), gatherReferrer(facts, request, now)]);
  return { referral, places: placesOf(candidate, referrer) };
};

const revisionOf = async (reader: Reader, referral: string): Promise<number> =>
  (await reader.findEntry('worklist', referral))?.version ?? 0;

/** Adds to a unit the places of the referrals, each guarded by the revision that was read before all else. */
export const listing = async (
  reader: Reader,
  unit: Unit,
  referrals: Iterable<string>,
  integrity: boolean,
  recall?: Recall,
): Promise<Unit> => {
  const all = [...referrals];
  const entries: EntryPut[] = [];
  const worklists: WorklistPut[] = [];
  const list = async (referral: string): Promise<void> => {
    const known = (await recall?.(referral)) ?? { revision: await revisionOf(reader, referral), reader };
    entries.push({ kind: 'worklist', key: referral, version: known.revision, body: '' });
    worklists.push(await placesAfter(known.reader, unit, referral, integrity));
  };
  for (let from = 0; from < all.length; from += together) await Promise.all(all.slice(from, from + together).map(list));
  return worklists.length === 0 ? unit : { ...unit, entries: [...(unit.entries ?? []), ...entries], worklists };
};

/**
 * A store that keeps the worklists in the unit of whatever changes them, on every path that writes. When another unit that belongs to
 * the same referral came first, the places are made again.
 *
 * @param integrity whether references resolve when they are written (REFERENTIAL_INTEGRITY)
 */
export const listedStore = (store: Store, integrity: boolean): Store =>
  Object.assign(Object.create(store) as Store, {
    commit: async (unit: Unit, recall?: Recall) => {
      const touched = await touchedBy(store, unit);
      if (touched.size === 0) {
        await store.commit(unit);
        return;
      }
      for (let round = 1; ; round++)
        try {
          // what was read before it moved is of no more use
          await store.commit(await listing(store, unit, touched, integrity, round === 1 ? recall : undefined));
          return;
        } catch (error) {
          if (!(error instanceof Stale && error.at.type === 'worklist') || round === tries) throw error;
        }
    },
  } satisfies Partial<Store>);
