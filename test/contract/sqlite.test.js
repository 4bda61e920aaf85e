import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.js';
import { storeContract } from './store.contract.js';
const root = mkdtempSync(path.join(tmpdir(), 'store-'));
let made = 0;
afterAll(() => {
    rmSync(root, { recursive: true, force: true });
});
storeContract('embedded', ({ integrity }) => openSqliteStore({ path: path.join(root, `${String(++made)}.db`), integrity }));
