import { failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';
import type { Shapes, TypeShape } from '../fhir/shapes.js';
import type { Entry } from './entries.js';

/** What a link becomes; undefined leaves it as it is. `isReference` is false for uri, url, oid and uuid elements and for narratives. */
export type Relink = (link: string, isReference: boolean) => string | undefined;

const linking = new Set(['uri', 'url', 'oid', 'uuid']);

/**
 * The resource with its links to other entries replaced: in References, in elements of type uri, url, oid and uuid, and in href and src
 * of the narrative, but not in canonicals (R4 http.html#trules).
 */
export const relinked = (resource: Resource, shapes: Shapes, relink: Relink): Resource => {
  const shape = shapes(resource.resourceType);
  return shape ? (treeOf(resource, shape, shapes, relink) as Resource) : resource;
};

type Tree = Readonly<Record<string, unknown>>;

const treeOf = (tree: Tree, shape: TypeShape, shapes: Shapes, relink: Relink): Tree =>
  Object.fromEntries(
    Object.entries(tree).map(([name, value]) => {
      if (name === 'resourceType') return [name, value];
      const row = shape.byName.get(name.replace(/^_/, ''));
      if (!row) return [name, value];
      const isReference = shape.name === 'Reference' && name === 'reference';
      const one = (item: unknown): unknown => valueOf(item, name.startsWith('_') ? 'Element' : row.type, isReference, shapes, relink);
      return [name, Array.isArray(value) ? value.map(one) : one(value)];
    }),
  );

const valueOf = (value: unknown, type: string, isReference: boolean, shapes: Shapes, relink: Relink): unknown => {
  if (typeof value === 'string') {
    if (type === 'xhtml')
      return value.replace(/(\s(?:href|src)=")([^"]*)(?=")/g, (_, head: string, link: string) => head + (relink(link, false) ?? link));
    return isReference || linking.has(type) ? (relink(value, isReference) ?? value) : value;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const own = (value as { readonly resourceType?: unknown }).resourceType;
  const shape = shapes(type === 'Resource' && typeof own === 'string' ? own : type);
  return shape && shape.kind !== 'primitive' ? treeOf(value as Tree, shape, shapes, relink) : value;
};

const restful = /^(https?:\/\/.+\/)([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64})$/;

/** R4 bundle.html#references: a relative reference counts from the base of its own entry's fullUrl. */
export const absoluteFor = (entry: Entry, reference: string): string => {
  const base = /^[A-Z][A-Za-z]+\//.test(reference) ? restful.exec(entry.fullUrl ?? '')?.[1] : undefined;
  return base === undefined ? reference : base + reference;
};

const conditional = /^([A-Z][A-Za-z]+)\?(.+)$/;

/** The criteria of a conditional reference such as `Patient?identifier=...`; undefined for every other form. */
export const readConditional = (reference: string): { readonly type: string; readonly criteria: string } | undefined => {
  const match = conditional.exec(reference);
  return match?.[1] !== undefined && match[2] !== undefined ? { type: match[1], criteria: match[2] } : undefined;
};

/** Every reference of the resource as it stands. */
export const referencesIn = (resource: Resource, shapes: Shapes): readonly string[] => {
  const found: string[] = [];
  relinked(resource, shapes, (link, isReference) => {
    if (isReference) found.push(link);
    return undefined;
  });
  return found;
};

/** Throws unless every fullUrl stands once: a reference to one that stands twice could mean either. */
export const refuseRepeated = (entries: readonly Entry[]): void => {
  const seen = new Set<string>();
  entries.forEach(({ fullUrl }, index) => {
    if (fullUrl === undefined) return;
    if (seen.has(fullUrl))
      throw failure('invalid', 'duplicate', `${fullUrl} is the fullUrl of two entries.`, {
        expression: [`Bundle.entry[${String(index)}].fullUrl`],
      });
    seen.add(fullUrl);
  });
};
