import type { StructureDefinition } from 'fhir/r4.js';
import type { Definitions } from './definitions.js';

type Package = { readonly name: string; readonly resources: readonly unknown[] };

type Canonical = { readonly resourceType: string; readonly url: string; readonly version?: string };

const canonicals = (resources: readonly unknown[]): readonly Canonical[] =>
  resources.filter(
    (resource): resource is Canonical =>
      typeof resource === 'object' && resource !== null && typeof (resource as Partial<Canonical>).url === 'string',
  );

const versionOf = (definitions: Definitions, { resourceType, url }: Canonical): string | undefined => {
  if (resourceType === 'StructureDefinition') return definitions.findStructure(url)?.version;
  if (resourceType === 'ValueSet') return definitions.findValueSet(url)?.version;
  return resourceType === 'CodeSystem' ? definitions.findCodeSystem(url)?.version : undefined;
};

/** What each package replaces: in the server's own artefacts, or in a package before it. */
const conflicts = (packages: readonly Package[], own: Definitions): readonly string[] => {
  const by = new Map<string, { readonly name: string; readonly version: string | undefined }>();
  return packages.flatMap(({ name, resources }) =>
    canonicals(resources).flatMap((resource) => {
      const before = by.get(resource.url) ?? { name: 'this server', version: versionOf(own, resource) };
      by.set(resource.url, { name, version: resource.version });
      return before.version === undefined || before.version === resource.version
        ? []
        : [`${name} replaces ${resource.url}|${before.version} of ${before.name} by version ${resource.version ?? 'none'}`];
    }),
  );
};

const unresolved = ({ name, resources }: Package, all: Definitions): readonly string[] =>
  canonicals(resources)
    .filter(({ resourceType }) => resourceType === 'StructureDefinition')
    .flatMap((resource) => {
      const { url, baseDefinition, derivation } = resource as unknown as StructureDefinition;
      if (derivation !== 'constraint' || baseDefinition === undefined || all.findStructure(baseDefinition) !== undefined) return [];
      return [`${name}: ${url} is based on ${baseDefinition}, which nothing here defines`];
    });

/** Conflicts and unresolvable bases of packages, one sentence each. */
export const findProblems = (packages: readonly Package[], own: Definitions, all: Definitions): readonly string[] => [
  ...conflicts(packages, own),
  ...packages.flatMap((each) => unresolved(each, all)),
];
