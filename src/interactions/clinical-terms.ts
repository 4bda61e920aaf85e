import { systems } from '../domain/codes.js';
import { isSnomedConcept } from '../validation/terminology/snomed.js';
import type { House } from './house.js';

/** R4 snomedct.html#implicit: every concept of the edition that a terminology server has. */
const allConcepts = `${systems.snomed}?fhir_vs`;

/**
 * False for what has not the form of a concept of SNOMED CT, and for what a terminology server, where there is one, says is none. Without
 * its word a code of the right form counts as known: SNOMED CT itself is not here.
 */
export const knowsTerm = async ({ terminologyServer }: Pick<House, 'terminologyServer'>, code: string): Promise<boolean> => {
  if (!isSnomedConcept(code)) return false;
  if (terminologyServer === undefined) return true;
  const question = { valueSet: allConcepts, system: systems.snomed, code };
  return (await terminologyServer.ask([question])).find(question) !== 'out';
};
