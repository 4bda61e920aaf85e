import type { ElementDefinition, ElementDefinitionConstraint } from 'fhir/r4.js';
import { isProfile, type Definitions, type Structure } from '../definitions.js';

/**
 * The elements that a profile and the profiles below it constrain, merged, and nothing else. What a profile says narrows what R4
 * says, so R4's own check and this tree together mean what a snapshot would.
 */
export type ProfileNode = {
  /** element name without `[x]`; for a slice the name of the slice */
  readonly name: string;
  /** the facets as the last differential that names them leaves them */
  facets: Partial<ElementDefinition>;
  readonly constraints: ElementDefinitionConstraint[];
  readonly children: Map<string, ProfileNode>;
  readonly slices: Map<string, ProfileNode>;
  /** what the elements that this one is a slice of, or lies in a slice of, say about the same place */
  general: readonly ProfileNode[];
  /** R4 type that a short form such as `valueQuantity` names */
  choiceType?: string;
};

export type ProfileTree = {
  readonly root: ProfileNode;
  /** the R4 type that is constrained */
  readonly type: string;
  /** bases that are not known here, by canonical */
  readonly missing: readonly string[];
};

const createNode = (name: string): ProfileNode => ({
  name,
  facets: {},
  constraints: [],
  children: new Map(),
  slices: new Map(),
  general: [],
});

const childOf = (node: ProfileNode, name: string): ProfileNode => {
  const known = node.children.get(name);
  if (known !== undefined) return known;
  const made = createNode(name);
  node.children.set(name, made);
  return made;
};

/** `a/b` re-slices slice `a` (R4 profiling.html#reslicing). */
const sliceOf = (node: ProfileNode, name: string): ProfileNode => {
  const cut = name.indexOf('/');
  const first = cut < 0 ? name : name.slice(0, cut);
  const slice = node.slices.get(first) ?? createNode(first);
  node.slices.set(first, slice);
  return cut < 0 ? slice : sliceOf(slice, name.slice(cut + 1));
};

/** `value[x]` and `value` name one element. */
const bare = (name: string): string => (name.endsWith('[x]') ? name.slice(0, -3) : name);

/** The ids of a differential; where a foreign one has none, path and sliceName stand in, under the slice that is open. */
const idsOf = (elements: readonly ElementDefinition[]): readonly string[] => {
  let open: { readonly path: string; readonly id: string }[] = [];
  return elements.map((element) => {
    open = open.filter(({ path }) => element.path === path || element.path.startsWith(`${path}.`));
    const parent = open.findLast(({ path }) => path !== element.path);
    const own = parent === undefined ? element.path : parent.id + element.path.slice(parent.path.length);
    const id = element.id ?? (element.sliceName === undefined ? own : `${own}:${element.sliceName}`);
    if (element.sliceName !== undefined) open.push({ path: element.path, id });
    return id;
  });
};

const merge = (node: ProfileNode, element: ElementDefinition): void => {
  const { id: _id, path: _path, sliceName: _sliceName, constraint, ...facets } = element;
  node.facets = { ...node.facets, ...facets };
  for (const added of constraint ?? [])
    if (!node.constraints.some(({ key, expression }) => key === added.key && expression === added.expression)) node.constraints.push(added);
};

const place = (root: ProfileNode, id: string): ProfileNode =>
  id
    .split('.')
    .slice(1)
    .reduce((node, step) => {
      const [name = '', ...slice] = step.split(':');
      const child = childOf(node, bare(name));
      return slice.length === 0 ? child : sliceOf(child, slice.join(':'));
    }, root);

/** A slice may be told by a value that only the unsliced element gives: component:a.code.coding:b by component.code.coding:b.system. */
const link = (node: ProfileNode, general: readonly ProfileNode[]): void => {
  node.general = general;
  for (const [name, child] of node.children)
    link(
      child,
      general.flatMap((each) => each.children.get(name) ?? []),
    );
  for (const [name, slice] of node.slices) link(slice, [...general.flatMap((each) => each.slices.get(name) ?? []), node, ...general]);
};

const elementsOf = (structure: Structure): readonly ElementDefinition[] =>
  structure.differential?.element ?? structure.snapshot?.element ?? [];

/** Merges a profile with the profiles that it is based on, down to the R4 type. */
export const mergeProfile = (definitions: Definitions, profile: Structure): ProfileTree => {
  const chain: Structure[] = [];
  const missing: string[] = [];
  for (let at: Structure | undefined = profile; at !== undefined && isProfile(at) && !chain.includes(at);) {
    chain.unshift(at);
    const base: string = at.baseDefinition ?? '';
    at = definitions.findStructure(base);
    if (at === undefined) missing.push(base);
  }
  const root = createNode(profile.type);
  for (const structure of chain) {
    const elements = elementsOf(structure);
    const ids = idsOf(elements);
    elements.forEach((element, index) => {
      merge(place(root, ids[index]!), element);
    });
  }
  link(root, []);
  return { root, type: profile.type, missing };
};
