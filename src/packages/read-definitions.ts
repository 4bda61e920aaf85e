import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { loadDefinitions, type Definitions, type IdentifierRule } from '../validation/definitions.js';
import { findProblems } from '../validation/packages.js';
import { readPackages } from './read-package.js';

// made by the build; from `src` (tests) and `dist` alike they stand in `dist`
const built = (name: string): string => fileURLToPath(new URL(`../../dist/${name}`, import.meta.url));

type Artefacts = { readonly resources: readonly unknown[]; readonly identifiers: readonly IdentifierRule[] };

/** R4 and the project's own artefacts, as the build made them. */
const readBuilt = async (): Promise<Definitions> => {
  const [r4, artefacts] = await Promise.all([
    readFile(built('definitions/r4.ndjson'), 'utf8'),
    readFile(built('profiles/artefacts.json'), 'utf8'),
  ]);
  const { resources, identifiers } = JSON.parse(artefacts) as Artefacts;
  return loadDefinitions(r4).with(resources, identifiers);
};

/**
 * All that this server knows of FHIR: R4, UK Core, e-RS, and the packages of a folder, of which a later one (by name) replaces what an
 * earlier one defines. `report` is told, by name, what packages contradict or what they refer to and nobody defines.
 */
export const readDefinitions = async (
  packages?: string,
  report: (problem: string) => void = (problem) => process.stderr.write(`${problem}\n`),
): Promise<Definitions> => {
  const own = await readBuilt();
  if (packages === undefined) return own;
  const read = await readPackages(packages);
  const all = read.reduce((definitions, { resources }) => definitions.with(resources), own);
  for (const problem of findProblems(read, own, all)) report(problem);
  return all;
};
