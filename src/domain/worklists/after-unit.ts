import { referenceTo } from '../../fhir/resource.js';
import type { Predicate, Put, Reader, Unit } from '../../store/port.js';
import { foundOf, type Facts } from '../command.js';

const meets = ({ values }: Put, predicate: Predicate): boolean => {
  if (predicate.kind === 'reference')
    return values.some(
      (value) =>
        value.kind === 'reference' &&
        value.param === predicate.param &&
        predicate.any.some(({ type, id }) => value.target.type === type && value.target.id === id),
    );
  if (predicate.kind !== 'token' || predicate.not === true) throw new Error(`${predicate.kind} is not asked of a unit`);
  return values.some(
    (value) =>
      value.kind === 'token' &&
      value.param === predicate.param &&
      predicate.any.some(
        ({ system, code }) => (code === undefined || code === value.code) && (system === undefined || system === value.system),
      ),
  );
};

/** Nothing that is stored can refer to what the unit makes. */
const isOfUnit = (puts: ReadonlyMap<string, Put>, predicate: Predicate): boolean =>
  predicate.kind === 'reference' && predicate.any.every((key) => puts.get(referenceTo(key))?.version === 0);

/**
 * The facts as they will be when a unit is committed: what it writes, takes and gives back, over what the store has. With `integrity`
 * nothing that is stored refers to what the unit makes, which is then not looked for.
 */
export const factsAfter = (reader: Pick<Reader, 'find' | 'findClaim' | 'search'>, unit: Unit, integrity: boolean): Facts => {
  const puts = new Map((unit.puts ?? []).map((put) => [referenceTo(put), put]));
  const search: Facts['search'] = async ({ type, where, sort = [], count }) => {
    const isNew = integrity && where.some((predicate) => isOfUnit(puts, predicate));
    const rows = isNew ? [] : (await reader.search({ type, where, sort, count }, 'all')).rows;
    const stored = rows.filter((row) => !puts.has(referenceTo(row)));
    const own = [...puts.values()].filter((put) => put.type === type && where.every((predicate) => meets(put, predicate)));
    const written = own.map((put) => ({ ...put, version: put.version + 1 }));
    return [...stored, ...written].flatMap((row) => foundOf(row) ?? []);
  };
  return {
    find: async (key) => {
      const put = puts.get(referenceTo(key));
      return foundOf(put ? { ...put, version: put.version + 1 } : await reader.find(key, 'all'));
    },
    byIdentifier: async (type, system, code) => {
      const found = await search({ type, where: [{ kind: 'token', param: 'identifier', any: [{ system, code }] }], count: 2 });
      return found.length === 1 ? found[0] : undefined;
    },
    findClaim: async (kind, key) => {
      const own = unit.claims?.find((claim) => claim.kind === kind && claim.key === key);
      if (own) return own;
      const held = await reader.findClaim(kind, key);
      const released = unit.releases?.some((claim) => claim.kind === kind && claim.key === key && claim.owner === held?.owner);
      return released === true ? undefined : held;
    },
    search,
  };
};
