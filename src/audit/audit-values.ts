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

const nameOf = ({ system = '', value = '' }: Identifier): string => `${system}|${value}`;

/**
 * The index values of AuditEvents, once the house stands (the trail is opened before it); agents by identifier are found by reference too, as everywhere (the one
 * resource that has it).
 */
export const auditValues = (
  store: Store,
  house: Promise<Pick<House, 'extract' | 'baseUrl' | 'timeZone'>>,
): ((resource: Resource) => Promise<readonly Value[]>) => {
  const known = new Map<string, Key | undefined>();
  /** searches that run: the lines of one commit name the same few again and again */
  const asked = new Map<string, Promise<Key | undefined>>();
  const search = async (type: string, { system = '', value = '' }: Identifier): Promise<Key | undefined> => {
    const where = [{ kind: 'token', param: 'identifier', any: [{ system, code: value }] }] as const;
    const { rows } = await store.search({ type, where, sort: [], count: 2 }, 'all');
    const only = rows.length === 1 ? rows[0] : undefined;
    return only && { type, id: only.id };
  };
  const find = async (identifier: Identifier): Promise<void> => {
    const type = typeOf[identifier.system ?? ''];
    const name = nameOf(identifier);
    if (type === undefined || known.has(name)) return;
    const running = asked.get(name) ?? search(type, identifier).finally(() => asked.delete(name));
    asked.set(name, running);
    const key = await running;
    if (known.size >= most) known.clear();
    known.set(name, key);
  };
  return async (resource) => {
    const identifiers = findReferences(resource, 'AuditEvent').flatMap(({ reference, identifier }) =>
      reference === undefined && identifier ? [identifier] : [],
    );
    for (const identifier of identifiers) await find(identifier);
    const { extract, baseUrl, timeZone } = await house;
    return extract(resource, {
      resolve: ({ identifier }) => known.get(nameOf(identifier)),
      baseUrl,
      timeZone,
    });
  };
};
