import { isAllowed } from '../access/policy.js';
import type { Operation } from '../operations/operation.js';
import { operationUrl } from '../resources/conformance.js';
import type { Registry, ResourceType } from '../resources/registry.js';
import { failure } from './outcome.js';
import { searchOffered } from './search/offered.js';
import type { SearchParameters } from './search/parameters.js';

export type CapabilityParts = {
  readonly registry: Registry;
  readonly searchParameters: SearchParameters;
  readonly operations: readonly Operation[];
  /** the types that have a compartment */
  readonly compartments: readonly string[];
  readonly baseUrl: string;
  readonly version: string;
  readonly date: string;
};

/** The operations that a type has, at the type or at an instance; those of every resource among them, but for what is never done to the type. */
const operationsOf = (operations: readonly Operation[], row: ResourceType): readonly Operation[] =>
  operations.filter(
    ({ interaction, definition: { resource, type, instance } }) =>
      (type || instance) &&
      resource?.some((name) => name === row.type || name === 'Resource') === true &&
      isAllowed('system', row.type, interaction),
  );

const operationRows = (operations: readonly Operation[]): object =>
  operations.length === 0
    ? {}
    : {
        operation: operations.map((operation) => ({
          name: operation.definition.code,
          definition: operationUrl(operation),
          ...(operation.definition.description === undefined ? {} : { documentation: operation.definition.description }),
        })),
      };

const searchedTypes = ({ registry }: CapabilityParts): readonly string[] =>
  [...registry.values()].filter(({ interactions }) => interactions.includes('search-type')).map(({ type }) => type);

const resourceRow = (parts: CapabilityParts, row: ResourceType): object => {
  const offers = (interaction: ResourceType['interactions'][number]): boolean => row.interactions.includes(interaction);
  return {
    type: row.type,
    ...(row.profile === undefined ? {} : { supportedProfile: [row.profile] }),
    ...(row.documentation === undefined ? {} : { documentation: row.documentation }),
    interaction: row.interactions.map((code) => ({ code })),
    versioning: 'versioned',
    readHistory: offers('vread'),
    updateCreate: offers('update'),
    conditionalCreate: offers('create'),
    conditionalRead: 'full-support',
    conditionalUpdate: offers('update'),
    conditionalDelete: offers('delete') ? 'single' : 'not-supported',
    referencePolicy: ['literal', 'logical', 'enforced'],
    ...(offers('search-type') ? searchOffered(row.type, searchedTypes(parts), parts.searchParameters) : {}),
    ...operationRows(operationsOf(parts.operations, row)),
  };
};

const about = (parts: CapabilityParts): object => ({
  status: 'active',
  date: parts.date,
  kind: 'instance',
  software: { name: 'referral-server', version: parts.version },
  implementation: { description: 'FHIR R4 server for NHS e-Referrals', url: parts.baseUrl },
});

/**
 * The CapabilityStatement (R4 capabilitystatement.html), made from the same data as the routes.
 * `baseUrl` and `date` are the only parts that differ between servers.
 */
export const capabilityStatement = (parts: CapabilityParts): object => ({
  resourceType: 'CapabilityStatement',
  ...about(parts),
  fhirVersion: '4.0.1',
  format: ['application/fhir+json', 'application/fhir+xml', 'json', 'xml'],
  patchFormat: ['application/json-patch+json', 'application/fhir+json', 'application/fhir+xml'],
  rest: [
    {
      mode: 'server',
      security: {
        cors: true,
        service: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' }] }],
        description: 'Signed-JWT client credentials (private_key_jwt, RS512, RS384 or ES384); see .well-known/smart-configuration.',
      },
      resource: [...parts.registry.values()].map((row) => resourceRow(parts, row)),
      interaction: [{ code: 'transaction' }, { code: 'batch' }, { code: 'history-system' }, { code: 'search-system' }],
      ...operationRows(parts.operations.filter(({ definition }) => definition.system)),
      compartment: parts.compartments.map(
        (type) => `http://hl7.org/fhir/CompartmentDefinition/${type[0]?.toLowerCase() ?? ''}${type.slice(1)}`,
      ),
    },
  ],
});

/** What the server knows of terminologies (R4 terminologycapabilities.html), for `mode=terminology`. */
const terminologyCapabilities = (parts: CapabilityParts): object => {
  const offers = (code: string): boolean => parts.operations.some(({ definition }) => definition.code === code);
  return {
    resourceType: 'TerminologyCapabilities',
    ...about(parts),
    ...(offers('expand') ? { expansion: { hierarchical: false, paging: true } } : {}),
    ...(offers('validate-code') ? { validateCode: { translations: false } } : {}),
    ...(offers('translate') ? { translation: { needsMap: false } } : {}),
  };
};

/** The statement that `mode` asks for (R4 http.html#capabilities): `full` and `normative` are all of it, as all of it is R4. */
export const capabilityFor = (parts: CapabilityParts, mode: string | undefined): object => {
  if (mode === undefined || mode === 'full' || mode === 'normative') return capabilityStatement(parts);
  if (mode === 'terminology') return terminologyCapabilities(parts);
  throw failure('invalid', 'value', 'mode is full, normative or terminology.', { expression: ['mode'] });
};
