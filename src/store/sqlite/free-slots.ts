import { containedType } from '../layout.js';
import type { DiaryAvailability, Stored } from '../port.js';
import type { FreeSlotSearch } from '../queries/free-slots.js';
import type { Connection } from './connection.js';
import type { Terms } from './terms.js';

/** The free slots of a diary by their starts (epoch ms), and their rows. */
type Diary = { readonly starts: Float64Array; readonly rids: Float64Array };

type Window = Pick<FreeSlotSearch, 'from' | 'until'>;
/** A free slot's start and row, by which slots are in order. */
type Place = readonly [start: number, rid: number];
export type PlacedSlot = { readonly place: Place; readonly stored: Stored };

/** Slots that are kept; beyond these all are read anew. */
const mostSlots = 1_000_000;
/** Services whose diaries are known. */
const mostServices = 100_000;
/** Records of slots that are kept, of a kilobyte or less each. */
const mostRecords = 100_000;
/** More slots than these changed since the last look: to read the diaries anew is as quick. */
const mostChanges = 1000;

/** Slots and diaries that are indexed anew have no new place in the order of commits: this tells of them. */
export const slotsMoved = `insert into entry (kind, key, version, body) values ('search-index', 'slots', 1, '')
  on conflict (kind, key) do update set version = version + 1`;
/** What tells of changes: the newest slot, the newest diary, and how often some were indexed anew. */
const state = `select (select max(sequence) from resource where type = ?), (select max(sequence) from resource where type = ?),
  (select version from entry where kind = 'search-index' and key = 'slots')`;

const ofType = 'exists (select 1 from resource r where r.rid = h.rid and r.type = ?)';

const recordsOf = `select r.rid, r.id, r.version, r.last_updated, r.body from json_each(?) wanted cross join resource r on r.rid = wanted.value`;

/** The first place whose start is not before `moment`. */
const placeOf = (starts: Float64Array, moment: number): number => {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) < moment) low = middle + 1;
    else high = middle;
  }
  return low;
};

type RecordRow = readonly [rid: number, id: string, version: number, lastUpdated: number, body: string | null];

/** Of a diary, the first places within a window and after a place. */
const placesIn = ({ starts, rids }: Diary, { from, until }: Window, after: Place | undefined, limit: number): Place[] => {
  const places: Place[] = [];
  for (let at = placeOf(starts, Math.max(from, after?.[0] ?? from)); at < starts.length && places.length < limit; at++) {
    const place = [starts[at] ?? 0, rids[at] ?? 0] as const;
    if (place[0] >= until) break;
    if (after === undefined || place[0] > after[0] || place[1] > after[1]) places.push(place);
  }
  return places;
};

/**
 * The free slots of diaries, kept in memory as they were last read. Every write of a slot has a place in the order of commits: before
 * each answer the diaries of the slots that were written since are dropped and read again, in the same read transaction, so that an
 * answer is always what a search of slots finds in one committed state.
 */
export class FreeSlots {
  private readonly schedules = new Map<string, number>();
  private readonly diaries = new Map<number, Diary>();
  /** the diaries that keep a slot, by its row */
  private readonly diaryOf = new Map<number, number>();
  /** the records of slots that were shown, by their rows */
  private readonly records = new Map<number, Stored>();
  /** the diaries (rows) of services, by the service's id */
  private readonly ofServices = new Map<string, readonly number[]>();
  /** what was looked at last: the moment, the newest slot and diary, and how often some were indexed anew */
  private moment = Number.NaN;
  private sequence = 0;
  private newestDiary = 0;
  private moved = 0;

  constructor(
    private readonly connection: Connection,
    private readonly terms: Terms,
  ) {}

  /** Those of diaries (ids of Schedules) that begin in [from, until): see `Reader.availability`. */
  availability(schedules: readonly string[], from: number, until: number): readonly DiaryAvailability[] {
    return this.connection.together(() => {
      this.dropChanged();
      return schedules.flatMap((schedule) => this.availabilityOf(schedule, from, until) ?? []);
    });
  }

  /** The first slots of diaries (rows of Schedules) within a window, after a place, in the order of their starts and rows. */
  page(schedules: readonly number[], window: Window, after: Place | undefined, limit: number): readonly PlacedSlot[] {
    return this.connection.together(() => {
      this.dropChanged();
      const places = schedules.flatMap((schedule) => placesIn(this.of(schedule), window, after, limit));
      // one diary's are in order
      const first = schedules.length === 1 ? places : places.sort(([a, x], [b, y]) => a - b || x - y).slice(0, limit);
      this.readRecords(first.map(([, rid]) => rid));
      return first.flatMap((place) => {
        const stored = this.records.get(place[1]);
        return stored ? [{ place, stored }] : [];
      });
    });
  }

  /** How many slots of diaries begin within a window. */
  count(schedules: readonly number[], { from, until }: Window): number {
    return this.connection.together(() => {
      this.dropChanged();
      let sum = 0;
      for (const { starts } of schedules.map((schedule) => this.of(schedule)))
        sum += Math.max(0, placeOf(starts, until) - placeOf(starts, from));
      return sum;
    });
  }

  private of(schedule: number): Diary {
    return this.diaries.get(schedule) ?? this.read(schedule);
  }

  private availabilityOf(schedule: string, from: number, until: number): DiaryAvailability | undefined {
    const rid = this.ridOf(schedule);
    if (rid === undefined) return undefined;
    const diary = this.of(rid);
    const first = placeOf(diary.starts, from);
    const count = until <= from ? 0 : placeOf(diary.starts, until) - first;
    return { schedule, count, first: this.record(diary.rids[first]) };
  }

  /** Reads those of the records that are not kept. */
  private readRecords(rids: readonly number[]): void {
    if (this.records.size + rids.length > mostRecords) this.records.clear();
    const missing = rids.filter((rid) => !this.records.has(rid));
    if (missing.length === 0) return;
    for (const [rid, id, version, lastUpdated, body] of this.connection.tuples(recordsOf, JSON.stringify(missing)) as readonly RecordRow[])
      this.records.set(rid, { type: 'Slot', id, version, lastUpdated, body: body ?? undefined, kept: true });
  }

  /** The row of a Schedule by its id. */
  ridOf(schedule: string): number | undefined {
    const known = this.schedules.get(schedule);
    if (known !== undefined) return known;
    const found = this.connection.get('select rid from resource where type = ? and id = ?', this.terms.find('Schedule') ?? 0, schedule);
    // a row keeps its number for ever
    if (found) this.schedules.set(schedule, found['rid'] as number);
    return found?.['rid'] as number | undefined;
  }

  private read(schedule: number): Diary {
    // slots that other records contain have rows as well, and are none of the diary's
    const own = this.terms.find(containedType('Slot')) === undefined ? '' : `and ${ofType}`;
    const rows = this.connection.all(
      `select h.rid, h.start_at from slot_index h where h.schedule = ? and h.status = ? and h.start_at is not null ${own} order by h.start_at, h.rid`,
      schedule,
      this.terms.find('free') ?? 0,
      ...(own === '' ? [] : [this.terms.find('Slot') ?? 0]),
    ) as readonly { rid: number; start_at: number }[];
    if (this.diaryOf.size + rows.length > mostSlots) this.clear();
    const diary: Diary = {
      starts: Float64Array.from(rows, (row) => row.start_at),
      rids: Float64Array.from(rows, ({ rid }) => rid),
    };
    this.diaries.set(schedule, diary);
    for (const { rid } of rows) this.diaryOf.set(rid, schedule);
    return diary;
  }

  private record(rid: number | undefined): Stored | undefined {
    if (rid === undefined) return undefined;
    const known = this.records.get(rid);
    if (known) return known;
    this.readRecords([rid]);
    return this.records.get(rid);
  }

  /** The diaries of a service, found by `find` unless they are known. */
  diariesOfService(id: string, find: () => readonly number[] | undefined): readonly number[] | undefined {
    this.dropChanged();
    const known = this.ofServices.get(id) ?? find();
    if (known && this.ofServices.size >= mostServices) this.ofServices.clear();
    if (known) this.ofServices.set(id, known);
    return known;
  }

  private dropChanged(): void {
    const moment = this.connection.moment();
    if (moment === this.moment) return;
    this.moment = moment;
    const type = this.terms.find('Slot') ?? 0;
    const [newest, newestDiary, moved] = (this.connection.tuple(state, type, this.terms.find('Schedule') ?? 0) ?? []).map(Number);
    if (moved !== this.moved) this.clear();
    this.moved = moved ?? 0;
    if (newestDiary !== this.newestDiary) this.ofServices.clear();
    this.newestDiary = newestDiary ?? 0;
    if (newest === undefined || newest === this.sequence) return;
    const changed =
      this.diaries.size + this.records.size === 0
        ? []
        : (this.connection.all(
            `select r.rid, h.schedule from resource r left join slot_index h on h.rid = r.rid where r.type = ? and r.sequence > ? limit ${String(mostChanges + 1)}`,
            type,
            this.sequence,
          ) as readonly { rid: number; schedule: number | null }[]);
    if (changed.length > mostChanges) this.clear();
    else
      for (const { rid, schedule } of changed) {
        this.records.delete(rid);
        // where it was free, and where it is now
        for (const diary of [this.diaryOf.get(rid), schedule ?? undefined]) if (diary !== undefined) this.drop(diary);
      }
    this.sequence = newest;
  }

  private drop(schedule: number): void {
    for (const rid of this.diaries.get(schedule)?.rids ?? []) this.diaryOf.delete(rid);
    this.diaries.delete(schedule);
  }

  private clear(): void {
    this.ofServices.clear();
    this.records.clear();
    this.diaries.clear();
    this.diaryOf.clear();
  }
}
