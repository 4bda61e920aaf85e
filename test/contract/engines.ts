import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Store } from '../../src/store/port.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.js';

export type Options = { readonly integrity: boolean };
export type Engine = {
  readonly name: string;
  /** a store over an empty database */
  readonly open: (options: Options) => Promise<Store>;
  /** the database of the last `open`, as another process sees it */
  readonly openAgain: (options: Options) => Promise<Store>;
};

const embedded = (): Engine => {
  const root = mkdtempSync(path.join(tmpdir(), 'store-'));
  let made = 0;
  afterAll(() => {
    rmSync(root, { recursive: true, force: true });
  });
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

// many short-lived stores, each with threads and syncs of its own, on machines that may be busy
jest.setTimeout(60_000);

/** Runs a contract on every engine that is there. `suite` names a database of its own on the SQL Server. */
export const onEveryEngine = (_suite: string, contract: (engine: Engine) => void): void => {
  for (const engine of [embedded()])
    describe(`${engine.name} store`, () => {
      contract(engine);
    });
};
