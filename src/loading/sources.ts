import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseSentJson } from '../fhir/json.js';
import { Failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';

/** Where a resource stands: a file, and for Bundles and NDJSON which entry or line (from 1) of it. */
export type Place = { readonly file: string; readonly entry?: number; readonly line?: number };
export type Found = { readonly place: Place; readonly resource: Resource };
/** A file, line or entry that is no resource. */
export type Unreadable = { readonly place: Place; readonly reason: string };

export const placeText = ({ file, entry, line }: Place): string =>
  file + (line === undefined ? '' : `, line ${String(line)}`) + (entry === undefined ? '' : `, entry ${String(entry)}`);

/** The files below a folder (.json, .ndjson), sorted by name so that a load can be repeated; a file stands for itself. */
export const filesOf = async (name: string): Promise<readonly string[]> => {
  const found = await stat(name).catch(() => undefined);
  if (!found) throw new Error(`there is no file or folder ${name}`);
  if (!found.isDirectory()) return [name];
  const entries = await readdir(name, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && /\.(json|ndjson)$/i.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
};

const reasonOf = (error: unknown): string =>
  error instanceof Failure
    ? error.issues.map(({ text, diagnostics }) => [text, diagnostics].filter(Boolean).join(' ')).join('; ')
    : String(error);

const isResource = (value: unknown): value is Resource =>
  typeof value === 'object' && value !== null && typeof (value as { resourceType?: unknown }).resourceType === 'string';

function* unfold(text: string, place: Place): Generator<Found | Unreadable> {
  let value: unknown;
  try {
    value = parseSentJson(text);
  } catch (error) {
    yield { place, reason: reasonOf(error) };
    return;
  }
  if (!isResource(value)) yield { place, reason: 'This is no FHIR resource: it has no resourceType.' };
  else if (value.resourceType === 'Bundle') yield* entriesOf(value, place);
  else yield { place, resource: value };
}

function* entriesOf(bundle: Resource, place: Place): Generator<Found | Unreadable> {
  const entries = Array.isArray(bundle['entry']) ? (bundle['entry'] as readonly { resource?: unknown; fullUrl?: unknown }[]) : [];
  const ids = new Map(entries.flatMap(({ resource, fullUrl }) => localName(resource, fullUrl)));
  for (const [index, { resource, fullUrl }] of entries.entries()) {
    const at = { ...place, entry: index + 1 };
    if (resource === undefined) continue;
    if (!isResource(resource)) yield { place: at, reason: 'The entry’s resource has no resourceType.' };
    else {
      const id = resource.id ?? (typeof fullUrl === 'string' ? ids.get(fullUrl)?.split('/')[1] : undefined);
      yield { place: at, resource: { ...(pointed(resource, ids) as Resource), ...(id === undefined ? {} : { id }) } };
    }
  }
}

/** The name by which other entries of the Bundle mean this one (R4 bundle.html#references), and its reference once loaded. */
const localName = (resource: unknown, fullUrl: unknown): readonly (readonly [string, string])[] => {
  if (!isResource(resource) || typeof fullUrl !== 'string') return [];
  const id = resource.id ?? /^urn:uuid:([0-9a-f-]{36})$/i.exec(fullUrl)?.[1];
  return id === undefined ? [] : [[fullUrl, `${resource.resourceType}/${id}`]];
};

/** The value with its references to other entries' full URLs made into references to what is loaded. */
const pointed = (value: unknown, ids: ReadonlyMap<string, string>): unknown => {
  if (Array.isArray(value)) return value.map((item) => pointed(item, ids));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      (name === 'reference' || name === 'url') && typeof item === 'string' ? (ids.get(item) ?? item) : pointed(item, ids),
    ]),
  );
};

/** The resources of files, one after the other: a resource a file, a Bundle of any type, or NDJSON read line by line. */
export async function* readSources(files: readonly string[]): AsyncGenerator<Found | Unreadable> {
  for (const file of files) {
    if (!/\.ndjson$/i.test(file)) {
      yield* unfold(await readFile(file, 'utf8'), { file });
      continue;
    }
    let line = 0;
    for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      line++;
      if (text.trim() !== '') yield* unfold(text, { file, line });
    }
  }
}
