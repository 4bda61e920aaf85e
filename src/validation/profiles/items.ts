import type { ElementRule, Shape, TypeRule } from '../shapes.js';
import { isNode, type Node } from '../walk.js';

/** One value of an element, with what JSON keeps beside it. */
export type Item = {
  /** undefined for a primitive that has only id or extensions */
  readonly value: unknown;
  /** the `_name` object of a primitive */
  readonly sibling: Node | undefined;
  /** undefined where any resource may stand */
  readonly type: TypeRule | undefined;
};

const single = (value: unknown, sibling: unknown, type: TypeRule): Item => ({
  value: value ?? undefined,
  sibling: isNode(sibling) ? sibling : undefined,
  type,
});

const nothing: readonly Item[] = [];

/** The values of an element in an object. */
export const itemsOf = (node: Node, element: ElementRule): readonly Item[] => {
  // the most of all elements: one type, one value
  if (element.keys.length === 1 && !element.many) {
    const type = element.types[0]!;
    const value = node[element.name];
    const sibling = type.primitive === undefined ? undefined : node[element.siblings[0]!];
    return value === undefined && sibling === undefined ? nothing : [single(value, sibling, type)];
  }
  for (let at = 0; at < element.keys.length; at++) {
    const key = element.keys[at]!;
    const type = element.types[at] ?? element.types[0]!;
    const value = node[key];
    const sibling = type.primitive === undefined ? undefined : node[element.siblings[at]!];
    if (value === undefined && sibling === undefined) continue;
    if (!element.many) return [single(value, sibling, type)];
    const values: readonly unknown[] = Array.isArray(value) ? value : [];
    const siblings: readonly unknown[] = Array.isArray(sibling) ? sibling : [];
    const length = Math.max(values.length, siblings.length);
    return Array.from({ length }, (_, index) => single(values[index], siblings[index], type));
  }
  return [];
};

/** The object whose children are the element's: the value, or the sibling of a primitive. */
export const nodeOf = ({ value, sibling }: Item): Node | undefined => (isNode(value) ? value : sibling);

/** The shape of an item's children; of a resource it depends on the resource. */
export const shapeOf = (item: Item, find: (type: string) => Shape | undefined): Shape | undefined => {
  if (item.type?.primitive !== undefined) return find('Element');
  if (item.type?.shape !== undefined) return item.type.shape;
  const type = isNode(item.value) ? item.value['resourceType'] : undefined;
  return typeof type === 'string' ? find(type) : undefined;
};
