import { bindingCheck } from './bindings.js';
import type { Definitions } from './definitions.js';
import type { Finding } from './finding.js';
import { createShapes, type ElementRule } from './shapes.js';
import { createStructureCheck } from './structure.js';
import { createCodeSystems } from './terminology/code-systems.js';
import { createValueSets } from './terminology/value-sets.js';
import { Walk, type Node } from './walk.js';

export type Validator = {
  /** What is wrong with a parsed resource, worst first; `resource` may be anything at all. */
  readonly validate: (resource: unknown) => readonly Finding[];
};

/** Compiles the definitions, each type when it is first met. */
export const createValidator = (definitions: Definitions): Validator => {
  const valueSets = createValueSets(definitions, createCodeSystems(definitions));

  const furnishElement = (element: ElementRule): void => {
    const { binding } = element.definition;
    for (const type of element.types) {
      const url = binding?.valueSet;
      if (url === undefined) continue;
      const check = bindingCheck({ strength: binding!.strength, valueSet: url, codes: () => valueSets.find(url) }, type.code);
      if (check !== undefined) type.checks.push(check);
    }
  };
  const structure = createStructureCheck(createShapes(definitions, { element: furnishElement }));

  return {
    validate: (resource) => {
      const walk = new Walk(resource as Node);
      structure.resource(walk, resource);
      return walk.findings;
    },
  };
};
