import { isNode, type Frame, type Node } from './walk.js';

/** A resource that a reference points to, with the frame that its own references start from. */
export type Target = { readonly resource: Node; readonly frame: Frame };

const entriesOf = (bundle: Node): readonly Node[] => (Array.isArray(bundle['entry']) ? (bundle['entry'] as unknown[]).filter(isNode) : []);

/** The entries of a Bundle by fullUrl, made once for each Bundle. */
const indexes = new WeakMap<Node, ReadonlyMap<string, readonly Node[]>>();

const indexOf = (bundle: Node): ReadonlyMap<string, readonly Node[]> => {
  const known = indexes.get(bundle);
  if (known !== undefined) return known;
  const index = new Map<string, Node[]>();
  for (const entry of entriesOf(bundle)) {
    const { fullUrl } = entry;
    if (typeof fullUrl !== 'string') continue;
    const same = index.get(fullUrl);
    if (same === undefined) index.set(fullUrl, [entry]);
    else same.push(entry);
  }
  indexes.set(bundle, index);
  return index;
};

const relative = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?$/;

/** The base of a RESTful fullUrl: what stands before `Type/id`. */
const baseOf = (fullUrl: string): string | undefined => /^(.*\/)[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/.exec(fullUrl)?.[1];

/** The entries of the Bundle that a reference means (R4 bundle.html#references). */
export const findEntries = (bundle: Node, from: Node | undefined, reference: string): readonly Node[] => {
  const [target = '', version] = (reference.split('#')[0] ?? '').split('/_history/');
  const fullUrl = from?.['fullUrl'];
  const base = typeof fullUrl === 'string' && relative.test(target) ? baseOf(fullUrl) : undefined;
  const found = indexOf(bundle).get(base === undefined ? target : base + target) ?? [];
  if (version === undefined) return found;
  return found.filter(({ resource }) => isNode(resource) && isNode(resource['meta']) && resource['meta']['versionId'] === version);
};

type ContainedIndex = { readonly length: number; readonly byId: ReadonlyMap<string, Node> };

const containedIndexes = new WeakMap<object, ContainedIndex>();

const nothingContained: ReadonlyMap<string, Node> = new Map();

/** The contained resources of a resource by id, the first where several have it; made once for each list. */
export const containedOf = ({ contained }: Node): ReadonlyMap<string, Node> => {
  if (!Array.isArray(contained)) return nothingContained;
  const known = containedIndexes.get(contained);
  if (known?.length === contained.length) return known.byId;
  const byId = new Map<string, Node>();
  for (const resource of contained as readonly unknown[])
    if (isNode(resource) && typeof resource['id'] === 'string' && !byId.has(resource['id'])) byId.set(resource['id'], resource);
  containedIndexes.set(contained, { length: contained.length, byId });
  return byId;
};

/** The resource that a reference means, when the resource in hand or its Bundle holds it. */
export const resolveReference = (frame: Frame, reference: string): Target | undefined => {
  if (reference === '#') return { resource: frame.container, frame: { ...frame, resource: frame.container } };
  if (reference.startsWith('#')) {
    const resource = containedOf(frame.container).get(reference.slice(1));
    return resource === undefined ? undefined : { resource, frame: { ...frame, resource } };
  }
  if (frame.bundle === undefined) return undefined;
  const entry = findEntries(frame.bundle, frame.entry, reference)[0];
  const resource = entry?.['resource'];
  return isNode(resource) ? { resource, frame: { resource, container: resource, entry, bundle: frame.bundle } } : undefined;
};

const typed = /(?:^|\/)([A-Z][A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/[A-Za-z0-9\-.]{1,64})?(?:#.*)?$/;

/** The type of the resource that a Reference points to; undefined when nothing says it. */
export const targetTypeOf = (frame: Frame, node: Node): string | undefined => {
  const { reference, type } = node;
  if (typeof reference === 'string') {
    const resource = resolveReference(frame, reference)?.resource;
    if (typeof resource?.['resourceType'] === 'string') return resource['resourceType'];
    // R4 references.html#literal: only a URL with `Type/id` says its type
    const match = reference.startsWith('urn:') || reference.includes('?') ? undefined : typed.exec(reference)?.[1];
    if (match !== undefined) return match;
  }
  return typeof type === 'string' ? type.slice(type.lastIndexOf('/') + 1) : undefined;
};
