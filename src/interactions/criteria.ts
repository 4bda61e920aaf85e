import { narrowPlan } from '../access/narrow-plan.js';
import { checkInteraction, sightOf } from '../access/policy.js';
import { failure, type Failure } from '../fhir/outcome.js';
import type { SearchPlan, Sight, Stored } from '../store/port.js';
import type { Call, House } from './house.js';
import { queryOf } from './query.js';
import { readAhead } from './read-ahead.js';

/** The matches of a conditional interaction, as far as they decide it: none, the one, or that there are several. */
export type Matched = {
  readonly plan: CriteriaPlan;
  readonly one: Stored | undefined;
  readonly several: boolean;
};

type CriteriaPlan = SearchPlan & { readonly sight: Sight };

/**
 * The search by the criteria of a conditional interaction (R4 http.html#ccreate, #cond-update, #cdelete), narrowed to what the caller may
 * see. Criteria without a filter would mean every resource: they are refused. `source` names the header or parameter they came in.
 */
export const criteriaPlan = async (house: House, call: Call, type: string, criteria: string, source: string): Promise<CriteriaPlan> => {
  checkInteraction(call.caller, type, 's');
  const query = queryOf(criteria.replace(/^\?/, ''));
  const parsed = house.parseQuery(type, query, { lenient: false, ...(await readAhead(house, call, query)) });
  if (parsed.plan.contained !== undefined)
    throw failure('invalid', 'not-supported', 'A conditional interaction is about no contained resource.', { expression: ['_contained'] });
  if (parsed.plan.where.length === 0)
    throw failure('invalid', 'required', 'The criteria of a conditional interaction need a search parameter.', { expression: [source] });
  return { ...narrowPlan(call.caller, parsed.plan), sort: [], count: 2, sight: sightOf(call.caller, type) };
};

/** What such a search finds in the store. */
export const matchesOf = async (house: House, call: Call, type: string, criteria: string, source: string): Promise<Matched> => {
  const plan = await criteriaPlan(house, call, type, criteria, source);
  const { rows } = await house.store.search(plan, plan.sight);
  return { plan, one: rows.length === 1 ? rows[0] : undefined, several: rows.length > 1 };
};

/** R4 http.html#ccreate: several matches are a failed precondition. */
export const severalMatches = (type: string, source: string): Failure =>
  failure('precondition', 'multiple-matches', `Several resources of type ${type} match the criteria.`, { expression: [source] });
