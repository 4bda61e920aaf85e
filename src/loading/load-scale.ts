import { Worker } from 'node:worker_threads';
import { directory } from '../demo/generate.js';
import { places } from '../demo/facts/places.js';
import { sizes, type Scale } from '../demo/scales.js';
import { makeWorld } from '../demo/world.js';
import type { Resource } from '../fhir/resource.js';
import type { House } from '../interactions/house.js';
import { seal } from '../interactions/seal.js';
import { positionText } from '../domain/directory/postcodes.js';
import type { Bulk, BulkItem, BulkReport, Store, Stored } from '../store/port.js';
import { blankStore } from './blank-store.js';
import { unpacked } from './packed.js';
import type { FromMaker, MakerStart, PartKind, ToMaker } from './scale-messages.js';
import { loaderCall } from './write.js';

export type ScaleOptions = {
  readonly seed: number;
  readonly scale: Exclude<Scale, 'small'>;
  readonly since: string;
  readonly timeZone: string;
  readonly dataDir: string;
  /** threads that make and seal records beside the one that writes them */
  readonly makers: number;
  readonly say: (done: number, total: number, what: string) => void;
};

/** Threads run compiled code: from `src` (tests) and from `dist` alike this is the file in `dist`. */
const threadFile = new URL('../../dist/loading/scale-thread.js', import.meta.url);
const together = 250;

/** One maker: takes a part at a time, and sends batches no faster than they are written. */
class Maker {
  private readonly worker: Worker;
  readonly ready: Promise<Readonly<Record<PartKind, number>>>;
  private onBatch: (message: Extract<FromMaker, { kind: 'batch' }>) => void = () => undefined;
  private onDone: () => void = () => undefined;
  private onFault: (error: Error) => void = () => undefined;

  constructor(start: MakerStart) {
    // what is made lives for a batch: a young generation that holds it is swept without copying it
    this.worker = new Worker(threadFile, { workerData: start, resourceLimits: { maxYoungGenerationSizeMb: 128 } });
    this.ready = new Promise((resolve, reject) => {
      this.onFault = reject;
      this.worker.on('message', (message: FromMaker) => {
        if (message.kind === 'ready') resolve(message.parts);
        else if (message.kind === 'batch') this.onBatch(message);
        else this.onDone();
      });
    });
    this.worker.on('error', (error) => {
      this.onFault(error instanceof Error ? error : new Error(String(error)));
    });
  }

  private send(message: ToMaker): void {
    this.worker.postMessage(message);
  }

  make(part: PartKind, from: number, until: number, write: (items: readonly BulkItem[]) => void | Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.onFault = reject;
      this.onDone = resolve;
      const written = async (items: readonly BulkItem[]): Promise<void> => {
        await write(items);
        this.send({ kind: 'go' });
      };
      this.onBatch = ({ items }) => {
        written(unpacked(items)).catch((error: unknown) => {
          reject(error instanceof Error ? error : new Error(String(error)));
        });
      };
      this.send({ kind: 'part', part, from, until });
    });
  }

  stop(): Promise<number> {
    return this.worker.terminate();
  }
}

/** Seals the directory here, over what has been sealed of it before: it is small, and everything else refers to it. */
const writeDirectory = async (house: House, bulk: Bulk, { seed, scale, since }: ScaleOptions): Promise<number> => {
  const known = new Map<string, Stored>();
  const find: Store['find'] = ({ type, id }) => Promise.resolve(known.get(`${type}/${id}`));
  // the directory's ids are its codes: an identifier leads to the resource of that id
  const search: Store['search'] = ({ type, where }) => {
    const code = where.flatMap((predicate) => (predicate.kind === 'token' ? predicate.any.map((any) => any.code ?? '') : []))[0] ?? '';
    const row = known.get(`${type}/${code}`);
    return Promise.resolve({ rows: row ? [row] : [], next: undefined });
  };
  const over: House = { ...house, store: blankStore({ find, search }) };
  let batch: Resource[] = [];
  let count = 0;
  const flush = async (): Promise<void> => {
    const sealed = [];
    for (const resource of batch) {
      const draft = { type: resource.resourceType, id: resource.id ?? '', version: 0, resource };
      const { put, claims } = await seal(over, loaderCall, draft, []);
      if (['Organization', 'Practitioner'].includes(put.type)) known.set(`${put.type}/${put.id}`, { ...put, version: 1 });
      sealed.push({ put, claims });
    }
    await bulk.add(sealed);
    count += batch.length;
    batch = [];
  };
  for (const resource of directory(makeWorld(seed, scale), since)) {
    batch.push(resource as Resource);
    if (batch.length >= together) await flush();
  }
  await flush();
  return count;
};

const order: readonly PartKind[] = ['patients', 'diaries', 'referrals'];

/** Cuts a part into pieces, so that the makers end at about the same time. */
const pieces = (count: number, size: number): readonly (readonly [number, number])[] =>
  Array.from({ length: Math.ceil(count / size) }, (_, n) => [n * size, Math.min(count, (n + 1) * size)] as const);

/** Makes a scale's data (contract section 9) and writes it through the store's bulk path; on any fault the store is as it was. */
export const loadScale = async (house: House, bulk: Bulk, options: ScaleOptions): Promise<BulkReport> => {
  const { seed, scale, since, timeZone, dataDir, say } = options;
  const makers = Array.from({ length: options.makers }, () => new Maker({ seed, scale, since, timeZone, dataDir }));
  try {
    const size = sizes[scale];
    const expected = size.slots + size.patients + size.referrals * 1.6 + size.services * 2;
    let written = await writeDirectory(house, bulk, options);
    const [parts] = await Promise.all(makers.map(({ ready }) => ready));
    for (const part of order) {
      const queue = [...pieces(parts?.[part] ?? 0, part === 'diaries' ? 200 : 5000)];
      await Promise.all(
        makers.map(async (maker) => {
          for (let piece = queue.shift(); piece; piece = queue.shift())
            await maker.make(part, ...piece, async (items) => {
              await bulk.add(items);
              written += items.length;
              say(written, expected, part);
            });
        }),
      );
    }
    await Promise.all(makers.map((maker) => maker.stop()));
    await bulk.addEntries([
      house.searchIndex.beginning(),
      { kind: 'worklists-made', key: '1', version: 0, body: '' },
      { kind: 'demo', key: 'scale', version: 0, body: JSON.stringify({ scale, seed, since }) },
      ...places.map(({ outward, lat, lon }) => ({ kind: 'postcode' as const, key: outward, version: 0, body: positionText({ lat, lon }) })),
    ]);
    return await bulk.finish((phase) => {
      say(written, expected, phase);
    });
  } catch (error) {
    await Promise.all(makers.map((maker) => maker.stop()));
    await bulk.abandon();
    throw error;
  }
};
