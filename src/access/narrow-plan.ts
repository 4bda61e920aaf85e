import { systems } from '../domain/codes.js';
import { Failure, failure } from '../fhir/outcome.js';
import { isJudged, meets } from '../fhir/search/meets.js';
import type { Predicate, SearchPlan, Sight, Value } from '../store/port.js';
import type { Caller } from './caller.js';
import { mayRead, sightOf } from './policy.js';

const narrowed = (caller: Caller, predicate: Predicate): Predicate => {
  const all = (where: readonly Predicate[]): readonly Predicate[] => where.map((inner) => narrowed(caller, inner));
  if (predicate.kind === 'either') return { ...predicate, of: predicate.of.map(all) };
  if (predicate.kind === 'not') return { ...predicate, where: all(predicate.where) };
  if (predicate.kind !== 'chain' && predicate.kind !== 'has') return predicate;
  if (!mayRead(caller, predicate.type) && predicate.kind === 'chain' && predicate.implied === true) return { kind: 'never' };
  if (!mayRead(caller, predicate.type))
    throw failure('forbidden', 'forbidden', `The search looks into ${predicate.type}, which the caller may not search`);
  const sight = sightOf(caller, predicate.type);
  const narrow = sight === 'all' ? undefined : sight.narrow;
  return {
    ...predicate,
    where: [...all(predicate.where), ...(narrow?.where ?? [])],
    sight: sight === 'all' || narrow?.anyKey === true ? 'all' : { keys: sight.keys },
  };
};

/**
 * A search plan whose chains and `_has` look only at rows that the caller may see, so that whether something matches tells nothing
 * about the rest.
 *
 * @throws Failure `forbidden` when it looks into a type that the caller may not search at all
 */
export const narrowPlan = (caller: Caller, plan: SearchPlan): SearchPlan => ({
  ...plan,
  where: plan.where.map((predicate) => narrowed(caller, predicate)),
});

/** a day, also the one of 25 hours when the clocks go back */
const longestDay = 25 * 3_600_000;
const referrers: ReadonlySet<string> = new Set(['REFERRING_CLINICIAN', 'REFERRING_CLINICIAN_ADMIN']);

const numberOf = ({ where }: SearchPlan): string | undefined => {
  const [number] = where.flatMap((predicate) =>
    predicate.kind === 'token' && predicate.param === 'identifier' && predicate.not !== true && predicate.any.length === 1
      ? predicate.any.flatMap(({ system, code }) => (system === systems.nhsNumber ? (code ?? []) : []))
      : [],
  );
  const born = where.some(
    (predicate) =>
      predicate.kind === 'range' &&
      predicate.param === 'birthdate' &&
      predicate.any.length === 1 &&
      predicate.any.every(({ prefix, low, high }) => prefix === 'eq' && high - low <= longestDay),
  );
  return born ? number : undefined;
};

/** The NHS number when a referrer searches for one patient by NHS number and birth date, both exactly; undefined for every other search. */
export const exactNumber = (caller: Caller, plan: SearchPlan): string | undefined => {
  if (plan.type !== 'Patient' || plan.contained !== undefined) return undefined;
  if (caller.kind !== 'user' || !referrers.has(caller.businessFunction ?? '')) return undefined;
  return numberOf(plan);
};

/** The sight in which such a search is answered: everybody's patients, yet no more than the scopes cover. */
export const exactSight = (caller: Caller): Sight => {
  const own = sightOf(caller, 'Patient');
  return own === 'all' || own.narrow === undefined ? 'all' : { keys: [], narrow: { ...own.narrow, anyKey: true } };
};

/**
 * The conditions of a granular scope's search parameters; undefined for a form that cannot be enforced on every path (chains, ranges,
 * modifiers, unknown parameters, and what is no condition, such as _sort).
 *
 * @param parse reads the query of a search on the type; throws a Failure for what it does not know
 */
export const scopeConditions = (
  parse: (query: readonly (readonly [string, string])[]) => { readonly plan: SearchPlan },
  query: string,
): readonly Predicate[] | undefined => {
  const pairs = [...new URLSearchParams(query).entries()];
  let where: readonly Predicate[];
  try {
    ({ where } = parse(pairs).plan);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
  return where.length === pairs.length && where.length > 0 && where.every(isJudged) ? where : undefined;
};

/**
 * A write under a granular scope must itself meet the scope's search parameters.
 *
 * @param values the index values of the resource as it would be stored
 * @throws Failure `forbidden`
 */
export const checkConstraint = (caller: Caller, type: string, values: readonly Value[]): void => {
  const constraint = caller.constraints?.find((candidate) => candidate.type === type);
  if (constraint && !constraint.where.every((predicate) => meets(predicate, values)))
    throw failure('forbidden', 'forbidden', `The scope of the access token covers only ${type}?${constraint.query}`);
};
