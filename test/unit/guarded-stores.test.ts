import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { openFilesystemBlobs } from '../../src/blobs/filesystem.js';
import { readDatabaseUrl } from '../../src/store/mssql/database-url.js';

describe('documents', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'documents-'));
  const directory = path.join(root, 'documents');
  afterAll(() => {
    rmSync(root, { recursive: true });
  });
  const modeOf = (file: string): number => statSync(file).mode & 0o777;

  it('are readable to the server’s own user alone', async () => {
    const blobs = await openFilesystemBlobs(directory);
    await blobs.write('ab-1', Readable.from([Buffer.from('letter')]), 100);
    expect([modeOf(directory), modeOf(path.join(directory, 'ab', 'ab-1'))]).toEqual([0o700, 0o600]);
  });
  it.each(['../secret', 'ab/../../secret', 'ab\0', '/etc/passwd', 'a', '..', 'ab.jwk', 'ä-1'])('%j is no name of one', async (name) => {
    writeFileSync(path.join(root, 'secret'), 'key');
    const blobs = await openFilesystemBlobs(directory);
    await expect(blobs.open(name)).rejects.toThrow('not a blob name');
    await expect(blobs.remove(name)).rejects.toThrow('not a blob name');
    await expect(blobs.write(name, Readable.from([]), 1)).rejects.toThrow('not a blob name');
  });
  it('are whole or not there', async () => {
    const blobs = await openFilesystemBlobs(directory);
    const broken = async function* (): AsyncGenerator<Buffer> {
      yield await Promise.resolve(Buffer.from('half'));
      throw new Error('cut off');
    };
    await expect(blobs.write('ab-2', Readable.from(broken()), 100)).rejects.toThrow('cut off');
    await expect(blobs.write('ab-3', Readable.from([Buffer.alloc(101)]), 100)).rejects.toThrow();
    expect(readdirSync(path.join(directory, 'ab'))).toEqual(['ab-1']);
  });
});

describe('the link to SQL Server', () => {
  it('is encrypted, to a server whose certificate is checked, unless the URL says otherwise', () => {
    const { options, user, password } = readDatabaseUrl('mssql://me:p%40ss@db.example/referrals');
    expect([user, password]).toEqual(['me', 'p@ss']);
    expect(options).toMatchObject({ encrypt: true, trustServerCertificate: false });
    expect(readDatabaseUrl('mssql://me:x@db/r?encrypt=false').options).toMatchObject({ encrypt: false });
  });
  it.each(['mssql://me:hush@db', 'mssql://me:hush@db/r?encrypt=perhaps', 'mssql://me:hush@db/r?poolMax=many', 'mssql:me:hush'])(
    'a fault of %s is told without the password',
    (url) => {
      expect(() => readDatabaseUrl(url)).toThrow(/^(?!.*hush)DATABASE_URL/);
    },
  );
});
