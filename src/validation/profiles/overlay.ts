import { isProfile, type Definitions, type Structure } from '../definitions.js';
import type { ElementRule, Shape, Shapes } from '../shapes.js';
import type { CodeSet } from '../terminology/value-sets.js';
import { isNode, type Node, type Walk } from '../walk.js';
import { facetChecks, type FacetParts } from './facets.js';
import { itemsOf, nodeOf, shapeOf, type Item } from './items.js';
import { applySlicing, compileSlicing, type Slicing, type SlicingParts } from './slicing.js';
import { mergeProfile, type ProfileNode } from './tree.js';

type ItemCheck = (walk: Walk, item: Item) => void;

/** A profile compiled to checks of what it adds to R4. */
export type Overlay = {
  readonly structure: Structure;
  readonly label: string;
  /** min and max of the root: of an extension, how often it may stand in one place */
  readonly max: number;
  readonly missing: readonly string[];
  readonly apply: (walk: Walk, item: Item) => void;
  readonly root: ProfileNode;
};

export type Overlays = {
  /** undefined when the canonical is not known here, or names a type and no profile */
  readonly find: (canonical: string) => Overlay | undefined;
  readonly apply: (walk: Walk, item: Item, canonical: string) => void;
  readonly conforms: (walk: Walk, item: Item, canonical: string) => boolean;
  readonly parts: FacetParts;
};

type ElementCheck = (walk: Walk, node: NonNullable<ReturnType<typeof nodeOf>>) => void;

/** A profile may ask for itself inside itself; no instance of use goes deeper than this. */
const deepestProfile = 30;

export const createOverlays = (definitions: Definitions, shapes: Shapes, codes: (valueSet: string) => CodeSet | undefined): Overlays => {
  const made = new Map<string, Overlay | undefined>();
  let depth = 0;

  const apply = (walk: Walk, item: Item, canonical: string): void => {
    const overlay = find(canonical);
    if (overlay === undefined || depth >= deepestProfile) return;
    depth++;
    walk.under(overlay.label, () => {
      overlay.apply(walk, item);
    });
    depth--;
  };

  const conforms = (walk: Walk, item: Item, canonical: string): boolean => {
    const type = definitions.findStructure(canonical)?.type;
    const own = shapeOf(item, shapes.find);
    if (type !== undefined && own !== undefined && !own.ancestry.includes(type)) return false;
    return isNode(item.value) && item.value['resourceType'] !== undefined
      ? conformsOnce(walk, item, item.value, canonical)
      : walk.passes(() => {
          apply(walk, item, canonical);
        });
  };

  /** References may lead round in a circle, and many may lead to one resource: it conforms unless it is found that it does not. */
  const conformsOnce = (walk: Walk, item: Item, resource: Node, canonical: string): boolean => {
    const known = walk.conforming.get(resource) ?? new Map<string, boolean>();
    walk.conforming.set(resource, known);
    const before = known.get(canonical);
    if (before !== undefined) return before;
    known.set(canonical, true);
    const passed = walk.passes(() => {
      apply(walk, item, canonical);
    });
    known.set(canonical, passed);
    return passed;
  };

  const facetParts: FacetParts = { definitions, codes, applyProfile: apply, conforms };

  const compileNode = (node: ProfileNode, element: ElementRule | undefined, path: string): ItemCheck => {
    const checks = facetChecks(node, path, facetParts);
    if (node.children.size === 0) {
      if (checks.length === 1) return checks[0]!;
      return (walk, item) => {
        for (const check of checks) check(walk, item);
      };
    }
    const byShape = new Map<Shape, readonly ElementCheck[]>();
    return (walk, item) => {
      const before = walk.errors;
      for (const check of checks) check(walk, item);
      // a fixed value or pattern that is not met says all that its parts could say
      if (walk.errors > before) return;
      const shape = shapeOf(item, shapes.find);
      const holder = nodeOf(item);
      if (shape === undefined || (holder === undefined && element === undefined)) return;
      let children = byShape.get(shape);
      if (children === undefined) byShape.set(shape, (children = compileChildren(node, shape)));
      for (const child of children) child(walk, holder ?? {});
    };
  };

  const compileChildren = (node: ProfileNode, shape: Shape): readonly ElementCheck[] =>
    [...node.children.values()].flatMap((child) => {
      const element = shape.elements.get(child.name);
      if (element !== undefined) return [compileElement(child, element, shape)];
      // the short form valueQuantity: a slice of value[x] by its type
      const property = shape.properties.get(child.name);
      if (property === undefined || property.sibling) return [];
      const slice: ProfileNode = { ...child, facets: { ...child.facets, type: child.facets.type ?? [{ code: property.type.code }] } };
      const whole: ProfileNode = {
        name: property.element.name,
        facets: {},
        constraints: [],
        children: new Map(),
        slices: new Map([[child.name, slice]]),
        general: [],
      };
      return [compileElement(whole, property.element, shape)];
    });

  const compileElement = (node: ProfileNode, element: ElementRule, shape: Shape): ElementCheck => {
    const path = element.types.length === 1 ? element.path : element.path.replace('[x]', '');
    const check = compileNode(node, element, path);
    const slicing = compileSlicing(node, element, path, slicingParts);
    const idle = node.children.size === 0 && node.constraints.length === 0 && facetChecks(node, path, facetParts).length === 0;
    const min = node.facets.min ?? 0;
    const max = node.facets.max === undefined || node.facets.max === '*' ? Infinity : Number(node.facets.max);
    return (walk, holder) => {
      const items = itemsOf(holder, element);
      // what R4 itself asks has been told by its own check
      if (items.length < min && items.length >= element.min)
        walk.error(
          'required',
          `${shape.path}.${element.name} must occur ${min} times or more, not ${items.length}`,
          `min ${min}`,
          element.name,
        );
      if (items.length > max && max < element.max) tooMany(walk, element, max, items.length, shape);
      else if (items.length > 0 || (slicing !== undefined && items.length >= min))
        checkItems(walk, element, items, idle ? undefined : check, slicing);
    };
  };

  const tooMany = (walk: Walk, { name }: ElementRule, max: number, count: number, { path }: Shape): void => {
    walk.error(
      'structure',
      max === 0 ? `${path}.${name} is not allowed` : `${path}.${name} may occur ${max} times, not ${count}`,
      `max ${max}`,
      name,
    );
  };

  const checkItems = (
    walk: Walk,
    element: ElementRule,
    items: readonly Item[],
    check: ItemCheck | undefined,
    slicing: Slicing | undefined,
  ): void => {
    walk.path.push(element.name);
    walk.rules.push(element);
    const at = (index: number, run: () => void): void => {
      if (element.many) walk.path.push(index);
      run();
      if (element.many) walk.path.pop();
    };
    if (check !== undefined)
      items.forEach((item, index) => {
        at(index, () => {
          check(walk, item);
        });
      });
    if (slicing !== undefined) applySlicing(walk, slicing, items, undefined, element.name, at);
    walk.path.pop();
    walk.rules.pop();
  };

  const slicingParts: SlicingParts = {
    definitions,
    shapes,
    codes,
    conforms,
    compile: (node, element, path) => compileNode({ ...node, facets: { ...node.facets } }, element, path),
    extensionMax: (url) => find(url)?.max ?? Infinity,
  };

  const compile = (structure: Structure): Overlay => {
    const { root, missing, type } = mergeProfile(definitions, structure);
    let check: ItemCheck | undefined;
    return {
      structure,
      label: structure.version === undefined ? structure.url : `${structure.url}|${structure.version}`,
      max: root.facets.max === undefined || root.facets.max === '*' ? Infinity : Number(root.facets.max),
      missing,
      apply: (walk, item) => {
        (check ??= compileNode({ ...root, facets: {} }, undefined, type))(walk, item);
      },
      root,
    };
  };

  const find = (canonical: string): Overlay | undefined => {
    if (made.has(canonical)) return made.get(canonical);
    const structure = definitions.findStructure(canonical);
    const overlay = structure !== undefined && isProfile(structure) ? compile(structure) : undefined;
    made.set(canonical, overlay);
    return overlay;
  };

  return { find, apply, conforms, parts: facetParts };
};
