import type { SearchParameter } from 'fhir/r4.js';
import { itemsOf } from '../../invariants/native.js';
import { isReadable } from '../../invariants/fhirpath.js';
import type { Check } from '../../shapes.js';
import { isNode } from '../../walk.js';

/** R4 searchparameter.html: a composite has its parts, and an expression can be read. */
export const searchParameterCheck: Check = (walk, value) => {
  if (!isNode(value)) return;
  const { type, expression } = value;
  if (type === 'composite' && itemsOf(value, 'component').length < 2)
    walk.error('business-rule', 'a composite parameter has two components or more', 'SearchParameter.component', 'component');
  // the resource is R4 all the same: it is its meaning that cannot be read
  if (typeof expression === 'string' && !isReadable(expression))
    walk.under('SearchParameter', () => {
      walk.error('invalid', `'${expression}' is no FHIRPath`, 'SearchParameter.expression', 'expression');
    });
};

/** R4 capabilitystatement.html: a parameter has the type that its definition gives it. */
export const capabilityStatementCheck = (parameters: readonly SearchParameter[]): Check => {
  let types: ReadonlyMap<unknown, string> | undefined;
  return (walk, value) => {
    if (!isNode(value)) return;
    types ??= new Map(parameters.map(({ url, type }) => [url, type]));
    itemsOf(value, 'rest').forEach((rest, at) => {
      itemsOf(rest, 'resource').forEach((resource, place) => {
        itemsOf(resource, 'searchParam').forEach(({ definition, type }, index) => {
          const known = types?.get(definition);
          if (known === undefined || known === type) return;
          walk.path.push('rest', at, 'resource', place, 'searchParam', index);
          walk.error('invalid', `${definition as string} is of type ${known}`, 'CapabilityStatement.rest.resource.searchParam', 'type');
          walk.path.length -= 6;
        });
      });
    });
  };
};
