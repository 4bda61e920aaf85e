import { itemsOf, numberOf } from '../../invariants/native.js';
import type { Check } from '../../shapes.js';
import type { LocalCodeSystems } from '../../terminology/code-systems.js';
import { isNode, type Node, type Walk } from '../../walk.js';

/** Every concept of the hierarchy, with the walk on it. */
const eachConcept = (walk: Walk, node: Node, visit: (concept: Node) => void): void => {
  itemsOf(node, 'concept').forEach((concept, index) => {
    walk.path.push('concept', index);
    visit(concept);
    eachConcept(walk, concept, visit);
    walk.path.length -= 2;
  });
};

const codesOf = (node: Node, codes = new Set<unknown>()): ReadonlySet<unknown> => {
  for (const concept of itemsOf(node, 'concept')) {
    codes.add(concept['code']);
    codesOf(concept, codes);
  }
  return codes;
};

const capitalizedTypes: Readonly<Record<string, string>> = {
  ...{ code: 'valueCode', Coding: 'valueCoding', string: 'valueString', integer: 'valueInteger' },
  ...{ boolean: 'valueBoolean', dateTime: 'valueDateTime', decimal: 'valueDecimal' },
};

/** Properties of R4 (codesystem-concept-properties) whose values are codes of the same system. */
const within = new Set(['parent', 'child']);

const checkProperties = (walk: Walk, system: Node, codes: ReadonlySet<unknown>): void => {
  const types = new Map(itemsOf(system, 'property').map(({ code, type }) => [code, type as string]));
  if (types.size === 0) return;
  eachConcept(walk, system, (concept) => {
    itemsOf(concept, 'property').forEach((property, index) => {
      const { code } = property;
      const type = types.get(code);
      const name = type === undefined ? undefined : capitalizedTypes[type];
      walk.path.push('property', index);
      if (name !== undefined && property[name] === undefined && property[`_${name}`] === undefined)
        walk.error('invalid', `the property '${code as string}' has values of type ${type!}`, 'CodeSystem.property.type');
      else if (
        within.has(code as string) &&
        property['valueCode'] !== undefined &&
        system['content'] === 'complete' &&
        !codes.has(property['valueCode'])
      )
        walk.error('code-invalid', `'${property['valueCode'] as string}' is no code of this system`, `property ${code as string}`);
      walk.path.length -= 2;
    });
  });
};

const checkSupplement = (walk: Walk, system: Node, systems: LocalCodeSystems): void => {
  const { supplements, content } = system;
  if (content === 'supplement' && supplements === undefined) {
    walk.error('business-rule', 'a supplement says which code system it supplements', 'CodeSystem.supplements', 'supplements');
    return;
  }
  if (supplements !== undefined && content !== 'supplement')
    walk.error('business-rule', 'what supplements another system has the content supplement', 'CodeSystem.content', 'content');
  const base = typeof supplements === 'string' ? systems.find(supplements) : undefined;
  if (base?.complete !== true) return;
  eachConcept(walk, system, ({ code }) => {
    if (typeof code === 'string' && base.find(code) === undefined)
      walk.error('code-invalid', `${base.url} has no code '${code}'`, 'CodeSystem.supplements', 'code');
  });
};

/** What R4 codesystem.html says of a CodeSystem beyond its invariants. */
export const codeSystemCheck =
  (systems: LocalCodeSystems): Check =>
  (walk, value) => {
    if (!isNode(value)) return;
    const { content, count } = value;
    const codes = codesOf(value);
    const stated = numberOf(count);
    if (content === 'complete' && stated !== undefined && codes.size !== stated)
      walk.error('invalid', `the system is complete with ${stated} concepts, and has ${codes.size}`, 'CodeSystem.count', 'count');
    if (content === 'not-present' && codes.size > 0)
      walk.error('invalid', 'the concepts are said not to be present', 'CodeSystem.content', 'concept');
    checkSupplement(walk, value, systems);
    checkProperties(walk, value, codes);
  };
