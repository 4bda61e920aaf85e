import type { Registry } from '../resources/registry.js';
import type { Operation } from '../operations/operation.js';
import { operationUrl } from '../resources/conformance.js';
import { searchOffered } from './search/offered.js';
import type { SearchParameters } from './search/parameters.js';

/**
 * The CapabilityStatement (R4 capabilitystatement.html), made from the same data as the routes.
 * `baseUrl` and `date` are the only parts that differ between servers.
 */
export const capabilityStatement = (parts: {
  readonly registry: Registry;
  readonly searchParameters: SearchParameters;
  readonly operations: readonly Operation[];
  readonly baseUrl: string;
  readonly version: string;
  readonly date: string;
}): object => {
  const searched = [...parts.registry.values()].filter(({ interactions }) => interactions.includes('search-type')).map(({ type }) => type);
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: parts.date,
    kind: 'instance',
    software: { name: 'referral-server', version: parts.version },
    implementation: { description: 'FHIR R4 server for NHS e-Referrals', url: parts.baseUrl },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json'],
    rest: [
      {
        mode: 'server',
        security: {
          cors: true,
          service: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' }] }],
          description: 'Signed-JWT client credentials (private_key_jwt, RS512, RS384 or ES384); see .well-known/smart-configuration.',
        },
        resource: [...parts.registry.values()].map((row) => ({
          type: row.type,
          ...(row.profile === undefined ? {} : { supportedProfile: [row.profile] }),
          ...(row.documentation === undefined ? {} : { documentation: row.documentation }),
          interaction: row.interactions.map((code) => ({ code })),
          versioning: 'versioned',
          readHistory: row.interactions.includes('history-instance'),
          updateCreate: row.interactions.includes('update'),
          conditionalCreate: false,
          conditionalRead: 'not-match',
          conditionalUpdate: false,
          conditionalDelete: 'not-supported',
          referencePolicy: ['literal', 'logical', 'enforced'],
          ...(row.interactions.includes('search-type') ? searchOffered(row.type, searched, parts.searchParameters) : {}),
          ...(parts.operations.some(({ definition }) => definition.resource?.includes(row.type))
            ? {
                operation: parts.operations
                  .filter(({ definition }) => definition.resource?.includes(row.type as never))
                  .map((operation) => ({
                    name: operation.definition.code,
                    definition: operationUrl(operation),
                    documentation: operation.definition.description,
                  })),
              }
            : {}),
        })),
        interaction: [{ code: 'transaction' }, { code: 'batch' }, { code: 'search-system' }],
      },
    ],
  };
};
