import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';

/** The resources of one FHIR NPM package, and the name and version that its package.json gives. */
export type Package = { readonly name: string; readonly resources: readonly unknown[] };

type File = { readonly name: string; readonly text: string };

const wanted = (name: string): boolean =>
  name.endsWith('.json') && !name.split('/').some((part) => part === 'example' || part === 'examples');

const largestFile = 64 * 1024 * 1024;

const filesOfArchive = async (file: string): Promise<readonly File[]> => {
  const files: File[] = [];
  const unpack = extract();
  createReadStream(file)
    .on('error', (error) => {
      unpack.destroy(error);
    })
    .pipe(createGunzip())
    .on('error', (error) => {
      unpack.destroy(error);
    })
    .pipe(unpack);
  for await (const entry of unpack) {
    const { name, size } = entry.header;
    if (size > largestFile) throw new Error(`${name} is larger than ${String(largestFile)} bytes`);
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    if (wanted(name)) files.push({ name, text: Buffer.concat(chunks).toString('utf8') });
  }
  return files;
};

const filesOfFolder = async (folder: string): Promise<readonly File[]> => {
  const names = (await readdir(folder, { recursive: true })).filter((name) => wanted(name.replaceAll('\\', '/')));
  return Promise.all(names.map(async (name) => ({ name, text: await readFile(path.join(folder, name), 'utf8') })));
};

const parse = ({ name, text }: File): unknown => {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown;
  } catch {
    throw new Error(`${name} is not JSON`);
  }
};

const isNamed = (value: unknown): value is { readonly name: string; readonly version?: string } =>
  typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string';

/** Reads a `.tgz` or an unpacked folder; throws an Error that names the package and the file that cannot be read. */
export const readPackage = async (place: string): Promise<Package> => {
  try {
    const files = (await stat(place)).isDirectory() ? await filesOfFolder(place) : await filesOfArchive(place);
    const manifest = files.find(({ name }) => /(^|\/)package\.json$/.test(name));
    const about = manifest === undefined ? undefined : parse(manifest);
    return {
      name: isNamed(about) ? `${about.name}#${about.version ?? '?'}` : path.basename(place),
      resources: files.filter((file) => file !== manifest && !file.name.endsWith('.index.json')).map(parse),
    };
  } catch (error) {
    throw new Error(`the package ${path.basename(place)} cannot be read: ${error instanceof Error ? error.message : 'unknown error'}`, {
      cause: error,
    });
  }
};

/** Every package of a folder, in the order of their names; a folder that is itself a package is one. */
export const readPackages = async (folder: string): Promise<readonly Package[]> => {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => {
    throw new Error(`PROFILE_PACKAGES names no folder: ${folder}`);
  });
  if (entries.some((entry) => entry.name === 'package.json')) return [await readPackage(folder)];
  const places = entries
    .filter((entry) => entry.isDirectory() || entry.name.endsWith('.tgz'))
    .map((entry) => path.join(folder, entry.name))
    .sort();
  return Promise.all(places.map(readPackage));
};
