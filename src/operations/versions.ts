import type { Operation } from './operation.js';

const body = JSON.stringify({
  resourceType: 'Parameters',
  parameter: [
    { name: 'version', valueCode: '4.0' },
    { name: 'default', valueCode: '4.0' },
  ],
});

/** R4 capabilitystatement-operation-versions.html: the versions of FHIR that the server speaks. */
export const versionsOperation: Operation = {
  definition: {
    name: 'CapabilityStatementVersions',
    code: 'versions',
    description: 'The versions of FHIR that this server speaks.',
    affectsState: false,
    system: true,
    type: true,
    instance: false,
    resource: ['CapabilityStatement'],
    parameter: [
      { name: 'version', use: 'out', min: 1, max: '*', type: 'code' },
      { name: 'default', use: 'out', min: 1, max: '1', type: 'code' },
    ],
  },
  interaction: 'r',
  perform: () => Promise.resolve({ status: 200, body, headers: {} }),
};
