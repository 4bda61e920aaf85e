import type { OperationDefinition, OperationDefinitionParameter } from 'fhir/r4.js';
import type { Resource } from '../fhir/resource.js';
import type { Call, House, Success } from '../interactions/house.js';
import type { Interaction } from '../access/scopes.js';

/** What an operation was called on, and with what. */
export type Invocation = {
  /** absent on the system level */
  readonly type?: string;
  /** absent on the type level */
  readonly id?: string;
  /** the body as it came: Parameters, or a bare resource; absent for GET and for an empty body */
  readonly body?: Resource;
  /** the query, in the order it came */
  readonly query: readonly (readonly [string, string])[];
};

/** A parameter as an OperationDefinition declares it. */
export type Declared = OperationDefinitionParameter;

/**
 * An operation: its OperationDefinition as data beside the code that performs it. Where it is offered (system, type, instance, and on
 * which types) and whether GET reaches it (R4 operations.html: only when `affectsState` is false) are read from the definition.
 */
export type Operation = {
  readonly definition: Pick<
    OperationDefinition,
    'name' | 'code' | 'description' | 'affectsState' | 'resource' | 'parameter' | 'system' | 'type' | 'instance'
  >;
  /** the scope letter that a caller needs on the type (R4 has none of its own for operations) */
  readonly interaction: Interaction;
  /** its inputs may stand in the query too, and it refuses others there; of the rest the query has no inputs */
  readonly readsQuery?: true;
  readonly perform: (house: House, call: Call, invocation: Invocation) => Promise<Success>;
};
