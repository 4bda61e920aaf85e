import { isOpen } from '../access/policy.js';
import { systems } from '../domain/codes.js';
import type { Draft } from '../domain/command.js';
import { findReferences, type FoundReference } from '../fhir/references.js';
import type { Key, Resource } from '../fhir/resource.js';
import type { House } from './house.js';

export const identifierKey = (identifier: { readonly system?: string; readonly value?: string }): string =>
  `${identifier.system ?? ''}|${identifier.value ?? ''}`;

/** Types that a logical reference of the NHS may mean, by identifier system. */
const identified: Readonly<Record<string, readonly string[]>> = {
  [systems.nhsNumber]: ['Patient'],
  [systems.organisation]: ['Organization'],
  [systems.sdsUser]: ['Practitioner'],
  [systems.service]: ['HealthcareService'],
  'https://fhir.nhs.uk/Id/dos-service-id': ['HealthcareService'],
};

/** The resources that identifier-only references stand for, where exactly one has the identifier. */
export const resolveLogical = async (
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

/**
 * The resources that the identifier-only references of a stored resource stand for, for what indexes it anew: what is open, or what one
 * of the row's own readers may see. Its writer may not have seen more, and it must not tell him now.
 */
export const logicalReferences = async (house: House, row: Key, resource: Resource): Promise<ReadonlyMap<string, Key>> => {
  const found = await resolveLogical(house, findReferences(resource, resource.resourceType), []);
  if ([...found.values()].every(({ type }) => isOpen(type))) return found;
  const keys = await house.store.keysOf(row);
  const kept = new Map<string, Key>();
  for (const [name, key] of found) if (isOpen(key.type) || (await house.store.find(key, { keys }))?.body !== undefined) kept.set(name, key);
  return kept;
};

const hasIdentifier = (resource: Resource, wanted: { readonly system?: string; readonly value?: string }): boolean =>
  Array.isArray(resource['identifier']) &&
  (resource['identifier'] as readonly { system?: string; value?: string }[]).some(
    ({ system, value }) => system === wanted.system && value === wanted.value,
  );
