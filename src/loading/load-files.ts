import { Failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';
import type { House } from '../interactions/house.js';
import { Referenced, Stale, Taken, Unresolved } from '../store/port.js';
import { placeText, readSources, type Found, type Place } from './sources.js';
import { writeTogether } from './write.js';

export type Fault = { readonly place: string; readonly reason: string };
export type LoadReport = { readonly written: number; readonly unchanged: number; readonly faults: readonly Fault[] };
type Item = { readonly place: Place; readonly id: string; readonly resource: Resource };

const together = 200;
/** faults beyond these are counted as well, but not kept */
const keptFaults = 1000;

const reasonOf = (error: unknown): string => {
  if (error instanceof Failure)
    return error.issues
      .filter(({ severity }) => severity === 'error' || severity === 'fatal')
      .map(({ text, expression }) => (expression ? `${expression.join(', ')}: ${text}` : text))
      .join('; ');
  if (error instanceof Unresolved) return `It refers to ${error.target.type}/${error.target.id}, which is not there.`;
  if (error instanceof Taken) return `Another resource holds what must be its own alone (${error.claim.kind}).`;
  return error instanceof Error ? error.message : String(error);
};

const isOfTheResource = (error: unknown): boolean =>
  [Failure, Unresolved, Taken, Stale, Referenced].some((known) => error instanceof known);

/**
 * Writes the resources of files (see `readSources`) that are not in the store as they are. References may point forward: what they
 * point at may come in a later file. One wrong resource does not stop the others: each is reported with its place.
 */
class FileLoad {
  private written = 0;
  private unchanged = 0;
  private faultCount = 0;
  private readonly faults: Fault[] = [];
  /** refer to what has not come yet */
  private waiting: Item[] = [];

  constructor(
    private readonly house: House,
    private readonly say: (done: number) => void,
  ) {}

  async run(files: readonly string[]): Promise<LoadReport> {
    let batch: Item[] = [];
    for await (const found of readSources(files)) {
      if ('reason' in found) this.fault(found.place, found.reason);
      else batch.push(this.itemOf(found));
      if (batch.length < together) continue;
      await this.write(batch, true);
      batch = [];
    }
    await this.write(batch, true);
    await this.writeWaiting();
    const left = this.faultCount - this.faults.length;
    return {
      written: this.written,
      unchanged: this.unchanged,
      faults: left > 0 ? [...this.faults, { place: 'and', reason: `${String(left)} more` }] : this.faults,
    };
  }

  private itemOf({ place, resource }: Found): Item {
    return { place, id: resource.id ?? this.house.newId(), resource };
  }

  private fault(place: Place, reason: string): void {
    this.faultCount++;
    if (this.faults.length < keptFaults) this.faults.push({ place: placeText(place), reason });
  }

  /** Several rounds, as long as one brings the next further; the last one writes what refers to each other in one unit. */
  private async writeWaiting(): Promise<void> {
    for (let before = Infinity; this.waiting.length > 0 && this.waiting.length < before;) {
      before = this.waiting.length;
      const again = this.waiting;
      this.waiting = [];
      for (let from = 0; from < again.length; from += together) await this.write(again.slice(from, from + together), true);
    }
    const circle = this.waiting;
    this.waiting = [];
    await this.write(circle, false);
  }

  private async write(items: readonly Item[], mayWait: boolean): Promise<void> {
    if (items.length === 0) return;
    try {
      const wanted = await this.changed(items);
      if (wanted.length > 0) await writeTogether(this.house, wanted);
      this.written += wanted.length;
      this.unchanged += items.length - wanted.length;
      this.say(this.written + this.unchanged);
    } catch (error) {
      if (!isOfTheResource(error)) throw error;
      await this.split(items, mayWait, error);
    }
  }

  /** Halves the unit until the resource at fault stands alone. */
  private async split(items: readonly Item[], mayWait: boolean, error: unknown): Promise<void> {
    const [first] = items;
    if (items.length > 1) {
      const middle = Math.ceil(items.length / 2);
      await this.write(items.slice(0, middle), mayWait);
      await this.write(items.slice(middle), mayWait);
    } else if (first && mayWait && error instanceof Unresolved) this.waiting.push(first);
    else if (first) this.fault(first.place, reasonOf(error));
  }

  /** Those that the store lacks or has with another content, with the version it has; the last of one id counts. */
  private async changed(items: readonly Item[]) {
    const byKey = new Map(items.map((item) => [`${item.resource.resourceType}/${item.id}`, item]));
    const all = await Promise.all(
      [...byKey.values()].map(async ({ id, resource }) => {
        const stored = await this.house.store.find({ type: resource.resourceType, id }, 'all');
        const same = stored?.body !== undefined && sameContent(stored.body, resource);
        return same ? [] : [{ id, version: stored?.version ?? 0, resource }];
      }),
    );
    return all.flat();
  }
}

const sameContent = (body: string, resource: Resource): boolean => {
  const { id: _id, meta, ...rest } = JSON.parse(body) as Resource;
  const { id: _ownId, meta: ownMeta, data: _data, ...own } = resource;
  const kept = ({ versionId: _version, lastUpdated: _updated, ...others }: Readonly<Record<string, unknown>>) => others;
  return canonical([rest, kept(meta ?? {})]) === canonical([own, kept(ownMeta ?? {})]);
};

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_name, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );

/** `say` is told how many resources are in the store. */
export const loadFiles = (house: House, files: readonly string[], say: (done: number) => void): Promise<LoadReport> =>
  new FileLoad(house, say).run(files);
