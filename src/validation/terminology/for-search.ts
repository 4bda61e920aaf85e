import type { Code, Terminology } from '../../fhir/search/terminology.js';
import type { Definitions } from '../definitions.js';
import { createCodeSystems } from './code-systems.js';
import { createValueSets } from './value-sets.js';

/** The code lists of the definitions as searches ask for them: only what is known here whole is answered. */
export const createSearchTerminology = (definitions: Definitions): Terminology => {
  const systems = createCodeSystems(definitions);
  const valueSets = createValueSets(definitions, systems);
  return {
    expand: (url) => {
      const set = valueSets.find(url);
      if (!set?.enumerated) return undefined;
      return [...set.codes].flatMap(([system, codes]) => [...codes.keys()].map((code): Code => ({ system, code })));
    },
    systems: (url) => {
      const set = valueSets.find(url);
      return set?.enumerated ? [...set.codes.keys()] : undefined;
    },
    related: ({ system, code }, direction) => {
      const known = systems.find(system);
      if (!known?.find(code)) return undefined;
      const all = [...known.codes()].map((concept) => concept.code);
      const kept = all.filter((other) => (direction === 'below' ? known.isA(other, code) : known.isA(code, other)));
      return kept.map((found): Code => ({ system, code: found }));
    },
  };
};
