import { constants, createReadStream } from 'node:fs';
import { access, mkdir, open, opendir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { havePassed } from './passing.js';
import { TooLarge, type Blobs } from './port.js';

async function* read(file: string): AsyncGenerator<Buffer> {
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    yield chunk;
    havePassed(chunk.length);
  }
}

/**
 * Blobs as files below `directory`, spread over 256 folders; a file appears under its name only when it is whole and synced. Throws when
 * the directory cannot be made or written.
 */
export const openFilesystemBlobs = async (directory: string): Promise<Blobs> => {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await access(directory, constants.W_OK);
  const fileOf = (name: string): string => {
    if (!/^[A-Za-z0-9-]{2,100}(?:\.part)?$/.test(name)) throw new Error('not a blob name');
    return path.join(directory, name.slice(0, 2), name);
  };
  return {
    async write(name, bytes: Readable, limit) {
      const file = fileOf(name);
      await mkdir(path.dirname(file), { recursive: true });
      const part = `${file}.part`;
      const handle = await open(part, 'wx', 0o600);
      let size = 0;
      try {
        // a stream given up is left open: it is the request that the refusal is answered on
        for await (const chunk of bytes.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
          size += chunk.length;
          if (size > limit) throw new TooLarge(`more than ${String(limit)} bytes`);
          await handle.write(chunk);
          havePassed(chunk.length);
        }
        await handle.sync();
        await handle.close();
        await rename(part, file);
        return size;
      } catch (error) {
        await handle.close().catch(() => undefined);
        await rm(part, { force: true });
        throw error;
      }
    },
    async open(name) {
      const file = fileOf(name);
      const found = await stat(file).catch(() => undefined);
      return found ? { bytes: Readable.from(read(file), { objectMode: false }), size: found.size } : undefined;
    },
    async remove(name) {
      await rm(fileOf(name), { force: true });
    },
    async *list() {
      for (const folder of await readdir(directory, { withFileTypes: true })) {
        if (!folder.isDirectory()) continue;
        for await (const file of await opendir(path.join(directory, folder.name))) {
          // one may be removed meanwhile
          const found = await stat(path.join(directory, folder.name, file.name)).catch(() => undefined);
          if (found?.isFile() === true) yield { name: file.name, written: found.mtimeMs };
        }
      }
    },
  };
};
