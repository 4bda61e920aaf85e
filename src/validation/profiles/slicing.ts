import type { Walk } from '../walk.js';
import { extensionUrlOf, matcherOf, type Matcher, type MatcherParts } from './discriminators.js';
import type { Item } from './items.js';
import { isNode } from '../walk.js';
import type { ProfileNode } from './tree.js';
import type { ElementRule } from '../shapes.js';
import { capitalized } from '../shapes.js';

export type Slice = {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly matches: Matcher;
  readonly check: (walk: Walk, item: Item) => void;
  readonly inner: Slicing | undefined;
};

export type Slicing = {
  readonly rules: 'open' | 'closed' | 'openAtEnd';
  readonly ordered: boolean;
  readonly slices: readonly Slice[];
};

export type SlicingParts = MatcherParts & {
  readonly compile: (node: ProfileNode, element: ElementRule, path: string) => (walk: Walk, item: Item) => void;
  /** the most that the root of an extension's own definition allows */
  readonly extensionMax: (url: string) => number;
};

const choiceTypeOf = (slice: ProfileNode, element: ElementRule): readonly string[] => {
  const types = slice.facets.type?.map(({ code }) => code);
  if (types !== undefined && types.length > 0) return types;
  return element.types.map(({ code }) => code).filter((code) => slice.name === element.name + capitalized(code));
};

const matcherOfSlice = (slice: ProfileNode, whole: ProfileNode, element: ElementRule, parts: SlicingParts): Matcher => {
  if (element.definition.type?.[0]?.code === 'Extension') {
    const url = extensionUrlOf(slice);
    if (url !== undefined) return (_, { value }) => isNode(value) && value['url'] === url;
  }
  const discriminators = whole.facets.slicing?.discriminator ?? [];
  if (element.choice && discriminators.every(({ path, type }) => path === '$this' && type === 'type')) {
    const types = choiceTypeOf(slice, element);
    return (_, item) => item.type !== undefined && types.includes(item.type.code);
  }
  const tests = discriminators.map((discriminator) => matcherOf(discriminator, slice, parts));
  // without a discriminator that can tell, nothing can be said to belong to the slice
  if (tests.length === 0 || tests.every((test) => test === undefined)) return () => false;
  return (walk, item) => tests.every((test) => test === undefined || test(walk, item));
};

const numberOf = (max: string | undefined): number => (max === undefined || max === '*' ? Infinity : Number(max));

/** The slicing of an element, or of a slice that is sliced again; undefined when it has no slices. */
export const compileSlicing = (node: ProfileNode, element: ElementRule, path: string, parts: SlicingParts): Slicing | undefined => {
  if (node.slices.size === 0 && node.facets.slicing === undefined) return undefined;
  const slices = [...node.slices.values()].map((slice): Slice => {
    const url = element.definition.type?.[0]?.code === 'Extension' ? extensionUrlOf(slice) : undefined;
    const max = numberOf(slice.facets.max);
    return {
      name: slice.name,
      // R4 profiling.html#slice-cardinality: a slice that says no min has 0, whatever the element as a whole has
      min: slice.facets.min ?? 0,
      // an extension beyond its own root max is told once, by the extension's definition
      max: url !== undefined && max > 0 && parts.extensionMax(url) <= max ? Infinity : max,
      matches: matcherOfSlice(slice, node, element, parts),
      check: parts.compile(slice, element, path),
      inner: compileSlicing(slice, element, path, parts),
    };
  });
  return { rules: node.facets.slicing?.rules ?? 'open', ordered: node.facets.slicing?.ordered ?? false, slices };
};

const refuseUnmatched = (walk: Walk, slicing: Slicing, name: string, later: boolean): void => {
  const names = slicing.slices.map((slice) => slice.name).join(', ');
  if (slicing.rules === 'closed') walk.error('structure', `matches none of the slices of ${name}: ${names}`, `closed slicing of ${name}`);
  else if (slicing.rules === 'openAtEnd' && later)
    walk.error('structure', `must stand after the slices of ${name}: ${names}`, `open-at-end slicing of ${name}`);
};

const countFault = (walk: Walk, slice: Slice, count: number, name: string): void => {
  const where = `${name}:${slice.name}`;
  if (count < slice.min)
    walk.error('required', `${where} must occur ${slice.min} times or more, not ${count}`, `slice ${where} min ${slice.min}`);
  if (count > slice.max)
    walk.error(
      'structure',
      slice.max === 0 ? `${where} is not allowed` : `${where} may occur ${slice.max} times, not ${count}`,
      `slice ${where} max ${slice.max}`,
    );
};

/** Sorts items into slices and checks each; `at` puts the walk on an item for the time of a check. */
export const applySlicing = (
  walk: Walk,
  slicing: Slicing,
  items: readonly Item[],
  places: readonly number[] | undefined,
  name: string,
  at: (index: number, check: () => void) => void,
): void => {
  const { slices } = slicing;
  const assigned = items.map((item) => slices.findIndex((slice) => slice.matches(walk, item)));
  const counts = slices.map(() => 0);
  const last = slicing.rules === 'openAtEnd' ? assigned.findLastIndex((slice) => slice >= 0) : -1;
  let furthest = -1;
  for (let place = 0; place < items.length; place++) {
    const index = places?.[place] ?? place;
    const number = assigned[place]!;
    const slice = slices[number];
    if (slice === undefined) {
      if (slicing.rules !== 'open')
        at(index, () => {
          refuseUnmatched(walk, slicing, name, place < last);
        });
      continue;
    }
    // what is beyond the number that is allowed is told as such, and not looked at
    if (++counts[number]! > slice.max) continue;
    at(index, () => {
      if (slicing.ordered && number < furthest) {
        const order = slices.map((each) => each.name).join(', ');
        walk.error('structure', `the slices of ${name} must stand in the order ${order}`, `ordered slicing of ${name}`);
      }
      slice.check(walk, items[place]!);
    });
    furthest = Math.max(furthest, number);
  }
  slices.forEach((slice, number) => {
    countFault(walk, slice, counts[number]!, name);
    if (slice.inner === undefined) return;
    const own = items.flatMap((_, place) => (assigned[place] === number ? [place] : []));
    const within = own.map((place) => places?.[place] ?? place);
    applySlicing(
      walk,
      slice.inner,
      own.map((place) => items[place]!),
      within,
      `${name}:${slice.name}`,
      at,
    );
  });
};
