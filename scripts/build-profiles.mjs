/**
 * Makes dist/profiles/artefacts.json from the tables of profiles/: StructureDefinitions (differentials), ValueSets, CodeSystems,
 * NamingSystems, and the forms of identifiers. profiles/README.md describes the tables and the file.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createCanonicals, urlOf } from './profiles/canonicals.mjs';
import { identifierRule, namingSystem } from './profiles/naming-system.mjs';
import { readTable } from './profiles/read-table.mjs';
import { structureDefinition } from './profiles/structure-definition.mjs';
import { codeSystem, valueSet, wholeOf } from './profiles/terminology.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const tables = readdirSync(path.join(root, 'profiles'), { recursive: true })
  .filter((file) => file.endsWith('.table'))
  .sort();
const artefacts = tables.flatMap((file) => readTable(readFileSync(path.join(root, 'profiles', file), 'utf8'), file));
const canonicals = createCanonicals(artefacts);

const bases = new Map(artefacts.filter(({ kind }) => kind === 'profile').map((artefact) => [artefact.id, artefact.of]));
/** The R4 type below a chain of profiles. */
const typeOf = (id) => (bases.has(id) ? typeOf(bases.get(id)) : id);

const make = {
  profile: (artefact) => [structureDefinition(artefact, canonicals, typeOf)],
  extension: (artefact) => [structureDefinition(artefact, canonicals, typeOf)],
  valueset: (artefact) => [valueSet(artefact, canonicals)],
  codesystem: (artefact) => [codeSystem(artefact, canonicals), ...wholeOf(artefact)],
  namingsystem: (artefact) => [namingSystem(artefact)],
};
const resources = artefacts.flatMap((artefact) => make[artefact.kind](artefact));

const seen = new Set();
for (const { resourceType, id } of resources) {
  if (seen.has(`${resourceType}/${id}`)) throw new Error(`two artefacts are ${resourceType}/${id}`);
  seen.add(`${resourceType}/${id}`);
}
const unfit = artefacts.filter((artefact) => !/^[A-Za-z0-9.-]{1,64}$/.test(artefact.id));
if (unfit.length > 0) throw new Error(`no FHIR id: ${unfit.map(urlOf).join(', ')}`);

const identifiers = artefacts.filter(({ kind }) => kind === 'namingsystem').map(identifierRule);
const hash = createHash('sha256').update(JSON.stringify({ resources, identifiers })).digest('hex');

mkdirSync(path.join(root, 'dist/profiles'), { recursive: true });
writeFileSync(path.join(root, 'dist/profiles/artefacts.json'), JSON.stringify({ hash, resources, identifiers }));
writeFileSync(path.join(root, 'dist/profiles/artefacts.sha256'), hash);
console.log(`profiles: ${String(resources.length)} artefacts from ${String(tables.length)} tables`);
