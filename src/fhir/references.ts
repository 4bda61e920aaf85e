import type { Key } from './resource.js';

const literal = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?$/;

export type LiteralReference = Key & { readonly version?: string };

/** Reads a relative literal reference, or an absolute one below `baseUrl`; undefined for every other form (R4 references.html). */
export const readReference = (text: string, baseUrl: string): LiteralReference | undefined => {
  const relative = text.startsWith(`${baseUrl}/`) ? text.slice(baseUrl.length + 1) : text;
  const match = literal.exec(relative);
  if (!match?.[1] || !match[2]) return undefined;
  return { type: match[1], id: match[2], ...(match[3] === undefined ? {} : { version: match[3] }) };
};

export type FoundReference = {
  /** FHIRPath with indexes */
  readonly path: string;
  readonly reference: string | undefined;
  readonly identifier: { readonly system?: string; readonly value?: string } | undefined;
  readonly type: string | undefined;
};

const isReference = (value: Readonly<Record<string, unknown>>): boolean =>
  typeof value['reference'] === 'string' ||
  (typeof value['identifier'] === 'object' &&
    value['identifier'] !== null &&
    !Array.isArray(value['identifier']) &&
    Object.keys(value).every((name) => ['identifier', 'type', 'display', 'id', 'extension'].includes(name)));

/** Every Reference of a resource, contained resources included. */
export const findReferences = (value: unknown, path: string, found: FoundReference[] = []): readonly FoundReference[] => {
  if (Array.isArray(value)) value.forEach((item, index) => findReferences(item, `${path}[${String(index)}]`, found));
  else if (typeof value === 'object' && value !== null) {
    const object = value as Readonly<Record<string, unknown>>;
    if (isReference(object))
      found.push({
        path,
        reference: object['reference'] as string | undefined,
        identifier: object['identifier'] as FoundReference['identifier'],
        type: object['type'] as string | undefined,
      });
    for (const name of Object.keys(object)) if (typeof object[name] === 'object') findReferences(object[name], `${path}.${name}`, found);
  }
  return found;
};
