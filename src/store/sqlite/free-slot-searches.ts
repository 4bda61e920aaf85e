import { containedType } from '../layout.js';
import type { Key, Page, SearchPlan, Sight } from '../port.js';
import { freeSlotSearch, type FreeSlotSearch } from '../queries/free-slots.js';
import { encodePosition } from '../queries/position.js';
import type { Connection } from './connection.js';
import type { FreeSlots } from './free-slots.js';
import type { Terms } from './terms.js';

/** The rows that a search finds, at most `limit`, in no order. */
export type RidsOf = (plan: SearchPlan, sight: Sight, limit: number) => readonly number[];

/** `diaries`: rows of Schedules */
type Found = FreeSlotSearch & { readonly diaries: readonly number[] };
type Chain = Exclude<FreeSlotSearch['schedules'], readonly Key[]>;

/** diaries of one search that are looked through in memory */
const mostDiaries = 100;
const isNumber = (value: unknown): value is number => typeof value === 'number';

/** The service whose diaries are asked for, when nothing else is said of them. */
const serviceOf = ({ where: [only, ...more], sight = 'all' }: Chain): string | undefined => {
  if (only?.kind !== 'reference' || only.param !== 'actor' || more.length > 0 || sight !== 'all') return undefined;
  const [service, ...others] = only.any;
  return service?.type === 'HealthcareService' && others.length === 0 ? service.id : undefined;
};

/** Searches of free slots that the diaries in memory answer as the statement over the rows would; undefined of all other searches. */
export class FreeSlotSearches {
  /** the diaries of the last search */
  private last:
    { readonly where: SearchPlan['where']; readonly moment: number; readonly diaries: readonly number[] | undefined } | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly terms: Terms,
    private readonly freeSlots: FreeSlots,
    private readonly ridsOf: RidsOf,
  ) {}

  page(plan: SearchPlan, sight: Sight, after: readonly (string | number | null)[] | undefined): Page | undefined {
    const asked = after === undefined || after.every(isNumber) ? this.found(plan, sight) : undefined;
    if (!asked) return undefined;
    const place = after && ([Number(after[0]), Number(after[1])] as const);
    const slots = this.freeSlots.page(asked.diaries, asked, place, plan.count + 1);
    const shown = slots.slice(0, plan.count);
    const last = slots.length > plan.count ? shown.at(-1) : undefined;
    return { rows: shown.map(({ stored }) => stored), next: last && encodePosition(last.place) };
  }

  count(plan: SearchPlan, sight: Sight): number | undefined {
    const asked = this.found(plan, sight);
    return asked && this.freeSlots.count(asked.diaries, asked);
  }

  private found(plan: SearchPlan, sight: Sight): Found | undefined {
    const asked = freeSlotSearch(plan, sight);
    if (!asked) return undefined;
    this.terms.renew();
    const moment = this.connection.moment();
    // a search counts what it has a page of
    if (this.last?.where !== plan.where || this.last.moment !== moment)
      this.last = { where: plan.where, moment, diaries: this.diariesOf(asked) };
    const { diaries } = this.last;
    return diaries && { ...asked, diaries };
  }

  /** Undefined when they are too many, or some may be contained. */
  private diariesOf({ schedules }: FreeSlotSearch): readonly number[] | undefined {
    if (!('kind' in schedules)) return [...new Set(schedules.flatMap(({ id }) => this.freeSlots.ridOf(id) ?? []))];
    if (this.terms.find(containedType('Schedule')) !== undefined) return undefined;
    const service = serviceOf(schedules);
    const find = () => this.diariesBy(schedules);
    return service === undefined ? find() : this.freeSlots.diariesOfService(service, find);
  }

  private diariesBy({ where, sight = 'all' }: Chain): readonly number[] | undefined {
    const rids = this.ridsOf({ type: 'Schedule', where, sort: [], count: mostDiaries }, sight, mostDiaries + 1);
    return rids.length > mostDiaries ? undefined : rids;
  }
}
