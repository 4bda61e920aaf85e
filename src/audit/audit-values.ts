import { systems } from '../domain/codes.js';
import { findReferences } from '../fhir/references.js';
import type { Key, Resource } from '../fhir/resource.js';
import type { House } from '../interactions/house.js';
import type { Store, Value } from '../store/port.js';

/** The one type that each identifier system of an agent means. */
const typeOf: Readonly<Record<string, string>> = {
  [systems.sdsUser]: 'Practitioner',
  [systems.organisation]: 'Organization',
  [systems.nhsNumber]: 'Patient',
};
const most = 10_000;
type Identifier = { readonly system?: string; readonly value?: string };

/**
 * The index values of AuditEvents, once the house stands (the trail is opened before it); agents by identifier are found by reference too, as everywhere (the one
 * resource that has it).
 */
export const auditValues = (
  store: Store,
  house: Promise<Pick<House, 'extract' | 'baseUrl' | 'timeZone'>>,
): ((resource: Resource) => Promise<readonly Value[]>) => {
  const known = new Map<string, Key | undefined>();
  const keyOf = async ({ system = '', value = '' }: Identifier): Promise<Key | undefined> => {
    const type = typeOf[system];
    const name = `${system}|${value}`;
    if (type === undefined || known.has(name)) return known.get(name);
    const where = [{ kind: 'token', param: 'identifier', any: [{ system, code: value }] }] as const;
    const { rows } = await store.search({ type, where, sort: [], count: 2 }, 'all');
    if (known.size >= most) known.clear();
    const only = rows.length === 1 ? rows[0] : undefined;
    known.set(name, only && { type, id: only.id });
    return known.get(name);
  };
  return async (resource) => {
    const identifiers = findReferences(resource, 'AuditEvent').flatMap(({ reference, identifier }) =>
      reference === undefined && identifier ? [identifier] : [],
    );
    for (const identifier of identifiers) await keyOf(identifier);
    const { extract, baseUrl, timeZone } = await house;
    return extract(resource, {
      resolve: ({ identifier }) => known.get(`${identifier.system ?? ''}|${identifier.value ?? ''}`),
      baseUrl,
      timeZone,
    });
  };
};
