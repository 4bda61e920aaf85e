import { accessKeysOf, checkOwnOrganisation, isOwned, type AccessFacts } from '../access/access-keys.js';
import { checkConstraint } from '../access/narrow-plan.js';
import { isOpen } from '../access/policy.js';
import { claimsOf } from '../domain/claims.js';
import { withoutActivation } from '../domain/subscription-status.js';
import { foundOf, type Draft } from '../domain/command.js';
import { stringifyJson } from '../fhir/json.js';
import { failure } from '../fhir/outcome.js';
import { findReferences, readReference, type FoundReference } from '../fhir/references.js';
import { referenceTo, type Key, type Resource } from '../fhir/resource.js';
import type { Context } from '../fhir/search/extract.js';
import type { AccessLink, Claim, EntryPut, Put, Value } from '../store/port.js';
import { relinked } from './bundle-links.js';
import { refuseInvalid } from './checked.js';
import { containedPuts, fragmentsOf } from './contained.js';
import { awaitingScan } from './document-scan.js';
import { gatherForValidation } from './gather-validation.js';
import type { Call, House } from './house.js';
import { onlySeen, refuseUnseen } from './unseen.js';

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
  const { resourceType, id: _id, meta, ...rest } = resource;
  // a client may send anything: what is no object is left for the validation to refuse as it is
  const isMeta = meta === undefined || (typeof meta === 'object' && !Array.isArray(meta));
  const own = { versionId: String(version), lastUpdated: new Date(lastUpdated).toISOString() };
  return { resourceType, id: key.id, meta: isMeta ? { ...meta, ...own } : meta, ...rest };
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
  const parameter = await house.customParameters.consequences({ ...draft, resource }, drafts);
  await house.customParameters.fresh();
  const references = findReferences(resource, resource.resourceType);
  const logical = await onlySeen(house, call, draft, await resolveLogical(house, references, drafts), drafts);
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
  }
  const links = linksOf(house, draft, resource, references, logical);
  // what belongs to a referral is seen with it: a key of its own would outlive the caller's place on the shortlist
  const { callerOrganisation: _caller, ...withoutCaller } = facts;
  const isLinked = links.some(({ child }) => child.type === draft.type && child.id === draft.id);
  const claims = [...claimsOf(resource), ...parameter.claims];
  const kept = new Set(claims.map(({ kind, key }) => `${kind}|${key}`));
  const put: Put = {
    ...bare(draft, lastUpdated),
    body: stringifyJson(resource),
    values: [...extracted, ...otherReferences(house, draft.type, references, extracted)],
    accessKeys: isLinked
      ? accessKeysOf(resource, withoutCaller)
      : [...new Set([...accessKeysOf(resource, facts), ...(await authorsBefore(house, draft))])],
    accessLinks: links,
  };
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
const checkOwnBefore = async (house: House, call: Call, draft: Draft): Promise<void> => {
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

const identifierKey = (identifier: { readonly system?: string; readonly value?: string }): string =>
  `${identifier.system ?? ''}|${identifier.value ?? ''}`;

/** Types that a logical reference of the NHS may mean, by identifier system. */
const identified: Readonly<Record<string, readonly string[]>> = {
  'https://fhir.nhs.uk/Id/nhs-number': ['Patient'],
  'https://fhir.nhs.uk/Id/ods-organization-code': ['Organization'],
  'https://fhir.nhs.uk/Id/sds-user-id': ['Practitioner'],
  'https://fhir.nhs.uk/Id/ers-service': ['HealthcareService'],
  'https://fhir.nhs.uk/Id/dos-service-id': ['HealthcareService'],
};

/** The resources that identifier-only references stand for, where exactly one has the identifier. */
const resolveLogical = async (
  house: House,
  references: readonly FoundReference[],
  drafts: readonly Draft[],
): Promise<ReadonlyMap<string, Key>> => {
  const found = new Map<string, Key>();
  for (const { reference, identifier } of references) {
    if (reference !== undefined || identifier?.value === undefined) continue;
    const key = identifierKey(identifier);
    for (const type of found.has(key) ? [] : (identified[identifier.system ?? ''] ?? [])) {
      const page = await house.store.search(
        {
          type,
          where: [{ kind: 'token', param: 'identifier', any: [{ system: identifier.system ?? '', code: identifier.value }] }],
          sort: [],
          count: 2,
        },
        'all',
      );
      const drafted = drafts.filter(({ resource }) => resource?.resourceType === type && hasIdentifier(resource, identifier));
      const all = [...page.rows.filter(({ id }) => !drafted.some((draft) => draft.id === id)), ...drafted];
      if (all.length === 1 && all[0]) found.set(key, { type, id: all[0].id });
    }
  }
  return found;
};

/** How the identifier-only references of a stored resource resolve, for what indexes it anew. */
export const logicalReferences = async (
  house: House,
  resource: Resource,
): Promise<(reference: { readonly identifier: { readonly system?: string; readonly value?: string } }) => Key | undefined> => {
  const found = await resolveLogical(house, findReferences(resource, resource.resourceType), []);
  return ({ identifier }) => found.get(identifierKey(identifier));
};

const hasIdentifier = (resource: Resource, wanted: { readonly system?: string; readonly value?: string }): boolean =>
  Array.isArray(resource['identifier']) &&
  (resource['identifier'] as readonly { system?: string; value?: string }[]).some(
    ({ system, value }) => system === wanted.system && value === wanted.value,
  );

/** Literal local references that no search parameter covers: kept under `*`, so that every one of them must resolve. */
const otherReferences = (
  house: House,
  type: string,
  references: readonly FoundReference[],
  extracted: readonly Value[],
): readonly Value[] => {
  const offered = house.searchParameters.of(type);
  // a parameter that was added may go again, and with it what it covers
  const covers = (param: string): boolean => offered.get(param)?.added === undefined;
  const covered = new Set(
    extracted.flatMap((value) => (value.kind === 'reference' && covers(value.param) ? [referenceTo(value.target)] : [])),
  );
  const values: Value[] = [];
  for (const { reference, path } of references) {
    if (reference === undefined) continue;
    const target = readReference(reference, house.baseUrl);
    if (!target && house.integrity && !isForeign(reference))
      throw failure(
        'business-rule',
        'not-found',
        `${reference.slice(0, 200)} is no reference that can resolve: it is neither Type/id nor the address of something elsewhere.`,
        {
          expression: [`${path}.reference`],
        },
      );
    if (!target || covered.has(referenceTo(target))) continue;
    if (!house.registry.has(target.type) && !house.integrity) continue;
    if (!house.registry.has(target.type))
      throw failure('business-rule', 'not-found', `References to ${target.type} cannot resolve: this server does not serve that type.`, {
        expression: [`${path}.reference`],
      });
    covered.add(referenceTo(target));
    values.push({ kind: 'reference', param: '*', target: { type: target.type, id: target.id } });
  }
  return values;
};

/**
 * Inside of the resource, or with a scheme of its own. What is named by a UUID or OID alone is another entry of the same Bundle, and one
 * that is still there when the entries were put in their places is none of them.
 */
const isForeign = (reference: string): boolean =>
  reference.startsWith('#') || (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(reference) && !/^urn:(uuid|oid):/i.test(reference));

/**
 * R4 references.html#versions: a versioned reference is to the current version when it is written, and the commit makes sure that it
 * still is. One that the version before had already may have grown old since.
 */
const versionsReferredTo = async (
  house: House,
  draft: Draft,
  references: readonly FoundReference[],
  drafts: readonly Draft[],
): Promise<Sealed['expects']> => {
  const expects: (Key & { readonly version: number })[] = [];
  for (const { reference, path } of references) {
    const target = reference === undefined ? undefined : readReference(reference, house.baseUrl);
    if (reference === undefined || target?.version === undefined || (await hadBefore(house, draft, reference))) continue;
    const drafted = drafts.find(({ type, id }) => type === target.type && id === target.id);
    const current = drafted ? drafted.version + 1 : (await house.store.find(target, 'all'))?.version;
    if (current === undefined || String(current) !== target.version)
      throw failure('conflict', 'conflict', `${reference} is not the current version of ${referenceTo(target)}.`, {
        expression: [`${path}.reference`],
      });
    if (!drafted) expects.push({ type: target.type, id: target.id, version: current });
  }
  return expects;
};

const hadBefore = async (house: House, draft: Draft, reference: string): Promise<boolean> =>
  draft.version > 0 && (await house.store.findVersion(draft, draft.version, 'all'))?.body?.includes(JSON.stringify(reference)) === true;

const targetOf = (house: House, reference: FoundReference, logical: ReadonlyMap<string, Key>): Key | undefined =>
  reference.reference !== undefined
    ? readReference(reference.reference, house.baseUrl)
    : reference.identifier && logical.get(identifierKey(reference.identifier));

/** A letter, an appointment or a task may be read by who may read its referral; a patient by who may read a referral about him. */
const linksOf = (
  house: House,
  draft: Draft,
  resource: Resource,
  references: readonly FoundReference[],
  logical: ReadonlyMap<string, Key>,
): readonly AccessLink[] => {
  const self = { type: draft.type, id: draft.id };
  const links: AccessLink[] = [];
  for (const reference of references) {
    const target = targetOf(house, reference, logical);
    if (!target) continue;
    if (draft.type === 'ServiceRequest' && target.type === 'Patient' && reference.path === 'ServiceRequest.subject')
      links.push({ child: target, root: self });
    else if (draft.type !== 'ServiceRequest' && target.type === 'ServiceRequest') links.push({ child: self, root: target });
  }
  const referral = links.find(({ child }) => child.id === self.id)?.root;
  if (draft.type === 'DocumentReference' && referral)
    for (const url of attachmentUrls(resource)) {
      const binary = readReference(url, house.baseUrl);
      if (binary?.type === 'Binary') links.push({ child: { type: 'Binary', id: binary.id }, root: referral });
    }
  return links;
};

const attachmentUrls = (resource: Resource): readonly string[] =>
  Array.isArray(resource['content'])
    ? (resource['content'] as readonly { attachment?: { url?: string } }[]).flatMap(({ attachment }) => attachment?.url ?? [])
    : [];

/** The ODS codes behind the references of a resource, gathered before the pure policy asks for them. */
const accessFacts = async (
  house: House,
  call: Call,
  resource: Resource,
  references: readonly FoundReference[],
  logical: ReadonlyMap<string, Key>,
  drafts: readonly Draft[],
): Promise<AccessFacts> => {
  const codes = new Map<string, string>();
  const read = async (key: Key): Promise<Resource | undefined> => {
    const drafted = drafts.findLast(({ type, id }) => type === key.type && id === key.id)?.resource;
    if (drafted) return drafted;
    const stored = await house.store.find(key, 'all');
    return foundOf(stored)?.resource;
  };
  const odsOf = async (key: Key, depth: number): Promise<string | undefined> => {
    if (!carriers.has(key.type) || depth > 2) return undefined;
    const found = await read(key);
    if (!found) return undefined;
    if (found.resourceType === 'Organization') return odsIdentifier(found);
    const next = nextOf(found);
    const target = next?.reference === undefined ? undefined : readReference(next.reference, house.baseUrl);
    return target ? odsOf(target, depth + 1) : next?.identifier?.value;
  };
  // a system client may write any organisation's diary, and open types carry no keys: nothing to gather
  if (keyed.has(resource.resourceType) && !(call.caller.kind === 'system' && isOpen(resource.resourceType)))
    for (const reference of references) {
      const target = targetOf(house, reference, logical);
      const code = target && (await odsOf(target, 0));
      if (target && code !== undefined) codes.set(referenceTo(target), code);
    }
  return {
    organisationOf: (key) => codes.get(referenceTo(key)),
    keyOf: (identifier) => logical.get(identifierKey(identifier)),
    ...(call.caller.organisation === undefined ? {} : { callerOrganisation: call.caller.organisation }),
  };
};

/** Types whose access keys name organisations. */
const keyed = new Set(['Patient', 'ServiceRequest', 'Appointment', 'Schedule', 'Slot']);
const carriers = new Set(['Organization', 'PractitionerRole', 'HealthcareService', 'Location', 'Schedule']);

/** The reference that leads from a directory entry towards its organisation. */
const nextOf = (found: Resource): { readonly reference?: string; readonly identifier?: { readonly value?: string } } | undefined => {
  const element = {
    PractitionerRole: 'organization',
    HealthcareService: 'providedBy',
    Location: 'managingOrganization',
    Schedule: 'actor',
  }[found.resourceType];
  const value = element === undefined ? undefined : found[element];
  return (Array.isArray(value) ? value[0] : value) as { reference?: string } | undefined;
};

const odsIdentifier = (resource: Resource): string | undefined =>
  (resource['identifier'] as readonly { system?: string; value?: string }[] | undefined)?.find(
    ({ system }) => system === 'https://fhir.nhs.uk/Id/ods-organization-code',
  )?.value;
