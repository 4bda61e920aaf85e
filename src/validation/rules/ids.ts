import { itemsOf } from '../invariants/native.js';
import type { Check } from '../shapes.js';
import { isNode, type Node, type Walk } from '../walk.js';

/** R4 element.html#id: the id of an element is its own within the resource. ElementDefinitions have theirs in two lists. */
export const checkElementId = (walk: Walk, { id }: Node): void => {
  const { resource } = walk.frame;
  if (typeof id !== 'string' || resource['resourceType'] === 'StructureDefinition') return;
  const ids = walk.elementIds.get(resource);
  if (ids === undefined) walk.elementIds.set(resource, new Set([id]));
  else if (ids.has(id)) walk.error('duplicate', `another element of the resource has the id '${id}' too`, 'element.html#id', 'id');
  else ids.add(id);
};

/** R4 references.html#contained: an id by which each contained resource can be referred to. */
export const containedCheck: Check = (walk, resource) => {
  if (!isNode(resource) || resource['contained'] === undefined) return;
  const ids = new Set<unknown>();
  itemsOf(resource, 'contained').forEach(({ id }, index) => {
    walk.path.push('contained', index);
    if (id === undefined) walk.error('required', 'a contained resource has an id, for references to it', 'references.html#contained', 'id');
    else if (ids.has(id))
      walk.error('duplicate', `another contained resource has the id '${id as string}' too`, 'references.html#contained', 'id');
    walk.path.length -= 2;
    ids.add(id);
  });
};

/** R4 resource.html#security: the security labels of a resource are a set. */
export const metaCheck: Check = (walk, meta) => {
  if (!isNode(meta) || meta['security'] === undefined) return;
  const labels = new Set<string>();
  itemsOf(meta, 'security').forEach(({ system, code }) => {
    const label = `${String(system)}|${String(code)}`;
    if (labels.has(label)) walk.error('duplicate', `the security label '${label}' is there twice`, 'resource.html#security', 'security');
    labels.add(label);
  });
};
