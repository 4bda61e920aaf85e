import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadDefinitions, type Definitions } from '../../src/validation/definitions.js';

let loaded: Definitions | undefined;

/** The R4 definitions that the build made, read once per test file. */
export const r4Definitions = (): Definitions =>
  (loaded ??= loadDefinitions(readFileSync(path.join(__dirname, '../../dist/definitions/r4.ndjson'), 'utf8')));
