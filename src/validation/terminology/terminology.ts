import type { Definitions } from '../definitions.js';
import { createCodeSystems, type LocalCodeSystems } from './code-systems.js';
import { createValueSets, type ValueSets } from './value-sets.js';

/** The code systems and value sets of the definitions, as far as they can be told here. */
export type Terminology = { readonly systems: LocalCodeSystems; readonly valueSets: ValueSets };

export const createTerminology = (definitions: Definitions): Terminology => {
  const systems = createCodeSystems(definitions);
  return { systems, valueSets: createValueSets(definitions, systems) };
};
