import { failure } from '../fhir/outcome.js';
import { readReference } from '../fhir/references.js';
import type { Key, Resource } from '../fhir/resource.js';
import type { Caller } from './caller.js';
import { isOpen } from './policy.js';

/** What the keys of a resource depend on besides itself; all answers are gathered beforehand. */
export type AccessFacts = {
  /** ODS code of an Organization, or of the one that a HealthcareService, PractitionerRole, Location or Schedule belongs to */
  readonly organisationOf: (key: Key) => string | undefined;
  /** the one resource with this identifier, for logical references */
  readonly keyOf?: (identifier: { readonly system?: string; readonly value?: string }) => Key | undefined;
  /** ODS code of the caller that writes a record which no referral opens */
  readonly callerOrganisation?: string;
};

type Reference = { readonly reference?: unknown; readonly identifier?: { readonly system?: string; readonly value?: string } };

const odsSystem = 'https://fhir.nhs.uk/Id/ods-organization-code';
// Stored references are relative (BASE_URL is never stored), so an absolute one names a record of another server.
const noBase = 'about:blank';

const listOf = (value: unknown): readonly Reference[] =>
  (Array.isArray(value) ? value : [value]).filter((item): item is Reference => typeof item === 'object' && item !== null);

const keyOf = ({ reference, identifier }: Reference, facts: AccessFacts): Key | undefined => {
  if (typeof reference === 'string') return readReference(reference, noBase);
  return identifier === undefined ? undefined : facts.keyOf?.(identifier);
};

const organisationOf = (reference: Reference, facts: AccessFacts): string | undefined => {
  const key = keyOf(reference, facts);
  if (key) return facts.organisationOf(key);
  return reference.reference === undefined && reference.identifier?.system === odsSystem ? reference.identifier.value : undefined;
};

const organisations = (value: unknown, facts: AccessFacts): readonly string[] =>
  listOf(value).flatMap((reference) => organisationOf(reference, facts) ?? []);

const actors = (value: unknown): readonly Reference[] =>
  listOf(value).flatMap((participant) => listOf((participant as { actor?: unknown }).actor));

const patients = (values: readonly unknown[], facts: AccessFacts): readonly string[] =>
  values.flatMap(listOf).flatMap((reference) => {
    const key = keyOf(reference, facts);
    return key?.type === 'Patient' ? [key.id] : [];
  });

const keys = (patientIds: readonly string[], ods: readonly (string | undefined)[]): readonly string[] => [
  ...new Set([...patientIds.map((id) => `patient:${id}`), ...ods.flatMap((code) => (code === undefined ? [] : [`organisation:${code}`]))]),
];

/**
 * The access keys a resource carries: `patient:<Patient id>` and `organisation:<ODS>`; none for open types, which need none, and
 * for AuditEvent, which no key opens.
 */
export const accessKeysOf = (resource: Resource, facts: AccessFacts): readonly string[] => {
  const { resourceType: type } = resource;
  if (isOpen(type) || type === 'AuditEvent') return [];
  if (type === 'Patient')
    return keys(resource.id === undefined ? [] : [resource.id], organisations(resource['generalPractitioner'], facts));
  if (type === 'ServiceRequest') {
    const requester = organisations(resource['requester'], facts);
    return keys(patients([resource['subject']], facts), [
      ...(requester.length > 0 ? requester : [facts.callerOrganisation]),
      ...organisations(resource['performer'], facts),
    ]);
  }
  const participants = actors(resource['participant']);
  const subjects = patients([resource['subject'], resource['patient'], resource['for'], resource['beneficiary'], participants], facts);
  // The organisation that gives an appointment takes part in it through its service.
  return keys(subjects, [facts.callerOrganisation, ...(type === 'Appointment' ? organisations(participants, facts) : [])]);
};

const ownedTypes: ReadonlySet<string> = new Set(['Schedule', 'Slot']);

/** True for the types that only the organisation whose service they are of may write. */
export const isOwned = (type: string): boolean => ownedTypes.has(type);

/**
 * Schedule and Slot are written by the organisation whose service they are of (contract section 5): all actors of the Schedule, or
 * the Schedule of the Slot, must be the caller's own. Does nothing for `system` and for types without that rule.
 *
 * @throws Failure `forbidden`
 */
export const checkOwnOrganisation = (caller: Caller, resource: Resource, facts: Pick<AccessFacts, 'organisationOf' | 'keyOf'>): void => {
  if (caller.kind === 'system' || !isOwned(resource.resourceType)) return;
  const owners = listOf(resource.resourceType === 'Schedule' ? resource['actor'] : resource['schedule'])
    // A Practitioner or Device belongs to no single organisation: the service or location beside it decides.
    .filter((reference) => !['Practitioner', 'Device', 'Patient', 'RelatedPerson'].includes(keyOf(reference, facts)?.type ?? ''))
    .map((reference) => organisationOf(reference, facts));
  const own = caller.organisation !== undefined && owners.length > 0 && owners.every((ods) => ods === caller.organisation);
  if (!own) throw failure('forbidden', 'forbidden', `${resource.resourceType} is not of a service of the caller's own organisation`);
};
