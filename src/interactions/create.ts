import type { Appointment, ServiceRequest } from 'fhir/r4.js';
import type { Decision, Facts } from '../domain/command.js';
import { decideBooking, gatherBooking } from '../domain/booking/book.js';
import { decideReferral, gatherReferral } from '../domain/referral/create-referral.js';
import { failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';
import { written } from './answers.js';
import { refuseInvalid } from './checked.js';
import type { Call, House, Success } from './house.js';
import { perform } from './perform.js';

/** A create as a decision: the type's domain command for callers whom the workflow binds, a plain write for system clients. */
export const decideCreate = async (house: House, call: Call, resource: Resource, facts: Facts): Promise<Decision> => {
  const { resourceType: type } = resource;
  const command = call.caller.kind === 'system' ? undefined : house.registry.get(type)?.commands?.create;
  const now = new Date(house.clock()).toISOString();
  // a command reads a resource only when its shape is right
  if (command !== undefined) refuseInvalid(house, resource);
  if (command === 'create-referral') {
    const given = { request: resource as unknown as ServiceRequest, baseUrl: house.baseUrl };
    return decideReferral(given, await gatherReferral(facts, given), { id: `r.${house.newId()}`, ubrn: house.newUbrn(), now });
  }
  if (command === 'book-appointment') {
    const appointment = resource as unknown as Appointment;
    return decideBooking(appointment, await gatherBooking(facts, appointment, house.baseUrl), { id: house.newId(), now });
  }
  const id = type === 'ServiceRequest' ? `r.${house.newId()}` : house.newId();
  return { drafts: [{ type, id, version: 0, resource }], result: { type, id } };
};

/** R4 http.html#create. An id in the body is ignored: the server gives it. */
export const create = async (house: House, call: Call, type: string, resource: Resource): Promise<Success> => {
  if (resource.resourceType !== type) throw failure('invalid', 'invalid', `The body is a ${resource.resourceType}, the URL says ${type}.`, { expression: [resource.resourceType] });
  const { put } = await perform(house, call, (facts) => decideCreate(house, call, resource, facts));
  return written(house, put);
};
