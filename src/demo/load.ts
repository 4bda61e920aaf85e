import { seal } from '../interactions/seal.js';
import type { House } from '../interactions/house.js';
import type { Caller } from '../access/caller.js';
import type { Resource } from '../fhir/resource.js';
import type { Unit } from '../store/port.js';
import { generateDemo } from './generate.js';

const loader: Caller = { kind: 'system', clientId: 'demo-loader', scopes: ['system/*.cruds'], organisations: [] };
const together = 250;

const localDay = (now: number, timeZone: string): string => new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(now);

/** Writes what the demo data of today has and the store lacks: all of it at the first start, new days of slots later. */
export const loadDemo = async (house: House, timeZone: string): Promise<number> => {
  const call = { caller: loader, lenient: false };
  let written = 0;
  let batch: Resource[] = [];
  const flush = async (): Promise<void> => {
    const drafts = batch.map((resource) => ({ type: resource.resourceType, id: resource.id ?? '', version: 0, resource }));
    batch = [];
    const sealed = await Promise.all(drafts.map((draft) => seal(house, call, draft, drafts)));
    const unit: Unit = { puts: sealed.map(({ put }) => put), claims: sealed.flatMap(({ claims }) => claims) };
    await house.store.commit(unit);
    written += drafts.length;
  };
  for (const resource of generateDemo({ seed: 1, today: localDay(house.clock(), timeZone), timeZone: 'Europe/London' })) {
    if (await house.store.find({ type: resource.resourceType, id: resource.id ?? '' }, 'all')) continue;
    batch.push(resource);
    if (batch.length >= together) await flush();
  }
  if (batch.length > 0) await flush();
  return written;
};
