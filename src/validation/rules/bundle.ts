import { itemsOf } from '../invariants/native.js';
import { findEntries } from '../references.js';
import { isNode, type Node, type Walk } from '../walk.js';

const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/;
const restful = /^https?:\/\/.*\/([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})$/;

// R4 bundle.html#bundle-unique: the fullUrl is absolute, and agrees with the id of the resource
const checkFullUrl = (walk: Walk, { fullUrl, resource }: Node): void => {
  if (typeof fullUrl !== 'string') return;
  if (!absolute.test(fullUrl)) {
    walk.error('value', `the fullUrl must be absolute, not '${fullUrl}'`, 'Bundle.entry.fullUrl', 'fullUrl');
    return;
  }
  const match = restful.exec(fullUrl);
  const id = isNode(resource) ? resource['id'] : undefined;
  if (match !== null && typeof id === 'string' && match[2] !== id)
    walk.error('invalid', `the fullUrl ends in another id than the resource has, '${id}'`, 'Bundle.entry.fullUrl', 'fullUrl');
};

const searchedType = (bundle: Node): string | undefined => {
  const self = itemsOf(bundle, 'link').find(({ relation }) => relation === 'self')?.['url'];
  return typeof self === 'string' ? /(?:^|\/)([A-Z][A-Za-z]+)(?:\?|$)/.exec(self)?.[1] : undefined;
};

// R4 bundle.html#searchset
const checkResult = (walk: Walk, entry: Node, searched: string | undefined): void => {
  const { resource, search } = entry;
  if (!isNode(resource) || resource['resourceType'] === 'OperationOutcome') return;
  if (resource['id'] === undefined)
    walk.error('required', 'the resources of a search result have ids', 'Bundle.type searchset', 'resource');
  const mode = isNode(search) ? search['mode'] : undefined;
  if (searched !== undefined && (mode === undefined || mode === 'match') && resource['resourceType'] !== searched)
    walk.error(
      'invalid',
      `a search for ${searched} does not match a ${resource['resourceType'] as string}`,
      'Bundle.type searchset',
      'resource',
    );
};

const relations = new Set(['self', 'first', 'previous', 'prev', 'next', 'last']);

const checkLinks = (walk: Walk, bundle: Node): void => {
  const seen = new Set<unknown>();
  for (const { relation } of itemsOf(bundle, 'link')) {
    if (relations.has(relation as string) && seen.has(relation))
      walk.error('invalid', `there is more than one link '${relation as string}'`, 'Bundle.link', 'link');
    seen.add(relation);
  }
};

// R4 documents.html#content: what these elements of the Composition refer to is in the Bundle
const documentElements = ['subject', 'encounter', 'author', 'attester', 'custodian', 'section', 'entry', 'focus', 'party'];

const checkDocumentReferences = (walk: Walk, bundle: Node, entry: Node, node: Node): void => {
  for (const name of documentElements) {
    const value = node[name];
    if (value === undefined) continue;
    walk.path.push(name);
    (Array.isArray(value) ? value : [value]).forEach((item: unknown, index) => {
      if (!isNode(item)) return;
      if (Array.isArray(value)) walk.path.push(index);
      const { reference } = item;
      if (typeof reference === 'string' && !reference.startsWith('#')) {
        const found = findEntries(bundle, entry, reference).length;
        if (found === 0) walk.error('not-found', `the document has no entry '${reference}'`, 'documents.html#content');
        if (found > 1) walk.error('invalid', `the document has ${found} entries '${reference}'`, 'documents.html#content');
      }
      checkDocumentReferences(walk, bundle, entry, item);
      if (Array.isArray(value)) walk.path.pop();
    });
    walk.path.pop();
  }
};

/** What R4 says of Bundles beyond their invariants; on each Bundle, also inside another. */
export const checkBundle = (walk: Walk, bundle: Node): void => {
  const searched = bundle['type'] === 'searchset' ? searchedType(bundle) : undefined;
  checkLinks(walk, bundle);
  itemsOf(bundle, 'entry').forEach((entry, index) => {
    walk.path.push('entry', index);
    checkFullUrl(walk, entry);
    if (bundle['type'] === 'searchset') checkResult(walk, entry, searched);
    const { resource } = entry;
    if (bundle['type'] === 'document' && index === 0 && isNode(resource)) {
      walk.path.push('resource');
      checkDocumentReferences(walk, bundle, entry, resource);
      walk.path.pop();
    }
    walk.path.pop();
    walk.path.pop();
  });
};
