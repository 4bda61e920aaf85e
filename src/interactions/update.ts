import { updateChecks, updateCommands } from '../domain/commands.js';
import { withoutActivation } from '../domain/subscription-status.js';
import type { Decision, Facts, Found } from '../domain/command.js';
import { checkOneVersion, etagOf, matchesIfMatch, matchesIfNoneMatch } from '../fhir/etag.js';
import { failure, type Failure } from '../fhir/outcome.js';
import type { Key, Resource } from '../fhir/resource.js';
import { isSameContent } from '../fhir/same-content.js';
import { notFound, unchanged } from './answers.js';
import { refuseIncomplete } from './checked.js';
import { decideCreate, refuseOtherType } from './create.js';
import { matchesOf, severalMatches } from './criteria.js';
import type { Call, House } from './house.js';
import { situationOf, type Verdict } from './perform.js';
import { refuseOtherAuthor } from './authors.js';
import { checkOwnBefore } from './seal.js';

/** If-Match as the caller's kind demands it; 412 when it is not the current version. */
export const checkVersion = (call: Call, key: Key, current: number): void => {
  if (call.caller.kind !== 'system') checkOneVersion(call.ifMatch);
  if (!matchesIfMatch(call.ifMatch, current))
    throw failure(
      'precondition',
      'conflict',
      `If-Match names ${call.ifMatch ?? ''}; the current version of ${key.type}/${key.id} is ${etagOf(current)}.`,
      { expression: ['If-Match'] },
    );
};

const precondition = (text: string): Failure => failure('precondition', 'conflict', text);

/** An update as a decision; an unknown id is created as named (R4 http.html#upsert), for system clients. */
export const decideUpdate = async (house: House, call: Call, key: Key, resource: Resource, facts: Facts): Promise<Verdict> => {
  const current = await facts.find(key);
  if (!current) return decideCreateAs(house, call, key, resource);
  if (call.ifNoneMatch !== undefined && matchesIfNoneMatch(call.ifNoneMatch, current.version))
    throw precondition(`${key.type}/${key.id} exists, as ${etagOf(current.version)}.`);
  checkVersion(call, key, current.version);
  return decideChangeOf(house, call, current, resource, facts);
};

/** Update as create. The version history of a deleted row goes on. */
const decideCreateAs = async (house: House, call: Call, key: Key, resource: Resource): Promise<Decision> => {
  if (call.caller.kind !== 'system') throw notFound(key);
  if (call.ifMatch !== undefined) throw precondition(`There is no ${key.type}/${key.id} of that version.`);
  const stored = await house.store.find(key, 'all');
  // one that lives beyond what a granular scope covers is not the caller's to write over
  if (stored?.body !== undefined) throw notFound(key);
  const version = stored?.version ?? 0;
  return { drafts: [{ ...key, version, resource, plain: true }], created: true, result: key };
};

/**
 * The change of a record that was found and may be changed: by the type's domain command for callers whom the workflow binds. What
 * says the same as the current version makes no new one.
 */
export const decideChangeOf = async (house: House, call: Call, current: Found, resource: Resource, facts: Facts): Promise<Verdict> => {
  const key = { type: current.type, id: current.id };
  const wanted = { ...resource, id: current.id };
  const row = call.caller.kind === 'system' ? undefined : house.registry.get(key.type);
  const command = row?.commands?.update;
  if (command !== undefined) {
    // a command reads a resource only when it is one of R4's
    refuseIncomplete(house, wanted);
    return updateCommands[command](situationOf(house, call, facts), current, wanted);
  }
  if (row?.updateCheck !== undefined) {
    refuseIncomplete(house, wanted);
    // what somebody else's record is in is not told before it is said that it is somebody else's
    await checkOwnBefore(house, call, current);
    await refuseOtherAuthor(house, call, current);
    await updateChecks[row.updateCheck](situationOf(house, call, facts), current, wanted);
  }
  if (isSameContent(current.resource, withoutActivation(wanted))) {
    const stored = await house.store.find(key, 'all');
    if (stored?.version === current.version) return { answer: unchanged(house, stored) };
  }
  return { drafts: [{ ...key, version: current.version, resource: wanted, plain: true }], result: key };
};

/** R4 http.html#cond-update: none creates, one is updated, several are refused; an id in the body must be the match's. */
export const decideConditionalUpdate = async (
  house: House,
  call: Call,
  type: string,
  criteria: string,
  resource: Resource,
  facts: Facts,
): Promise<Verdict> => {
  const { plan, one, several } = await matchesOf(house, call, type, criteria, 'url');
  if (several) throw severalMatches(type, 'url');
  if (one) {
    if (resource.id !== undefined && resource.id !== one.id)
      throw failure('invalid', 'invalid', `The body has the id ${resource.id}; the criteria find ${type}/${one.id}.`, {
        expression: [`${type}.id`],
      });
    return decideUpdate(house, call, one, { ...resource, id: one.id }, facts);
  }
  if (call.caller.kind !== 'system') throw failure('not-found', 'not-found', `No ${type} matches the criteria.`);
  if (call.ifMatch !== undefined) throw precondition(`No ${type} of that version matches the criteria.`);
  const decision =
    resource.id === undefined
      ? await decideCreate(house, call, resource, facts)
      : await decideUnmatched(house, call, { type, id: resource.id }, resource);
  return { ...decision, unmatched: [...(decision.unmatched ?? []), plan] };
};

/** No match, but an id: created under it unless something lives there that the criteria do not find. */
const decideUnmatched = async (house: House, call: Call, key: Key, resource: Resource): Promise<Decision> => {
  const taken = await house.store.find(key, 'all');
  if (taken?.body !== undefined)
    throw failure('conflict', 'conflict', `${key.type}/${key.id} exists and does not match the criteria.`, {
      expression: [`${key.type}.id`],
    });
  return decideCreateAs(house, call, key, resource);
};

/** Throws unless the id of the body is the id of the URL (R4 http.html#update). */
export const refuseOtherId = (resource: Resource, key: Key): void => {
  refuseOtherType(resource, key.type);
  if (resource.id !== key.id)
    throw failure('invalid', 'invalid', `The id of the body must be the id of the URL, ${key.id}.`, { expression: [`${key.type}.id`] });
};
