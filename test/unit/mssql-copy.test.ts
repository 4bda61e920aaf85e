/** A readable copy of a SQL Server: what it answers, what is asked of the primary instead, and what becomes of both when opening fails. */
import { readsOfCopy } from '../../src/store/mssql/copy-reads.js';
import { Database, type Row } from '../../src/store/mssql/database.js';
import { openMssqlStore } from '../../src/store/mssql/mssql-store.js';
import { Unavailable, type Reader } from '../../src/store/port.js';

const claimed = (owner: string): Pick<Reader, 'findClaim'> => ({
  findClaim: (kind, key) => Promise.resolve({ kind, key, owner }),
});
const failing = (error: Error, asked: string[]): Pick<Reader, 'findClaim'> => ({
  findClaim: (_kind, key) => {
    asked.push(key);
    return Promise.reject(error);
  },
});
const ownerOf = async (reader: Reader, key = 'k') => (await reader.findClaim('slot', key))?.owner;

describe('reads of a copy', () => {
  const primary = claimed('primary') as Reader;

  it('are answered by it while it answers', async () => {
    expect(await ownerOf(readsOfCopy(claimed('copy') as Reader, primary))).toBe('copy');
  });

  it('are answered by the primary when it does not, which is tried again only after some seconds', async () => {
    let now = 0;
    const asked: string[] = [];
    const reads = readsOfCopy(failing(new Unavailable('gone'), asked) as Reader, primary, () => now);
    expect(await ownerOf(reads, 'first')).toBe('primary');
    now = 4999;
    expect(await ownerOf(reads, 'soon')).toBe('primary');
    now = 5000;
    expect(await ownerOf(reads, 'later')).toBe('primary');
    expect(asked).toEqual(['first', 'later']);
  });

  it('fail as they failed when the copy answered that they cannot be', async () => {
    const reads = readsOfCopy(failing(new RangeError('the position of another search'), []) as Reader, primary);
    await expect(ownerOf(reads)).rejects.toThrow(RangeError);
  });
});

describe('a store with a copy', () => {
  /** Databases by the host of their URL; each tells when it is closed. */
  const databases = (answers: Readonly<Record<string, (text: string) => Promise<readonly Row[]>>>) => {
    const closed: string[] = [];
    jest.spyOn(Database, 'open').mockImplementation((url) => {
      const { hostname } = new URL(url);
      const read = answers[hostname];
      if (!read) return Promise.reject(new Unavailable(`${hostname} does not answer`));
      const close = () => Promise.resolve(void closed.push(hostname));
      const again = <T>(task: () => Promise<T>) => task();
      return Promise.resolve({ read, close, again, execute: () => Promise.resolve() } as unknown as Database);
    });
    return closed;
  };
  /** a migrated database in which every claim is owned by `owner` */
  const owned =
    (owner: string, copyUnderWay = false) =>
    (text: string): Promise<readonly Row[]> => {
      if (text.includes('object_id')) return Promise.resolve([{ id: copyUnderWay ? 7 : null }]);
      return Promise.resolve(text.includes('from claim') ? [{ owner, expires: null }] : []);
    };
  const gone = () => Promise.reject(new Unavailable('gone'));
  const options = { url: 'mssql://primary/x', replicaUrl: 'mssql://copy/x', integrity: true };
  afterEach(() => jest.restoreAllMocks());

  it('reads from it what may be behind, and nothing else', async () => {
    const closed = databases({ primary: owned('primary'), copy: owned('copy') });
    const store = await openMssqlStore(options);
    expect(await ownerOf(store.at('replica'))).toBe('copy');
    expect([await ownerOf(store.at('primary')), await ownerOf(store)]).toEqual(['primary', 'primary']);
    await store.close();
    expect(closed.sort()).toEqual(['copy', 'primary']);
  });

  it('reads from the primary when the copy is gone', async () => {
    databases({ primary: owned('primary'), copy: gone });
    const store = await openMssqlStore(options);
    expect(await ownerOf(store.at('replica'))).toBe('primary');
    await store.close();
  });

  it('leaves neither open when the primary cannot be served', async () => {
    const closed = databases({ primary: owned('primary', true), copy: owned('copy') });
    await expect(openMssqlStore(options)).rejects.toThrow('was not finished');
    expect(closed.sort()).toEqual(['copy', 'primary']);
  });

  it('leaves the primary closed when the copy does not answer at the start', async () => {
    const closed = databases({ primary: owned('primary') });
    await expect(openMssqlStore(options)).rejects.toThrow('copy does not answer');
    expect(closed).toEqual(['primary']);
  });
});
