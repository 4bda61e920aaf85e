import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadDefinitions, type Definitions, type IdentifierRule } from '../../src/validation/definitions.js';

const built = (name: string): string => readFileSync(path.join(__dirname, '../../dist', name), 'utf8');

let r4: Definitions | undefined;
let all: Definitions | undefined;

/** The R4 definitions that the build made, read once per test file. */
export const r4Definitions = (): Definitions => (r4 ??= loadDefinitions(built('definitions/r4.ndjson')));

/** R4 and the project's own artefacts: UK Core, e-RS, identifier systems. */
export const allDefinitions = (): Definitions => {
  const read = (): Definitions => {
    const { resources, identifiers } = JSON.parse(built('profiles/artefacts.json')) as {
      readonly resources: readonly unknown[];
      readonly identifiers: readonly IdentifierRule[];
    };
    return r4Definitions().with(resources, identifiers);
  };
  return (all ??= read());
};
