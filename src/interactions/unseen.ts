import { sightOf } from '../access/policy.js';
import type { Draft } from '../domain/command.js';
import { systems } from '../domain/codes.js';
import { wasFound } from '../domain/referral/found-patient.js';
import { failure } from '../fhir/outcome.js';
import { readReference, type FoundReference } from '../fhir/references.js';
import { referenceTo, type Key } from '../fhir/resource.js';
import type { Put } from '../store/port.js';
import type { Call, House } from './house.js';
import { identifierKey } from './logical-references.js';

const isSeen = async (house: House, call: Call, key: Key, drafts: readonly Draft[]): Promise<boolean> => {
  if (drafts.some(({ type, id }) => type === key.type && id === key.id)) return true;
  const sight = sightOf(call.caller, key.type);
  return sight === 'all' || (await house.store.find(key, sight))?.body !== undefined;
};

/** Where what a command makes of a new request says whose it is. */
const ofPatient: ReadonlySet<string> = new Set(['Communication.subject', 'DocumentReference.subject', 'Task.for']);

const isBound = (call: Call): boolean => call.caller.kind !== 'system';

/** Whether the version before had the reference: then somebody who might wrote it, and it opens and tells nothing new. */
export const hadBefore = async (house: House, draft: Draft, reference: string): Promise<boolean> =>
  draft.version > 0 && (await house.store.findVersion(draft, draft.version, 'all'))?.body?.includes(JSON.stringify(reference)) === true;

/**
 * What a caller writes may refer only to what he may see: a reference opens records to the reader of what refers (a letter to its
 * referral's readers), so one to somebody else's record would open that. It is refused as one to a record that is not there. What a
 * command writes holds what the caller sent, so it is looked at alike.
 *
 * @throws Failure `business-rule`/`not-found`
 */
export const refuseUnseen = async (
  house: House,
  call: Call,
  draft: Draft,
  references: readonly Pick<FoundReference, 'path' | 'reference'>[],
  drafts: readonly Draft[],
): Promise<void> => {
  if (!isBound(call)) return;
  const findClaim = house.store.findClaim.bind(house.store);
  for (const { reference, path } of references) {
    if (reference === undefined) continue;
    const key = readReference(reference, house.baseUrl);
    if (!key || !house.registry.has(key.type) || (await isSeen(house, call, key, drafts))) continue;
    const saysWhose = path === 'ServiceRequest.subject' || (draft.plain !== true && ofPatient.has(path));
    if (saysWhose && (await wasFound(findClaim, call.caller, key.id, house.clock()))) continue;
    if (draft.plain !== true && (await hadBefore(house, draft, reference))) continue;
    throw failure('business-rule', 'not-found', `${referenceTo(key)} does not exist: references must resolve.`, {
      diagnostics: referenceTo(key),
      expression: [path],
    });
  }
};

/**
 * What a caller writes about a patient by the NHS number alone is refused when it names nobody whom he may see, as a literal reference is:
 * it would be that patient's as soon as somebody else writes it again.
 *
 * @throws Failure `business-rule`/`not-found`
 */
export const refuseUnknownPatient = async (
  house: House,
  call: Call,
  draft: Draft,
  references: readonly FoundReference[],
  logical: ReadonlyMap<string, Key>,
): Promise<void> => {
  if (draft.plain !== true || !isBound(call)) return;
  for (const { reference, identifier, path } of references) {
    const { system, value } = identifier ?? {};
    if (reference !== undefined || system !== systems.nhsNumber || value === undefined) continue;
    if (logical.has(identifierKey({ system, value })) || (await hadBefore(house, draft, value))) continue;
    throw failure('business-rule', 'not-found', 'There is no such patient: references must resolve.', {
      expression: [`${path}.identifier`],
    });
  }
};

/** Where a record says whose it is. */
const whose: Readonly<Record<string, string>> = { Binary: 'Binary.securityContext' };

/**
 * A patient's record that says neither a referral nor himself would be nobody's: its writer could not read it.
 *
 * @param put of a record that belongs to no other
 * @throws Failure `business-rule`/`required`
 */
export const refuseUnreadable = ({ caller }: Call, { type, accessKeys }: Pick<Put, 'type' | 'accessKeys'>): void => {
  const sight = sightOf(caller, type);
  if (caller.kind !== 'patient' || sight === 'all' || sight.keys.some((key) => accessKeys.includes(key))) return;
  throw failure('business-rule', 'required', 'Whose record it is must be said: its writer could not read it.', {
    expression: [whose[type] ?? `${type}.subject`],
  });
};

/** A logical reference to what the caller may not see stays unresolved, as one that nobody has: it neither links nor tells. */
export const onlySeen = async (
  house: House,
  call: Call,
  draft: Draft,
  found: ReadonlyMap<string, Key>,
  drafts: readonly Draft[],
): Promise<ReadonlyMap<string, Key>> => {
  if (draft.plain !== true || !isBound(call) || found.size === 0) return found;
  const kept = new Map<string, Key>();
  for (const [name, key] of found) if (await isSeen(house, call, key, drafts)) kept.set(name, key);
  return kept;
};
