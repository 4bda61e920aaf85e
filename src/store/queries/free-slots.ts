import type { Key } from '../../fhir/resource.js';
import type { Predicate, SearchPlan, Sight } from '../port.js';

type Of<Kind extends Predicate['kind']> = Extract<Predicate, { kind: Kind }>;

/** Free slots of some diaries in the order of their starts, as a diary system asks for them. Times: epoch ms, [from, until). */
export type FreeSlotSearch = {
  /** the diaries, or what they are searched by */
  readonly schedules: readonly Key[] | Of<'chain'>;
  readonly from: number;
  readonly until: number;
};

type Window = Pick<FreeSlotSearch, 'from' | 'until'>;
const always: Window = { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY };

/** The moments that meet a condition on a moment (see `momentTest`); undefined where they are no one window. */
const windowOf = ({ any }: Of<'range'>): Window | undefined => {
  const [only, ...others] = any;
  if (!only || others.length > 0) return undefined;
  const { prefix, low, high } = only;
  switch (prefix) {
    case 'eq':
    case 'po':
      return { from: low, until: high };
    case 'ge':
      return { ...always, from: low };
    case 'gt':
    case 'sa':
      return { ...always, from: high };
    case 'lt':
    case 'eb':
      return { ...always, until: low };
    case 'le':
      return { ...always, until: high };
    case 'ne':
    case 'co':
      return undefined;
  }
};

const schedulesOf = (predicate: Predicate): FreeSlotSearch['schedules'] | undefined => {
  if (!('param' in predicate) || predicate.param !== 'schedule') return undefined;
  if (predicate.kind === 'chain') return predicate.type === 'Schedule' ? predicate : undefined;
  return predicate.kind === 'reference' && predicate.any.every(({ type }) => type === 'Schedule') ? predicate.any : undefined;
};

const isFree = (predicate: Predicate): boolean =>
  predicate.kind === 'token' &&
  predicate.param === 'status' &&
  predicate.not !== true &&
  predicate.any.length === 1 &&
  predicate.any[0]?.code === 'free';

/** What a search asks of the diaries when it is this one and nothing else. */
export const freeSlotSearch = (
  { type, where, sort: [sort, ...more], contained, placed }: SearchPlan,
  sight: Sight,
): FreeSlotSearch | undefined => {
  if (type !== 'Slot' || sight !== 'all' || contained !== undefined || placed === true) return undefined;
  if (sort?.param !== 'start' || sort.kind !== 'range' || sort.descending || more.length > 0) return undefined;
  const found = { schedules: undefined as FreeSlotSearch['schedules'] | undefined, free: false, ...always };
  for (const predicate of where) {
    const schedules = schedulesOf(predicate);
    const window = predicate.kind === 'range' && predicate.param === 'start' ? windowOf(predicate) : undefined;
    if (schedules && !found.schedules) found.schedules = schedules;
    else if (isFree(predicate)) found.free = true;
    else if (window) {
      found.from = Math.max(found.from, window.from);
      found.until = Math.min(found.until, window.until);
    } else return undefined;
  }
  const { schedules, free, from, until } = found;
  return schedules && free ? { schedules, from, until } : undefined;
};
