import { createCommands } from '../domain/commands.js';
import type { Decision, Facts } from '../domain/command.js';
import { failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';
import { unchanged } from './answers.js';
import { keepData } from './binary.js';
import { refuseIncomplete } from './checked.js';
import { matchesOf, severalMatches } from './criteria.js';
import type { Call, House, Success } from './house.js';
import { performWrite, situationOf, type Verdict } from './perform.js';

/** Throws unless the body is of the type that the URL names. */
export const refuseOtherType = (resource: Resource, type: string): void => {
  if (resource.resourceType !== type)
    throw failure('invalid', 'invalid', `The body is a ${resource.resourceType}, the URL says ${type}.`, {
      expression: [resource.resourceType],
    });
};

/** A create as a decision: the type's domain command for callers whom the workflow binds, a plain write for system clients. */
export const decideCreate = async (house: House, call: Call, resource: Resource, facts: Facts): Promise<Decision> => {
  const { resourceType: type } = resource;
  const command = call.caller.kind === 'system' ? undefined : house.registry.get(type)?.commands?.create;
  if (command !== undefined) {
    // a command reads a resource only when it is one of R4's
    refuseIncomplete(house, resource);
    return createCommands[command](situationOf(house, call, facts), resource);
  }
  const id = type === 'ServiceRequest' ? `r.${house.newId()}` : house.newId();
  const kept = type === 'Binary' ? await keepData(house, id, resource) : resource;
  return { drafts: [{ type, id, version: 0, resource: kept, plain: true }], result: { type, id } };
};

/** R4 http.html#ccreate: with If-None-Exist only when nothing matches, which the commit checks again; a match is the answer. */
export const decideConditionalCreate = async (house: House, call: Call, resource: Resource, facts: Facts): Promise<Verdict> => {
  if (call.ifNoneExist === undefined) return decideCreate(house, call, resource, facts);
  const { plan, one, several } = await matchesOf(house, call, resource.resourceType, call.ifNoneExist, 'If-None-Exist');
  if (several) throw severalMatches(resource.resourceType, 'If-None-Exist');
  if (one) return { answer: unchanged(house, one) };
  const decision = await decideCreate(house, call, resource, facts);
  return { ...decision, unmatched: [...(decision.unmatched ?? []), plan] };
};

/** R4 http.html#create. An id in the body is ignored: the server gives it. */
export const create = (house: House, call: Call, type: string, resource: Resource): Promise<Success> => {
  refuseOtherType(resource, type);
  return performWrite(house, call, (facts) => decideConditionalCreate(house, call, resource, facts));
};
