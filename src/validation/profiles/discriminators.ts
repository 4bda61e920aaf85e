import type { ElementDefinitionSlicingDiscriminator } from 'fhir/r4.js';
import { isProfile, type Definitions } from '../definitions.js';
import { resolveReference } from '../references.js';
import type { Shapes } from '../shapes.js';
import type { CodeSet } from '../terminology/value-sets.js';
import { isNode, type Walk } from '../walk.js';
import { itemsOf, nodeOf, shapeOf, type Item } from './items.js';
import { mergeProfile, type ProfileNode } from './tree.js';
import { equals, facetValue, holds } from './values.js';

/** Whether an item belongs to a slice. */
export type Matcher = (walk: Walk, item: Item) => boolean;

export type MatcherParts = {
  readonly definitions: Definitions;
  readonly shapes: Shapes;
  readonly codes: (valueSet: string) => CodeSet | undefined;
  /** whether an item conforms to a profile; true when the profile is not known here */
  readonly conforms: (walk: Walk, item: Item, profile: string) => boolean;
};

type Step = { readonly kind: 'child' | 'extension' | 'ofType' | 'resolve'; readonly name: string };

/** R4 profiling.html#discriminator: a restricted FHIRPath of children, extension(url), resolve() and ofType(). */
const stepsOf = (path: string): readonly Step[] =>
  [...path.matchAll(/(\w+)(?:\(\s*(?:'([^']*)'|([\w.]*))\s*\))?/g)].flatMap(([text, name = '', quoted, word]): readonly Step[] => {
    if (text === 'this' || name === 'this') return [];
    if (!text.includes('(')) return [{ kind: 'child', name }];
    if (name === 'resolve') return [{ kind: 'resolve', name: '' }];
    if (name === 'extension') return [{ kind: 'extension', name: quoted ?? '' }];
    return name === 'ofType' || name === 'as' ? [{ kind: 'ofType', name: word ?? quoted ?? '' }] : [];
  });

const follow = (walk: Walk, item: Item, step: Step, shapes: Shapes): readonly Item[] => {
  if (step.kind === 'ofType') return item.type?.code === step.name || resourceTypeOf(item) === step.name ? [item] : [];
  if (step.kind === 'resolve') return resolved(walk, item);
  const node = nodeOf(item);
  const shape = shapeOf(item, shapes.find);
  if (node === undefined || shape === undefined) return [];
  if (step.kind === 'child') {
    const element = shape.elements.get(step.name) ?? shape.properties.get(step.name)?.element;
    return element === undefined ? [] : itemsOf(node, element);
  }
  const extension = shape.elements.get('extension');
  if (extension === undefined) return [];
  return itemsOf(node, extension).filter(({ value }) => isNode(value) && value['url'] === step.name);
};

const resourceTypeOf = ({ value }: Item): unknown => (isNode(value) ? value['resourceType'] : undefined);

const resolved = (walk: Walk, { value }: Item): readonly Item[] => {
  const reference = isNode(value) ? value['reference'] : value;
  const target = typeof reference === 'string' ? resolveReference(walk.frame, reference) : undefined;
  return target === undefined ? [] : [{ value: target.resource, sibling: undefined, type: undefined }];
};

/** Whether something at the end of a path passes a test; without a list at every step, for a body may have a million items to sort. */
const someAt = (
  walk: Walk,
  item: Item,
  steps: readonly Step[],
  shapes: Shapes,
  test: (walk: Walk, item: Item) => boolean,
  at = 0,
): boolean => {
  const step = steps[at];
  if (step === undefined) return test(walk, item);
  for (const next of follow(walk, item, step, shapes)) if (someAt(walk, next, steps, shapes, test, at + 1)) return true;
  return false;
};

/** What a slice demands at the end of a discriminator's path, from the nodes that say something about it. */
type Demand = { readonly nodes: readonly ProfileNode[]; readonly patterns: readonly unknown[] };

const partAt = (value: unknown, steps: readonly Step[]): readonly unknown[] =>
  steps.reduce<readonly unknown[]>(
    (values, { kind, name }) =>
      kind !== 'child' ? values : values.flatMap((each) => (isNode(each) && each[name] !== undefined ? [each[name]].flat() : [])),
    [value],
  );

const demandAt = (start: readonly ProfileNode[], steps: readonly Step[], parts: MatcherParts): Demand => {
  const patterns: unknown[] = [];
  let nodes = start;
  steps.forEach((step, index) => {
    for (const node of nodes) {
      const value = facetValue(node.facets, 'fixed') ?? facetValue(node.facets, 'pattern');
      if (value !== undefined) patterns.push(...partAt(value, steps.slice(index)));
    }
    nodes = nodes.flatMap((node) => below(node, step, parts));
  });
  return { nodes, patterns };
};

const profileRoots = (profiles: readonly string[], { definitions }: MatcherParts): readonly ProfileNode[] =>
  profiles.flatMap((url) => {
    const structure = definitions.findStructure(url);
    return structure !== undefined && isProfile(structure) ? [mergeProfile(definitions, structure).root] : [];
  });

const below = (node: ProfileNode, step: Step, parts: MatcherParts): readonly ProfileNode[] => {
  const types = node.facets.type ?? [];
  if (step.kind === 'resolve')
    return [
      node,
      ...profileRoots(
        types.flatMap(({ targetProfile }) => targetProfile ?? []),
        parts,
      ),
    ];
  if (step.kind === 'ofType') return [node, ...node.slices.values()];
  const from = [
    node,
    ...profileRoots(
      types.flatMap(({ profile }) => profile ?? []),
      parts,
    ),
  ];
  if (step.kind === 'child')
    return from.flatMap((each) => {
      const child = each.children.get(step.name);
      // a value that every item must have may be demanded of a slice of it: coding:loinc.system
      return child === undefined ? [] : [child, ...[...child.slices.values()].filter(({ facets }) => (facets.min ?? 0) > 0)];
    });
  return from.flatMap((each) =>
    [...(each.children.get('extension')?.slices.values() ?? [])].filter((slice) => extensionUrlOf(slice) === step.name),
  );
};

/** The URL by which a slice of `extension` is found (R4 profiling.html#slicing: extensions are sliced by url without saying so). */
export const extensionUrlOf = (slice: ProfileNode): string | undefined => {
  const fixed = facetValue(slice.children.get('url')?.facets ?? {}, 'fixed');
  if (typeof fixed === 'string') return fixed;
  return slice.facets.type?.[0]?.profile?.[0]?.split('|')[0];
};

const valueTest = (demand: Demand, parts: MatcherParts): ((item: Item) => boolean) | undefined => {
  if (demand.patterns.length > 0) return ({ value }) => demand.patterns.some((pattern) => holds(value, pattern));
  for (const node of demand.nodes) {
    const test = nodeTest(node, parts);
    if (test !== undefined) return test;
  }
  return undefined;
};

const nodeTest = (node: ProfileNode, parts: MatcherParts): ((item: Item) => boolean) | undefined => {
  const fixed = facetValue(node.facets, 'fixed');
  if (fixed !== undefined) return ({ value }) => equals(value, fixed);
  const pattern = facetValue(node.facets, 'pattern');
  if (pattern !== undefined) return ({ value }) => holds(value, pattern);
  const { binding } = node.facets;
  if (binding?.strength === 'required' && binding.valueSet !== undefined) {
    const url = binding.valueSet;
    return ({ value }) => isIn(value, parts.codes(url));
  }
  const inner = [...node.children].flatMap(([name, child]) => {
    const test = nodeTest(child, parts);
    return test === undefined ? [] : [{ name, test }];
  });
  if (inner.length === 0) return undefined;
  return (item) =>
    inner.every(({ name, test }) => {
      const shape = shapeOf(item, parts.shapes.find);
      const element = shape?.elements.get(name);
      const holder = nodeOf(item);
      return element !== undefined && holder !== undefined && itemsOf(holder, element).some(test);
    });
};

const isIn = (value: unknown, codes: CodeSet | undefined): boolean => {
  if (codes === undefined) return false;
  if (typeof value === 'string') return codes.membership(undefined, value) === 'in';
  if (!isNode(value)) return false;
  if (Array.isArray(value['coding'])) return value['coding'].some((coding) => isIn(coding, codes));
  return typeof value['code'] === 'string' && codes.membership(value['system'] as string | undefined, value['code']) !== 'out';
};

const typeTest = (nodes: readonly ProfileNode[], target: boolean, parts: MatcherParts): ((item: Item) => boolean) | undefined => {
  const types = nodes.map(({ facets }) => facets.type).find((type) => type !== undefined);
  if (types === undefined) return undefined;
  const codes = target
    ? types.flatMap(({ targetProfile }) => (targetProfile ?? []).map((url) => parts.definitions.findStructure(url)?.type))
    : types.map(({ code }) => code);
  return (item) => codes.includes((resourceTypeOf(item) ?? item.type?.code) as string);
};

const profileTest = (nodes: readonly ProfileNode[], target: boolean, parts: MatcherParts): Matcher | undefined => {
  const types = nodes.flatMap(({ facets }) => facets.type ?? []);
  const profiles = types.flatMap(({ profile, targetProfile }) => (target ? targetProfile : profile) ?? []);
  if (profiles.length === 0) return undefined;
  return (walk, item) => profiles.some((profile) => parts.conforms(walk, item, profile));
};

/**
 * The test of one discriminator for one slice; undefined when the slice demands nothing there. What the unsliced elements demand
 * holds for every slice.
 */
export const matcherOf = (
  discriminator: ElementDefinitionSlicingDiscriminator,
  slice: ProfileNode,
  parts: MatcherParts,
): Matcher | undefined => {
  const steps = stepsOf(discriminator.path);
  const target = steps.at(-1)?.kind === 'resolve';
  const { nodes, patterns } = demandAt([slice, ...slice.general], steps, parts);
  const reaching =
    (test: Matcher): Matcher =>
    (walk, item) =>
      someAt(walk, item, steps, parts.shapes, test);
  if (discriminator.type === 'exists') {
    const must = !nodes.some(({ facets }) => facets.max === '0');
    const exists = reaching(() => true);
    return (walk, item) => exists(walk, item) === must;
  }
  if (discriminator.type === 'profile') {
    const test = profileTest(target ? demandAt([slice], steps.slice(0, -1), parts).nodes : nodes, target, parts);
    return test && reaching(test);
  }
  const test =
    discriminator.type === 'type'
      ? typeTest(target ? demandAt([slice], steps.slice(0, -1), parts).nodes : nodes, target, parts)
      : valueTest({ nodes, patterns }, parts);
  return test && reaching((_, item) => test(item));
};
