import { accessKeysOf, checkOwnOrganisation, isOwned } from '../access/access-keys.js';
import { checkConstraint } from '../access/narrow-plan.js';
import { isOpen } from '../access/policy.js';
import { claimsOf } from '../domain/claims.js';
import { checkRecord } from '../domain/rules/record-rules.js';
import { withoutActivation } from '../domain/subscription-status.js';
import type { Draft } from '../domain/command.js';
import { stringifyJson } from '../fhir/json.js';
import { findReferences, type FoundReference } from '../fhir/references.js';
import { referenceTo, type Key, type Resource } from '../fhir/resource.js';
import type { Context } from '../fhir/search/extract.js';
import type { Claim, EntryPut, Put } from '../store/port.js';
import { relinked } from './bundle-links.js';
import { refuseInvalid } from './checked.js';
import { containedPuts, fragmentsOf } from './contained.js';
import { awaitingScan } from './document-scan.js';
import { gatherForValidation } from './gather-validation.js';
import type { Call, House } from './house.js';
import { onlySeen, refuseUnknownPatient, refuseUnreadable, refuseUnseen } from './unseen.js';
import { accessFacts, attachmentUrls, keyed, linksOf, targetOf } from './access-facts.js';
import { authorKeys, refuseOtherAuthor } from './authors.js';
import { identifierKey, resolveLogical } from './logical-references.js';
import { otherReferences, versionsReferredTo } from './referred-to.js';
import { refuseOtherPatient } from './whose-referral.js';

export type Sealed = {
  readonly put: Put;
  /** the rows of what the resource contains */
  readonly contained: readonly Put[];
  readonly claims: readonly Claim[];
  readonly releases: readonly Claim[];
  /** what versioned references rely upon */
  readonly expects: readonly (Key & { readonly version: number })[];
  /** what a search parameter makes the server remember and do */
  readonly entries: readonly EntryPut[];
};

/** The wire form, made once: ids and meta as this version has them, everything else as the client sent it. */
export const wireForm = (resource: Resource, key: Key, version: number, lastUpdated: number): Resource => {
  const { resourceType, id, meta, ...rest } = resource;
  // a client may send anything: what is no object, or an empty one, is left for the validation to refuse as it is
  const isMeta = meta === undefined || (typeof meta === 'object' && !Array.isArray(meta) && Object.keys(meta).length > 0);
  const isId = id === undefined || (typeof id === 'string' && id !== '');
  const own = { versionId: String(version), lastUpdated: new Date(lastUpdated).toISOString() };
  return { resourceType, id: isId ? key.id : id, meta: isMeta ? { ...meta, ...own } : meta, ...rest };
};

/** References to this server's own resources without its address, which may change: nothing that is stored holds it. */
const localised = (house: House, resource: Resource): Resource => {
  const base = `${house.baseUrl}/`;
  const isOwn = ({ reference }: FoundReference): boolean => reference?.startsWith(base) === true;
  if (!findReferences(resource, resource.resourceType).some(isOwn)) return resource;
  return relinked(resource, house.shapes, (link, isReference) =>
    isReference && link.startsWith(base) ? link.slice(base.length) : undefined,
  );
};

/** Turns a draft into what the store writes: validated, stamped, indexed, with its access keys and claims. */
export const seal = async (house: House, call: Call, wanted: Draft, drafts: readonly Draft[]): Promise<Sealed> => {
  const { draft, entries: scans } = awaitingScan(house, wanted);
  const lastUpdated = house.clock();
  const owner = referenceTo(draft);
  if (draft.resource === undefined) {
    const { releases, entries } = await house.customParameters.consequences(draft, drafts);
    const put = { ...bare(draft, lastUpdated), body: undefined };
    return {
      put,
      contained: await containedPuts(house, draft, put, { resolve: () => undefined, baseUrl: house.baseUrl, timeZone: house.timeZone }),
      claims: [],
      releases: [...(await heldBefore(house, draft, owner)), ...releases],
      expects: [],
      entries,
    };
  }
  const resource = wireForm(withoutActivation(localised(house, draft.resource)), draft, draft.version + 1, lastUpdated);
  if (draft.own !== true) refuseInvalid(house, resource, await gatherForValidation(house, resource, drafts));
  if (draft.plain === true) checkRecord(resource);
  const parameter = await house.customParameters.consequences({ ...draft, resource }, drafts);
  await Promise.all([house.customParameters.fresh(), house.searchIndex.fresh()]);
  const references = findReferences(resource, resource.resourceType);
  const logical = await onlySeen(house, call, draft, await resolveLogical(house, references, drafts), drafts);
  await refuseUnknownPatient(house, call, draft, references, logical);
  const attachments = attachmentUrls(resource).map((reference, index) => ({
    reference,
    path: `${draft.type}.content[${String(index)}].attachment.url`,
  }));
  await refuseUnseen(house, call, draft, [...references, ...attachments], drafts);
  const context: Context = {
    resolve: ({ identifier }) => logical.get(identifierKey(identifier)),
    fragment: fragmentsOf(house, draft, resource),
    baseUrl: house.baseUrl,
    timeZone: house.timeZone,
  };
  const extracted = house.extract(resource, context);
  checkConstraint(call.caller, draft.type, extracted);
  const facts = await accessFacts(house, call, resource, references, logical, drafts);
  // what a command changes on the way (a booked slot) is the command's matter, not the caller's own write
  if (draft.plain === true) {
    checkOwnOrganisation(call.caller, resource, facts);
    await checkOwnBefore(house, call, draft);
    await refuseOtherAuthor(house, call, draft);
  }
  const links = linksOf(house, draft, resource, references, logical);
  if (draft.plain === true) {
    const subject = references.find(({ path }) => path === `${draft.type}.subject`);
    await refuseOtherPatient(house, call, draft, subject && targetOf(house, subject, logical), links, drafts);
  }
  // what belongs to a referral is seen with it: a key of its own would outlive the caller's place on the shortlist
  const { callerOrganisation: _caller, ...withoutCaller } = facts;
  const isLinked = links.some(({ child }) => child.type === draft.type && child.id === draft.id);
  const claims = [...claimsOf(resource), ...parameter.claims];
  const kept = new Set(claims.map(({ kind, key }) => `${kind}|${key}`));
  const put: Put = {
    ...bare(draft, lastUpdated),
    body: stringifyJson(resource),
    values: [...extracted, ...otherReferences(house, draft.type, references, extracted)],
    accessKeys: [
      ...(isLinked
        ? accessKeysOf(resource, withoutCaller)
        : new Set([...accessKeysOf(resource, facts), ...(await authorsBefore(house, draft))])),
      ...(await authorKeys(house, call, draft)),
    ],
    accessLinks: links,
  };
  if (draft.plain === true && !isLinked) refuseUnreadable(call, put);
  return {
    put,
    contained: await containedPuts(house, { ...draft, resource }, put, context),
    claims,
    expects: house.integrity ? await versionsReferredTo(house, draft, references, drafts) : [],
    releases: [...(await heldBefore(house, draft, owner)), ...parameter.releases].filter(({ kind, key }) => !kept.has(`${kind}|${key}`)),
    entries: [...parameter.entries, ...scans],
  };
};

/** A diary that is somebody else's now does not become one's own by saying so. */
export const checkOwnBefore = async (house: House, call: Call, draft: Pick<Draft, 'type' | 'id' | 'version'>): Promise<void> => {
  if (draft.version === 0 || call.caller.kind === 'system' || !isOwned(draft.type)) return;
  const stored = await house.store.findVersion(draft, draft.version, 'all');
  if (stored?.body === undefined) return;
  const before = JSON.parse(stored.body) as Resource;
  const references = findReferences(before, before.resourceType);
  const logical = await resolveLogical(house, references, []);
  checkOwnOrganisation(call.caller, before, await accessFacts(house, call, before, references, logical, []));
};

/** Whoever wrote a record that no referral opens keeps it when another one, or the server, changes it. */
const authorsBefore = async (house: House, draft: Draft): Promise<readonly string[]> => {
  // an organisation's place in these is in the record itself
  if (draft.version === 0 || keyed.has(draft.type) || isOpen(draft.type)) return [];
  return (await house.store.keysOf(draft)).filter((key) => key.startsWith('organisation:'));
};

const bare = (draft: Draft, lastUpdated: number) => ({
  type: draft.type,
  id: draft.id,
  version: draft.version,
  lastUpdated,
  values: [],
  accessKeys: [],
  accessLinks: [],
});

const heldBefore = async (house: House, draft: Draft, owner: string): Promise<readonly Claim[]> => {
  if (draft.version === 0 || !['Appointment', 'ServiceRequest'].includes(draft.type)) return [];
  const before = await house.store.findVersion(draft, draft.version, 'all');
  return before?.body === undefined ? [] : claimsOf(JSON.parse(before.body) as Resource).map((claim) => ({ ...claim, owner }));
};
