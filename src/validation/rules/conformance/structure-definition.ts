import type { ElementDefinition, StructureDefinition } from 'fhir/r4.js';
import { bindable } from '../../bindings.js';
import type { Definitions } from '../../definitions.js';
import { isReadable } from '../../invariants/fhirpath.js';
import { capitalized, type Check, type ElementRule, type Shape, type Shapes } from '../../shapes.js';
import { isNode, type Walk } from '../../walk.js';

type Parts = { readonly definitions: Definitions; readonly shapes: () => Shapes };

const bare = (name: string): string => name.replace(/\[x\]$/, '').replace(/:.*$/, '');

/** R4's own elements at a path; undefined where nothing here can tell. */
const rulesAt = (start: Shape, steps: readonly string[]): readonly ElementRule[] | undefined => {
  let shapes: readonly Shape[] = [start];
  let rules: readonly ElementRule[] = [];
  for (const [at, step] of steps.entries()) {
    rules = shapes.flatMap((shape) => shape.elements.get(bare(step)) ?? shape.properties.get(bare(step))?.element ?? []);
    if (rules.length === 0) return [];
    const types = rules.flatMap((rule) => rule.types);
    if (at < steps.length - 1 && types.some(({ shape, primitive }) => shape === undefined && primitive === undefined)) return undefined;
    shapes = types.flatMap(({ shape }) => shape ?? []);
  }
  return rules;
};

// R4 profiling.html: a constraint is of the type, and of the kind, of what it constrains
const checkBase = (walk: Walk, structure: StructureDefinition, { definitions }: Parts): void => {
  const { baseDefinition, derivation, type, kind } = structure;
  if (baseDefinition === undefined) return;
  if (derivation === undefined) {
    walk.error('required', 'what has a base says how it derives from it', 'StructureDefinition.derivation', 'derivation');
    return;
  }
  const base = definitions.findStructure(baseDefinition);
  if (base === undefined || derivation !== 'constraint') return;
  if (type !== base.type) walk.error('invalid', `the base is of type ${base.type}, not ${type}`, 'profiling.html', 'type');
  else if (!base.abstract && kind !== base.kind)
    walk.error('invalid', `the base is of kind ${base.kind}, not ${kind}`, 'profiling.html', 'kind');
};

const extensionBase = 'http://hl7.org/fhir/StructureDefinition/Extension';

const checkExtension = (walk: Walk, { type, context, contextInvariant, url, baseDefinition, differential }: StructureDefinition): void => {
  if (type !== 'Extension') {
    for (const [name, value] of Object.entries({ context, contextInvariant }))
      if (value !== undefined) walk.error('invalid', `only an extension has a ${name}`, `StructureDefinition.${name}`, name);
    return;
  }
  const own = differential?.element.find(({ path, id }) => path === 'Extension.url' && id?.includes(':') !== true);
  if (baseDefinition === extensionBase && own?.fixedUri !== undefined && own.fixedUri !== url)
    walk.error('invalid', `the extension is known as ${url}, and fixes the URL ${own.fixedUri}`, 'Extension.url', 'url');
};

const abstract = new Set(['Resource', 'DomainResource', 'Element', 'BackboneElement', '*']);

/** What an element says that its types cannot have. */
const checkTypes = (walk: Walk, element: ElementDefinition, rules: readonly ElementRule[]): void => {
  const allowed = new Set(rules.flatMap(({ types }) => types.map(({ code }) => code)));
  if (allowed.size === 0 || [...allowed].some((code) => abstract.has(code))) return;
  const given = element.type?.map(({ code }) => code).filter((code) => !code.includes(':')) ?? [];
  const other = given.find((code) => !allowed.has(code) && !(code === 'string' && allowed.has('id')));
  if (other !== undefined) walk.error('invalid', `R4 allows here ${[...allowed].join(', ')}, not ${other}`, 'profiling.html', 'type');
  const types = given.length > 0 ? given : [...allowed];
  const [key] = Object.keys(element).filter((name) => /^(?:fixed|pattern)[A-Z]/.test(name));
  if (key !== undefined && !types.some((type) => key.endsWith(capitalized(type))))
    walk.error('invalid', `${key} is no value of ${types.join(', ')}`, 'ElementDefinition', key.startsWith('fixed') ? 'fixed' : 'pattern');
  if (element.binding !== undefined && !types.some((type) => bindable.has(type) || others.has(type)))
    walk.error('business-rule', `values of ${types.join(', ')} have no code to bind`, 'ElementDefinition.binding', 'binding');
  element.type?.forEach(({ code, targetProfile }, index) => {
    if (targetProfile !== undefined && code !== 'Reference' && code !== 'canonical')
      walk.error('business-rule', `a ${code} refers to nothing`, 'ElementDefinition.type.targetProfile', `type[${index}]`);
  });
};

/** Types that carry no code by themselves, and may be bound: to what they name, or to the code of an extension. */
const others = new Set(['canonical', 'url', 'oid', 'markdown', 'Extension']);

const numberOf = (max: string | undefined): number => (max === undefined || max === '*' ? Infinity : Number(max));

const checkCardinality = (walk: Walk, { min, max, sliceName, id }: ElementDefinition, [rule]: readonly ElementRule[]): void => {
  if (rule === undefined) return;
  // a slice of an element that must be there need not be there itself, and an element inside it is a matter of the slice
  if (min !== undefined && min < rule.min && sliceName === undefined && id?.includes(':') !== true)
    walk.error('invalid', `R4 asks for ${rule.min} at least, not ${min}`, 'profiling.html#cardinality', 'min');
  if (max !== undefined && numberOf(max) > rule.max)
    walk.error('invalid', `R4 allows ${rule.max}, not ${max}`, 'profiling.html#cardinality', 'max');
};

const discriminatorSteps = (path: string): readonly string[] | undefined =>
  /^[\w.$]+$/.test(path) ? path.split('.').filter((step) => step !== '$this') : undefined;

const checkSlicing = (walk: Walk, element: ElementDefinition, rules: readonly ElementRule[], shapes: Shapes): void => {
  const [rule] = rules;
  if (element.slicing === undefined || rule === undefined) return;
  if (!rule.many && !rule.choice && rule.types.length < 2)
    walk.warning('business-rule', `${rule.path} occurs once, and need not be sliced`, 'profiling.html#slicing', 'slicing');
  const starts = rules.flatMap(({ types }) => types).map(({ shape, code }) => shape ?? shapes.find(code));
  if (starts.includes(undefined)) return;
  element.slicing.discriminator?.forEach(({ path }, index) => {
    const steps = discriminatorSteps(path);
    if (steps === undefined || steps.length === 0) return;
    const reached = starts.map((start) => rulesAt(start!, steps));
    if (!reached.every((each) => each?.length === 0)) return;
    walk.path.push('slicing', 'discriminator', index);
    walk.error('invalid', `${rule.path} has no '${path}' to tell its slices by`, 'profiling.html#discriminator', 'path');
    walk.path.length -= 3;
  });
};

const checkElement = (walk: Walk, element: ElementDefinition, type: string, constraining: boolean, parts: Parts): void => {
  const [root, ...steps] = element.path.split('.');
  if (root !== type) {
    walk.error('invalid', `the paths of a definition of ${type} begin with ${type}`, 'ElementDefinition.path', 'path');
    return;
  }
  element.constraint?.forEach(({ expression }, index) => {
    if (expression === undefined || isReadable(expression)) return;
    walk.path.push('constraint', index);
    walk.error('invalid', `'${expression}' is no FHIRPath`, 'ElementDefinition.constraint.expression', 'expression');
    walk.path.length -= 2;
  });
  const shape = parts.shapes().find(type);
  if (steps.length === 0) {
    if (element.slicing !== undefined) walk.error('invalid', 'the root of a profile is not sliced', 'profiling.html#slicing', 'slicing');
    return;
  }
  if (!constraining || shape === undefined) return;
  const rules = rulesAt(shape, steps);
  if (rules === undefined) return;
  if (rules.length === 0) {
    walk.error('invalid', `R4 has no element ${element.path}`, 'ElementDefinition.path', 'path');
    return;
  }
  checkTypes(walk, element, rules);
  checkCardinality(walk, element, rules);
  checkSlicing(walk, element, rules, parts.shapes());
};

/** What R4 structuredefinition.html and profiling.html say of a definition beyond its invariants; it is compared with R4 itself. */
export const structureDefinitionCheck =
  (parts: Parts): Check =>
  (walk, value) => {
    if (!isNode(value)) return;
    const structure = value as unknown as StructureDefinition;
    const before = walk.errors;
    checkBase(walk, structure, parts);
    checkExtension(walk, structure);
    if (walk.errors > before) return;
    structure.differential?.element.forEach((element, index) => {
      walk.path.push('differential', 'element', index);
      checkElement(walk, element, structure.type, structure.derivation === 'constraint', parts);
      walk.path.length -= 3;
    });
  };
