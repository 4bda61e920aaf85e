import { updateCommands } from '../domain/commands.js';
import type { Decision, Facts } from '../domain/command.js';
import { versionOfIfMatch } from '../fhir/etag.js';
import { failure } from '../fhir/outcome.js';
import type { Key, Resource } from '../fhir/resource.js';
import { notFound, written } from './answers.js';
import { refuseInvalid } from './checked.js';
import type { Call, House, Success } from './house.js';
import { perform, situationOf } from './perform.js';

/** If-Match as the caller's kind demands it; 412 when it is not the current version. */
export const checkVersion = (call: Call, key: Key, current: number): void => {
  const wanted = versionOfIfMatch(call.ifMatch);
  if (wanted === undefined) {
    if (call.caller.kind === 'system') return;
    throw failure('invalid', 'required', 'If-Match is needed here: send the ETag of the version that was read.', {
      expression: ['If-Match'],
    });
  }
  if (wanted !== current)
    throw failure(
      'precondition',
      'conflict',
      `If-Match names version ${String(wanted)} of ${key.type}/${key.id}; the current one is ${String(current)}.`,
    );
};

/** The version history of a deleted row goes on: the row's version even when it has no live text. */
const versionNow = async (house: House, key: Key): Promise<number> => (await house.store.find(key, 'all'))?.version ?? 0;

/** An update as a decision; an unknown id is created as named (R4 http.html#upsert), for system clients. */
export const decideUpdate = async (house: House, call: Call, key: Key, resource: Resource, facts: Facts): Promise<Decision> => {
  const current = await facts.find(key);
  if (!current) {
    if (call.caller.kind !== 'system') throw notFound(key);
    if (call.ifMatch !== undefined) throw failure('precondition', 'conflict', `There is no ${key.type}/${key.id} of that version.`);
    return { drafts: [{ ...key, version: await versionNow(house, key), resource }], result: key };
  }
  checkVersion(call, key, current.version);
  const command = call.caller.kind === 'system' ? undefined : house.registry.get(key.type)?.commands?.update;
  if (command !== undefined) {
    // a command reads a resource only when its shape is right
    refuseInvalid(house, resource);
    return updateCommands[command](situationOf(house, call, facts), current, resource);
  }
  return { drafts: [{ ...key, version: current.version, resource }], result: key };
};

/** R4 http.html#update. */
export const update = async (house: House, call: Call, key: Key, resource: Resource): Promise<Success> => {
  if (resource.resourceType !== key.type)
    throw failure('invalid', 'invalid', `The body is a ${resource.resourceType}, the URL says ${key.type}.`, {
      expression: [resource.resourceType],
    });
  if (resource.id !== key.id)
    throw failure('invalid', 'invalid', `The id of the body must be the id of the URL, ${key.id}.`, { expression: [`${key.type}.id`] });
  const { put } = await perform(house, call, (facts) => decideUpdate(house, call, key, resource, facts));
  return written(house, put);
};
