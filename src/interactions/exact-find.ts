import { exactNumber, exactSight } from '../access/narrow-plan.js';
import { foundClaim, spentTries, triesAllowed, tryClaim } from '../domain/referral/found-patient.js';
import type { SearchPlan, Sight, Stored } from '../store/port.js';
import { Taken, type Claim } from '../store/port.js';
import type { Call, House } from './house.js';

type Asked = { readonly plan: SearchPlan; readonly sight: Sight };

/** Counts a try before anything is looked for; undefined when the caller has none left. */
const takeTry = async (house: House, { caller }: Call, number: string): Promise<readonly Claim[] | undefined> => {
  const now = house.clock();
  const spent = await spentTries(house.store.findClaim.bind(house.store), caller, number, now);
  const keys = new Set(spent.map(({ key }) => key));
  for (let n = 0; n < triesAllowed; n++) {
    const own = tryClaim(caller, number, n, house.newId(), now);
    if (keys.has(own.key)) continue;
    try {
      await house.store.commit({ claims: [own] });
      return [...spent, own];
    } catch (error) {
      if (!(error instanceof Taken)) throw error;
    }
  }
  return undefined;
};

const firstOf = async (house: House, plan: SearchPlan, sight: Sight): Promise<Stored | undefined> =>
  (await house.store.search({ type: plan.type, where: plan.where, sort: [], count: 1 }, sight)).rows[0];

/**
 * A referrer finds any patient whose NHS number and birth date it knows, both exactly: before the first referral it has no other
 * relationship to somebody who is not registered with its practice. For an hour it may then refer him. Birth dates cannot be tried out:
 * after a few misses with a number the search sees what every other one does.
 *
 * @returns the patient whom the search may show; undefined for every other search, and for patients whom the caller sees anyway
 */
export const findExactly = async (
  house: House,
  call: Call,
  { plan, sight }: Asked,
): Promise<{ readonly patient: Stored; readonly sight: Sight } | undefined> => {
  const number = exactNumber(call.caller, plan);
  if (number === undefined || (await firstOf(house, plan, sight)) !== undefined) return undefined;
  const tries = await takeTry(house, call, number);
  const everybody = exactSight(call.caller);
  const patient = tries && (await firstOf(house, plan, everybody));
  if (!patient) return undefined;
  await house.store.commit({ claims: [foundClaim(call.caller, patient.id, house.clock())], releases: tries });
  return { patient, sight: everybody };
};
