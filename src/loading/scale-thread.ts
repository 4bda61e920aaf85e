import { parentPort, workerData } from 'node:worker_threads';
import { createHouse } from '../create-house.js';
import { readConfig } from '../config.js';
import { healthcareService, organisationsOf } from '../demo/directory.js';
import { ScaleData } from '../demo/scale.js';
import { systems } from '../domain/codes.js';
import { placesAfter } from '../domain/worklists/listed-store.js';
import { referenceTo, type Resource } from '../fhir/resource.js';
import type { House } from '../interactions/house.js';
import { seal } from '../interactions/seal.js';
import type { BulkItem, Key, Reader, Stored } from '../store/port.js';
import { blankStore } from './blank-store.js';
import { packed } from './packed.js';
import type { FromMaker, MakerStart, ToMaker } from './scale-messages.js';
import { loaderCall } from './write.js';

// Makes and seals parts of a scale's data beside the thread that writes them. The sealing is the server's own; what it reads of the
// directory to find access keys comes from the world instead of a store.
const port = parentPort;
if (!port) throw new Error('the maker runs as a worker thread');
const start = workerData as MakerStart;
const together = 250;
/** generated records are all alike: each of the first ones is validated, then one in so many */
const checkedFirst = 300;
const checkedEvery = 500;

const data = new ScaleData(start.seed, start.scale, { since: start.since, timeZone: start.timeZone });
const organisations = new Map(organisationsOf(data.world).map((organisation) => [organisation.ods, organisation]));

/** A directory entry as far as access keys and worklists need it. */
const entryOf = ({ type, id }: Key): object | undefined => {
  if (type === 'Organization') {
    const organisation = organisations.get(id);
    return organisation && { resourceType: type, id, identifier: [{ system: systems.organisation, value: organisation.ods }] };
  }
  if (type === 'PractitionerRole') return { resourceType: type, id, organization: { reference: `Organization/${id.split('-')[0] ?? ''}` } };
  if (type === 'CodeSystem' && id === 'PRIORITY') return built.definitions.findCodeSystem(systems.priority);
  if (type !== 'HealthcareService') return undefined;
  const service = data.world.services[Number(id) - 11_001];
  return service && healthcareService(service);
};

const entries = new Map<string, Stored>();
const mostEntries = 100_000;

const find: Reader['find'] = (key) => {
  const name = referenceTo(key);
  let stored = entries.get(name);
  if (!stored) {
    const entry = entryOf(key);
    if (!entry) return Promise.resolve(undefined);
    stored = { ...key, version: 1, lastUpdated: 0, body: JSON.stringify(entry) };
    if (entries.size >= mostEntries) entries.clear();
    entries.set(name, stored);
  }
  return Promise.resolve(stored);
};

const directory = blankStore({ find });

const counts = new Map<string, number>();
const sampled =
  (validate: House['validate']): House['validate'] =>
  (resource) => {
    const { resourceType } = resource as Resource;
    const count = (counts.get(resourceType) ?? 0) + 1;
    counts.set(resourceType, count);
    return count <= checkedFirst || count % checkedEvery === 0 ? validate(resource) : [];
  };

const built = await createHouse(readConfig({ DATA_DIR: start.dataDir }), directory, { url: 'http://127.0.0.1' }, () => undefined);
const house: House = { ...built, validate: sampled(built.validate) };

const say = (message: FromMaker): void => {
  port.postMessage(message);
};

// two batches may be under way: one is written while the next is made
let credit = 2;
let wake = (): void => undefined;
const mayGo = async (): Promise<void> => {
  while (credit === 0) await new Promise<void>((resolve) => (wake = resolve));
  credit--;
};

/** The records of one referral, with its places on the worklists. */
const listed = async (story: readonly BulkItem[]): Promise<readonly BulkItem[]> => {
  const [first, ...others] = story;
  if (first?.put.type !== 'ServiceRequest') return story;
  const unit = { puts: story.map(({ put }) => put), claims: story.flatMap(({ claims }) => claims) };
  const { places } = await placesAfter(directory, unit, first.put.id, true);
  return [{ ...first, places }, ...others];
};

const make = async ({ part, from, until }: Extract<ToMaker, { kind: 'part' }>): Promise<void> => {
  let items: BulkItem[] = [];
  let story: BulkItem[] = [];
  for (const made of data[part]({ from, until })) {
    const resource = made as Resource;
    const draft = { type: resource.resourceType, id: resource.id ?? '', version: 0, resource };
    const { put, claims } = await seal(house, loaderCall, draft, []);
    // a referral comes before what belongs to it
    if (!['Appointment', 'Task'].includes(put.type)) {
      items.push(...(await listed(story)));
      story = [];
    }
    story.push({ put, claims });
    if (items.length < together) continue;
    await mayGo();
    say({ kind: 'batch', items: packed(items) });
    items = [];
  }
  items.push(...(await listed(story)));
  await mayGo();
  say({ kind: 'batch', items: packed(items) });
  say({ kind: 'done' });
};

port.on('message', (message: ToMaker) => {
  if (message.kind === 'go') {
    credit++;
    wake();
  } else if (message.kind === 'stop') port.close();
  else
    make(message).catch((error: unknown) => {
      // a fault here is a fault of the generator: the load ends with it
      setImmediate(() => {
        throw error;
      });
    });
});
say({ kind: 'ready', parts: data.parts });
