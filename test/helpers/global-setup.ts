import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Gives the run a place for what its test files share. */
const setUp = (): void => {
  process.env['DEMO_TEMPLATE'] ??= mkdtempSync(path.join(tmpdir(), 'referrals-template-'));
};

// jest takes the default export
export default setUp;
