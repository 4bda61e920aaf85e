import type { AccessFacts } from '../access/access-keys.js';
import { isOpen } from '../access/policy.js';
import { foundOf, type Draft } from '../domain/command.js';
import { readReference, type FoundReference } from '../fhir/references.js';
import { referenceTo, type Key, type Resource } from '../fhir/resource.js';
import type { AccessLink } from '../store/port.js';
import type { Call, House } from './house.js';
import { identifierKey } from './logical-references.js';

export const targetOf = (house: House, reference: FoundReference, logical: ReadonlyMap<string, Key>): Key | undefined =>
  reference.reference !== undefined
    ? readReference(reference.reference, house.baseUrl)
    : reference.identifier && logical.get(identifierKey(reference.identifier));

/** A letter, an appointment or a task may be read by who may read its referral; a patient by who may read a referral about him. */
export const linksOf = (
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

export const attachmentUrls = (resource: Resource): readonly string[] =>
  Array.isArray(resource['content'])
    ? (resource['content'] as readonly { attachment?: { url?: string } }[]).flatMap(({ attachment }) => attachment?.url ?? [])
    : [];

/** The ODS codes behind the references of a resource, gathered before the pure policy asks for them. */
export const accessFacts = async (
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
export const keyed = new Set(['Patient', 'ServiceRequest', 'Appointment', 'Schedule', 'Slot']);
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
