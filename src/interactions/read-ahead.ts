import type { QueryParser } from '../fhir/search/parse.js';
import { kinIn } from './hierarchies.js';
import type { Call, House } from './house.js';
import type { Query } from './query.js';
import { storedValueSets } from './stored-value-sets.js';

/** What the parser, which reads nothing, must be told of what a query names: value sets and hierarchies that are kept here. */
export const readAhead = async (house: House, call: Call, query: Query): Promise<Omit<Parameters<QueryParser>[2], 'lenient'>> => {
  const valueSets = await storedValueSets(house, call, query);
  const kin = await kinIn(house, call, query);
  return { ...(valueSets ? { valueSets } : {}), ...(kin ? { kin } : {}) };
};
