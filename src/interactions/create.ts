import { createCommands } from '../domain/commands.js';
import type { Decision, Facts } from '../domain/command.js';
import { failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';
import { written } from './answers.js';
import { refuseInvalid } from './checked.js';
import type { Call, House, Success } from './house.js';
import { perform, situationOf } from './perform.js';

/** A create as a decision: the type's domain command for callers whom the workflow binds, a plain write for system clients. */
export const decideCreate = async (house: House, call: Call, resource: Resource, facts: Facts): Promise<Decision> => {
  const { resourceType: type } = resource;
  const command = call.caller.kind === 'system' ? undefined : house.registry.get(type)?.commands?.create;
  if (command !== undefined) {
    // a command reads a resource only when its shape is right
    refuseInvalid(house, resource);
    return createCommands[command](situationOf(house, call, facts), resource);
  }
  const id = type === 'ServiceRequest' ? `r.${house.newId()}` : house.newId();
  return { drafts: [{ type, id, version: 0, resource }], result: { type, id } };
};

/** R4 http.html#create. An id in the body is ignored: the server gives it. */
export const create = async (house: House, call: Call, type: string, resource: Resource): Promise<Success> => {
  if (resource.resourceType !== type)
    throw failure('invalid', 'invalid', `The body is a ${resource.resourceType}, the URL says ${type}.`, {
      expression: [resource.resourceType],
    });
  const { put } = await perform(house, call, (facts) => decideCreate(house, call, resource, facts));
  return written(house, put);
};
