import { itemsOf } from '../invariants/native.js';
import { findEntries } from '../references.js';
import { isNode, type Node, type Walk } from '../walk.js';

type Visit = (node: Node) => void;

/** Every Reference below a value, with the walk on it. */
const eachReference = (walk: Walk, value: unknown, visit: Visit): void => {
  if (Array.isArray(value))
    value.forEach((item: unknown, index) => {
      walk.path.push(index);
      eachReference(walk, item, visit);
      walk.path.pop();
    });
  else if (isNode(value)) {
    if (typeof value['reference'] === 'string') visit(value);
    for (const name in value) {
      const child = value[name];
      if (typeof child !== 'object' || child === null) continue;
      walk.path.push(name);
      eachReference(walk, child, visit);
      walk.path.pop();
    }
  }
};

const relative = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/|#|$)/;

/** Entries whose resource has the type and id of a relative reference, whatever their fullUrl. */
const namesakes = (bundle: Node): ReadonlySet<string> =>
  new Set(
    itemsOf(bundle, 'entry').flatMap(({ resource }) =>
      isNode(resource) && typeof resource['id'] === 'string' ? [`${resource['resourceType'] as string}/${resource['id']}`] : [],
    ),
  );

type Resolving = {
  readonly bundle: Node;
  readonly names: ReadonlySet<string>;
  /** what a document holds, in the words of a message */
  readonly whole: string;
  readonly rule: string;
};

/** The entry that a reference of an entry means; faults are told where the reference must resolve, or seems to and does not. */
const resolve = (
  walk: Walk,
  entry: Node,
  reference: string,
  must: boolean,
  { bundle, names, whole, rule }: Resolving,
): Node | undefined => {
  if (reference.startsWith('#')) return undefined;
  const found = findEntries(bundle, entry, reference);
  if (found.length > 1) walk.error('invalid', `the ${whole} has ${found.length} entries '${reference}'`, rule);
  if (found.length > 0) return found[0];
  const [, type, id] = relative.exec(reference) ?? [];
  const namesake = type !== undefined && names.has(`${type}/${id ?? ''}`);
  // R4 bundle.html#references: a relative reference means the entry whose fullUrl begins as that of its own entry does
  if (namesake)
    walk.error('invalid', `by its fullUrl no entry is '${reference}', though one has that type and id`, 'bundle.html#references');
  else if (must) walk.error('not-found', `the ${whole} has no entry '${reference}'`, rule);
  return undefined;
};

// R4 documents.html#content: what these elements of the Composition refer to is in the Bundle
const inDocument = ['subject', 'encounter', 'author', 'attester', 'custodian', 'event', 'section'];

/** Joins the entries that refer to each other, in whichever direction. */
const createGroups = (count: number) => {
  const parents = Array.from({ length: count }, (_, index) => index);
  const rootOf = (index: number): number => {
    let root = index;
    while (parents[root] !== root) root = parents[root]!;
    for (let at = index; at !== root;) {
      const next = parents[at]!;
      parents[at] = root;
      at = next;
    }
    return root;
  };
  return {
    join: (a: number, b: number): void => {
      parents[rootOf(a)] = rootOf(b);
    },
    together: (a: number, b: number): boolean => rootOf(a) === rootOf(b),
  };
};

const checkEntries = (walk: Walk, bundle: Node, must: readonly string[], resolving: Omit<Resolving, 'bundle' | 'names'>) => {
  const parts: Resolving = { bundle, names: namesakes(bundle), ...resolving };
  const entries = itemsOf(bundle, 'entry');
  const places = new Map(entries.map((entry, index) => [entry, index]));
  const groups = createGroups(entries.length);
  entries.forEach((entry, index) => {
    const { resource } = entry;
    if (!isNode(resource)) return;
    walk.path.push('entry', index, 'resource');
    for (const name in resource) {
      walk.path.push(name);
      eachReference(walk, resource[name], ({ reference }) => {
        const target = resolve(walk, entry, reference as string, index === 0 && must.includes(name), parts);
        if (target !== undefined) groups.join(index, places.get(target)!);
      });
      walk.path.pop();
    }
    walk.path.length -= 3;
  });
  return groups;
};

/** R4 documents.html: the Composition, what it refers to, and what is tied to these; nothing else. */
export const checkDocument = (walk: Walk, bundle: Node): void => {
  const rule = 'documents.html#content';
  const groups = checkEntries(walk, bundle, inDocument, { whole: 'document', rule });
  itemsOf(bundle, 'entry').forEach(({ resource }, index) => {
    if (!isNode(resource) || index === 0 || groups.together(0, index)) return;
    walk.path.push('entry', index);
    walk.error('invalid', 'nothing leads from the Composition to this entry, nor from it to what the document holds', rule);
    walk.path.length -= 2;
  });
};

/** R4 messaging.html: what the MessageHeader is about is in the Bundle. */
export const checkMessage = (walk: Walk, bundle: Node): void => {
  checkEntries(walk, bundle, ['focus'], { whole: 'message', rule: 'MessageHeader.focus' });
};
