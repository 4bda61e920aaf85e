import type { OperationDefinition } from 'fhir/r4.js';
import type { Key, Resource } from '../fhir/resource.js';
import type { Call, House, Success } from '../interactions/house.js';

/** An operation: its OperationDefinition as data beside the code that performs it on one resource. */
export type Operation = {
  readonly definition: Pick<OperationDefinition, 'name' | 'code' | 'description' | 'affectsState' | 'resource' | 'parameter'>;
  readonly perform: (house: House, call: Call, on: Key, parameters: Resource | undefined) => Promise<Success>;
};
