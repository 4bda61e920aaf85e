import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Store } from '../../src/store/port.js';
import { Database } from '../../src/store/mssql/database.js';
import { openMssqlStore, serveDatabase } from '../../src/store/mssql/mssql-store.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.js';
import { emptyDatabase, makeDatabase } from '../helpers/mssql-database.js';

export type Options = { readonly integrity: boolean };
export type Engine = {
  readonly name: string;
  /** a store over an empty database */
  readonly open: (options: Options) => Promise<Store>;
  /** the database of the last `open`, as another process sees it */
  readonly openAgain: (options: Options) => Promise<Store>;
};

const embedded = (root: string): Engine => {
  let made = 0;
  const openAgain = ({ integrity }: Options) => openSqliteStore({ path: path.join(root, `${String(made)}.db`), integrity });
  return {
    name: 'embedded',
    open: (options) => {
      made++;
      return openAgain(options);
    },
    openAgain,
  };
};

const url = process.env['MSSQL_URL'];
if (url === undefined)
  console.log('skipped: the contract on SQL Server (needs a server: MSSQL_URL=mssql://sa:...@127.0.0.1:1433/master npm run test:mssql)');

/** A SQL Server, each suite with a database of its own, emptied for each store. Its stores share a pool: connections are slow to make. */
const mssql = (suite: string, server: string): Engine => {
  const own = new URL(server);
  own.pathname = `/referrals_${suite}`;
  own.searchParams.set('poolMax', '4');
  const openAgain = ({ integrity }: Options) => openMssqlStore({ url: own.href, integrity });
  let shared: Database;
  beforeAll(async () => {
    await makeDatabase(server, `referrals_${suite}`);
    shared = await Database.open(own.href);
  }, 120_000);
  afterAll(() => shared.close());
  return {
    name: 'SQL Server',
    open: async ({ integrity }) => {
      const kept = Object.assign(Object.create(shared) as Database, { close: () => Promise.resolve() });
      const store = await serveDatabase(kept, undefined, integrity);
      await emptyDatabase(shared);
      return store;
    },
    openAgain,
  };
};

// many short-lived stores, each with threads and syncs of its own, on machines that may be busy
jest.setTimeout(60_000);

/** Runs a contract on every engine that is there. `suite` names a database of its own on the SQL Server. */
export const onEveryEngine = (suite: string, contract: (engine: Engine) => void): void => {
  describe('embedded store', () => {
    const root = mkdtempSync(path.join(tmpdir(), 'store-'));
    contract(embedded(root));
    // after what the contract itself closes in the end
    afterAll(() => {
      rmSync(root, { recursive: true, force: true });
    });
  });
  if (url !== undefined)
    describe('SQL Server store', () => {
      contract(mssql(suite, url));
    });
};
