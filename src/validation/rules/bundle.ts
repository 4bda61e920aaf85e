import { itemsOf } from '../invariants/native.js';
import type { Check, Shapes } from '../shapes.js';
import { isNode, type Node, type Walk } from '../walk.js';
import { checkDocument, checkMessage } from './document.js';

const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/;
const restful = /^https?:\/\/.*\/([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})$/;

const rule = 'bundle.html#bundle-unique';

/** Kinds of Bundle in which an entry may do without a fullUrl (R4 bundle.html#bundle-unique). */
const unnamed = new Set(['transaction', 'transaction-response', 'batch', 'batch-response']);

// R4 bundle.html#bundle-unique: the fullUrl is absolute, and agrees with the type and the id of the resource
const checkFullUrl = (walk: Walk, { fullUrl, resource }: Node, kind: unknown, shapes: Shapes): void => {
  if (fullUrl === undefined) {
    if (isNode(resource) && typeof kind === 'string' && !unnamed.has(kind))
      walk.error('required', `each entry of a ${kind} has a fullUrl, the identity of its resource`, rule, 'fullUrl');
    return;
  }
  if (typeof fullUrl !== 'string') return;
  if (!absolute.test(fullUrl)) {
    walk.error('value', `the fullUrl must be absolute, not '${fullUrl}'`, rule, 'fullUrl');
    return;
  }
  const [, type = '', id] = restful.exec(fullUrl) ?? [];
  if (id === undefined || !isNode(resource) || shapes.find(type)?.resource !== true) return;
  if (type !== resource['resourceType'])
    walk.error('invalid', `the fullUrl is that of a ${type}, and the resource is a ${resource['resourceType'] as string}`, rule, 'fullUrl');
  else if (typeof resource['id'] === 'string' && resource['id'] !== id)
    walk.error('invalid', `the fullUrl ends in another id than the resource has, '${resource['id']}'`, rule, 'fullUrl');
  // what a transaction creates has no id yet
  else if (resource['id'] === undefined && !unnamed.has(kind as string))
    walk.error('invalid', 'the fullUrl ends in an id, and the resource has none', rule, 'fullUrl');
};

/** The types that a search was for, as the self link says them; empty when it does not. */
const searchedTypes = (bundle: Node, shapes: Shapes): readonly string[] => {
  const self = itemsOf(bundle, 'link').find(({ relation }) => relation === 'self')?.['url'];
  if (typeof self !== 'string') return [];
  const [path = '', query] = self.split('?');
  const type = path.slice(path.lastIndexOf('/') + 1);
  if (shapes.find(type)?.resource === true) return [type];
  return /(?:^|&)_type=([^&]*)/.exec(query ?? '')?.[1]?.split(',') ?? [];
};

// R4 bundle.html#searchset
const checkResult = (walk: Walk, { resource, search }: Node, searched: readonly string[]): void => {
  const mode = isNode(search) ? search['mode'] : undefined;
  if (!isNode(resource)) {
    walk.error('required', 'each entry of a search result has a resource', 'Bundle.type searchset', 'resource');
    return;
  }
  const type = resource['resourceType'] as string;
  if (mode === 'outcome' && type !== 'OperationOutcome')
    walk.error('invalid', `an entry of mode outcome has an OperationOutcome, not a ${type}`, 'Bundle.type searchset', 'resource');
  if (type === 'OperationOutcome') return;
  if (resource['id'] === undefined)
    walk.error('required', 'the resources of a search result have ids', 'Bundle.type searchset', 'resource');
  if (searched.length > 0 && (mode === undefined || mode === 'match') && !searched.includes(type))
    walk.error('invalid', `a search for ${searched.join(', ')} does not match a ${type}`, 'Bundle.type searchset', 'resource');
};

const paging = new Set(['first', 'previous', 'prev', 'next', 'last']);

// IANA link relations, as R4 bundle.html#searchset and http.html#paging use them
const checkLinks = (walk: Walk, bundle: Node): void => {
  const { type } = bundle;
  const paged = type === 'searchset' || type === 'history';
  const seen = new Set<unknown>();
  itemsOf(bundle, 'link').forEach(({ relation }, index) => {
    walk.path.push('link', index);
    if (!paged && paging.has(relation as string))
      walk.error('invalid', `a ${type as string} has no pages, and no link '${relation as string}'`, 'Bundle.link', 'relation');
    else if ((relation === 'self' || paging.has(relation as string)) && seen.has(relation))
      walk.error('invalid', `there is more than one link '${relation as string}'`, 'Bundle.link', 'relation');
    walk.path.pop();
    walk.path.pop();
    seen.add(relation);
  });
};

/** What R4 says of Bundles beyond their invariants; on each Bundle, also inside another. */
export const bundleCheck =
  (shapes: () => Shapes): Check =>
  (walk, value) => {
    if (!isNode(value)) return;
    const kind = value['type'];
    const searched = kind === 'searchset' ? searchedTypes(value, shapes()) : [];
    checkLinks(walk, value);
    itemsOf(value, 'entry').forEach((entry, index) => {
      walk.path.push('entry', index);
      checkFullUrl(walk, entry, kind, shapes());
      if (kind === 'searchset') checkResult(walk, entry, searched);
      walk.path.pop();
      walk.path.pop();
    });
    if (kind === 'document') checkDocument(walk, value);
    if (kind === 'message') checkMessage(walk, value);
  };
