import { createHash } from 'node:crypto';
import type { Operation } from '../operations/operation.js';
import type { Resource } from '../fhir/resource.js';

/** The form of an identifier system's values: `pattern` is a regular expression, `check` names what code checks beyond it. */
export type IdentifierRule = { readonly name: string; readonly system: string; readonly pattern?: string; readonly check?: string };

/** dist/profiles/artefacts.json: what the build makes of the tables of profiles/. */
export type Artefacts = {
  readonly hash: string;
  readonly resources: readonly Resource[];
  readonly identifiers: readonly IdentifierRule[];
};

/** Marks what the server wrote itself, so that a newer release replaces its own artefacts and never a site's. */
export const ownSource = '#referral-server';

/** Canonical URL of the OperationDefinition of an operation. */
export const operationUrl = (operation: Operation): string => `https://fhir.nhs.uk/OperationDefinition/${operation.definition.name}`;

const operationDefinition = (operation: Operation): Resource => ({
  resourceType: 'OperationDefinition',
  id: operation.definition.name,
  url: operationUrl(operation),
  status: 'active',
  kind: 'operation',
  ...operation.definition,
});

/** The definitions that the server serves as resources, and a version that changes when any of them does. */
export type Conformance = { readonly version: string; readonly resources: () => Promise<readonly Resource[]> };

/** A built file of definitions: its hash, and its text, which is megabytes and read only when there is something to do. */
export type Built = { readonly hash: string; readonly text: () => Promise<string> };

/**
 * The conformance resources of this server: the project's artefacts, HL7's definitions of what is served, and an OperationDefinition
 * for each operation.
 */
export const createConformance = (files: readonly Built[], operations: readonly Operation[]): Conformance => {
  const definitions = operations.map(operationDefinition);
  const version = createHash('sha256');
  for (const { hash } of files) version.update(hash);
  return {
    version: version.update(JSON.stringify(definitions)).digest('hex'),
    resources: async () => {
      const texts = await Promise.all(files.map(({ text }) => text()));
      return [...texts.flatMap((text) => (JSON.parse(text) as Pick<Artefacts, 'resources'>).resources), ...definitions];
    },
  };
};
