import { referenceTo, type Resource } from '../fhir/resource.js';
import type { House } from '../interactions/house.js';
import { writeTogether } from '../loading/write.js';
import { ignoring } from '../store/ignoring.js';
import { Stale, Unresolved } from '../store/port.js';
import { generateDemo } from './generate.js';
import { localDay } from './local-time.js';
import { loadDemoPostcodes } from './postcodes.js';

const together = 250;
/** at the first start nobody waits for what is written: fewer and larger units take less time where each is several round trips */
const togetherAtFirst = 1000;
const seed = 1;
/** the clinics of the demo are in England, whatever the zone of the server's own dates */
const clinicZone = 'Europe/London';
/** a diary that every demo has: it says on which day the demo was made */
const firstDiary = { type: 'Schedule', id: '11001' };

/** the day that the diaries were last topped up for */
const topped = { kind: 'demo', key: 'day' } as const;

/** Whether today's demo data has been written, so that a start has nothing to look for. */
export const isDemoLoaded = async ({ store, clock }: Pick<House, 'store' | 'clock'>): Promise<boolean> =>
  (await store.findEntry('demo', 'scale')) !== undefined ||
  (await store.findEntry(topped.kind, topped.key))?.body === localDay(clock(), clinicZone);

const firstDay = async (house: House): Promise<string | undefined> => {
  const stored = await house.store.find(firstDiary, 'all');
  if (stored?.body === undefined) return undefined;
  return (JSON.parse(stored.body) as { planningHorizon?: { start?: string } }).planningHorizon?.start?.slice(0, 10);
};

/** What the store never had: what was deleted since is not made again. */
const lacking = async (house: House, batch: readonly Resource[]): Promise<readonly Resource[]> => {
  const keyOf = ({ resourceType, id }: Resource) => ({ type: resourceType, id: id ?? '' });
  const live = new Set((await house.store.findMany(batch.map(keyOf), 'all')).map(referenceTo));
  const absent = batch.filter((resource) => !live.has(referenceTo(keyOf(resource))));
  const deleted = await Promise.all(absent.map((resource) => house.store.find(keyOf(resource), 'all')));
  return absent.filter((_, at) => deleted[at] === undefined);
};

/** The batch, or each of its resources for itself where one refers to what was deleted since, or another server was faster. */
const writeWhatCanBe = async (house: House, batch: readonly Resource[]): Promise<number> => {
  if (batch.length === 0) return 0;
  try {
    await writeTogether(
      house,
      batch.map((resource) => ({ id: resource.id ?? '', version: 0, resource })),
    );
    return batch.length;
  } catch (error) {
    if (!(error instanceof Unresolved || error instanceof Stale)) throw error;
    if (batch.length === 1) return 0;
    let written = 0;
    for (const resource of batch) written += await writeWhatCanBe(house, [resource]);
    return written;
  }
};

/**
 * Writes what the demo data of today has and the store lacks: all of it at the first start, new days of slots later. What is there,
 * or was deleted, stays as it is. Resolves with the number of resources written.
 */
export const loadDemo = async (house: House): Promise<number> => {
  if (await isDemoLoaded(house)) return 0;
  const today = localDay(house.clock(), clinicZone);
  const begun = await firstDay(house);
  const since = begun ?? today;
  await loadDemoPostcodes(house.store);
  let written = 0;
  let batch: Resource[] = [];
  let underWay: Promise<unknown> = Promise.resolve();
  let slotsUnderWay = false;
  const flush = async (): Promise<void> => {
    // at the first start there is nothing to look for; what another server was faster with is found when it is written
    const full = begun === undefined ? batch : await lacking(house, batch);
    batch = [];
    const isSlots = full.every(({ resourceType }) => resourceType === 'Slot');
    // slots refer to diaries, which have been written when slots are what is being written: the next ones are made meanwhile
    if (!isSlots || !slotsUnderWay) await underWay;
    slotsUnderWay = isSlots;
    const writing = writeWhatCanBe(house, full).then((count) => (written += count));
    await underWay;
    underWay = writing;
    writing.catch(() => undefined);
  };
  for (const resource of generateDemo({ seed, today, since, timeZone: clinicZone })) {
    batch.push(resource);
    if (batch.length >= (begun === undefined ? togetherAtFirst : together)) await flush();
  }
  await flush();
  await underWay;
  const before = await house.store.findEntry(topped.kind, topped.key);
  await house.store.commit({ entries: [{ ...topped, version: before?.version ?? 0, body: today }] }).catch(ignoring(Stale));
  return written;
};
