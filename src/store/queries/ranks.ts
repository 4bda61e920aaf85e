import { columnFor, columnOf } from '../layout.js';
import type { Predicate, SearchPlan, Sight } from '../port.js';

/** Never drives: it is tested on the rows that another condition, or the type, gives. */
export const tested = 99;

/** Up to here a driver gives few rows, whatever the size of the database. */
const keyed = 5;

// codes of which a type has a handful, so that one of them matches a large part of all rows
const broad: ReadonlySet<string> = new Set([
  ...['status', 'active', 'gender', 'priority', 'intent', 'mode', 'kind', 'deceased', 'clinical-status', 'verification-status', 'class'],
  ...[
    'category',
    'type',
    'use',
    'abstract',
    'experimental',
    'derivation',
    'part-status',
    'action',
    'outcome',
    'language',
    '_security',
    'state',
  ],
]);

// what a large part of all rows may refer to
const hubs: ReadonlySet<string> = new Set([
  ...['Organization', 'HealthcareService', 'Location', 'Practitioner', 'PractitionerRole', 'Questionnaire', 'Group', 'Endpoint'],
]);

// a hub that few rows of the type refer to all the same: a service has a handful of diaries
const fewOfHub: ReadonlySet<string> = new Set(['Schedule.actor']);

/**
 * The driving condition decides the cost. Lower ranks match fewer rows in this domain; the rest of a plan's conditions are
 * tested row by row through rid-first indexes. The dialect's `join` and `unindexed` pin that choice against the planner, which picks
 * plans a thousand times slower on a million rows.
 */
export const rankOf = (type: string, predicate: Predicate): number => {
  switch (predicate.kind) {
    case 'never':
    case 'id':
      return 0;
    case 'token':
      if (predicate.not === true) return tested;
      if (predicate.param === 'identifier' || predicate.identifying === true) return 1;
      return broad.has(predicate.param) ? 30 : 10;
    case 'reference':
      if (!fewOfHub.has(`${type}.${predicate.param}`) && predicate.any.some((key) => hubs.has(key.type))) return 6;
      return columnOf(type, predicate.param) ? 2 : 3;
    case 'chain':
    case 'has': {
      const inner = Math.min(tested, ...predicate.where.map((each) => rankOf(predicate.type, each)));
      // a set that is large itself is better probed row by row
      return inner >= 20 ? tested : Math.max(4, inner + 0.1);
    }
    case 'either':
      return Math.max(...predicate.of.map((where) => Math.min(tested, ...where.map((each) => rankOf(type, each)))));
    case 'near':
      return 11;
    case 'word':
      return 12;
    case 'text':
      if (predicate.mode === 'contains' || predicate.mode === 'ends') return tested;
      return predicate.mode === 'from' || predicate.mode === 'below' ? 40 : 13;
    case 'range':
      return predicate.any.every(({ prefix }) => prefix === 'eq') ? 14 : 40;
    case 'updated':
      return 41;
    case 'not':
    case 'missing':
      return tested;
  }
};

/** From here on a condition may hold for a large part of all rows: who sees but some of them is looked for among those. */
const wide = 20;

/** Whether a search of a caller with keys begins with what he may see, whatever it asks for. */
export const isDrivenBySight = (type: string, driver: Predicate | undefined, sight: Sight): boolean =>
  sight !== 'all' && (!driver || rankOf(type, driver) >= wide);

/** Whether a condition leads to few rows: to sort them costs nothing. */
export const isKeyed = ({ type, where }: Pick<SearchPlan, 'type' | 'where'>): boolean => {
  const driver = driverOf(type, where);
  return driver !== undefined && rankOf(type, driver) <= keyed;
};

/** Whether a sorted search has no condition that leads to few rows, so that it is better walked in the order that it asks for. */
export const isOrderedBySort = ({ type, where }: SearchPlan, sight: Sight): boolean => {
  const driver = driverOf(type, where);
  return sight === 'all' && (!driver || rankOf(type, driver) >= wide);
};

export const driverOf = (type: string, where: readonly Predicate[]): Predicate | undefined => {
  let best: Predicate | undefined;
  let rank = tested;
  for (const predicate of where) {
    const own = rankOf(type, predicate);
    if (own < rank) {
      best = predicate;
      rank = own;
    }
  }
  return best;
};

/** Conditions of a narrow table are tested together with its driver, by one of its indexes. */
const narrowed = (type: string, predicate: Predicate): boolean => 'param' in predicate && columnFor(type, predicate) !== undefined;

/**
 * Whether a search looks at few rows for certain. All others go where they cannot hold up anything else, and have a limit of time.
 */
export const isBounded = ({ type, where, sort }: SearchPlan, sight: Sight): boolean => {
  if (isKeyed({ type, where })) return true;
  const driver = driverOf(type, where);
  if (sight !== 'all') return false;
  // an index gives the rows in the order asked for, so that the first page is found at once
  if (!driver) return where.length === 0 && sort.every(({ kind }) => kind === 'updated' || kind === 'id') && sort.length < 2;
  return where.length === 1 && sort.length === 0 && ['token', 'reference'].includes(driver.kind) && !narrowed(type, driver);
};
