import { Stale, Taken, type Claim, type Entry, type Store, type Unit } from '../../src/store/port.js';

/** Claims and entries of a store that several processes share, in memory, with the rules of the real ones. */
export const memoryStore = (clock: () => number): Pick<Store, 'commit' | 'findClaim' | 'findEntry'> => {
  const claims = new Map<string, Claim>();
  const entries = new Map<string, Entry>();
  const nameOf = ({ kind, key }: { readonly kind: string; readonly key: string }): string => `${kind}|${key}`;
  const check = (claim: Claim): void => {
    const held = claims.get(nameOf(claim));
    if (held && (held.expires ?? Infinity) > clock() && held.owner !== claim.owner) throw new Taken(claim);
  };
  return {
    findClaim: (kind, key) => Promise.resolve(claims.get(nameOf({ kind, key }))),
    findEntry: (kind, key) => Promise.resolve(entries.get(nameOf({ kind, key }))),
    commit: async (unit: Unit) => {
      await new Promise(setImmediate);
      for (const release of unit.releases ?? []) if (claims.get(nameOf(release))?.owner === release.owner) claims.delete(nameOf(release));
      (unit.claims ?? []).forEach(check);
      for (const entry of unit.entries ?? [])
        if ((entries.get(nameOf(entry))?.version ?? 0) !== entry.version) throw new Stale({ type: entry.kind, id: entry.key });
      for (const claim of unit.claims ?? []) claims.set(nameOf(claim), claim);
      for (const { body = '', ...entry } of unit.entries ?? []) entries.set(nameOf(entry), { ...entry, body, version: entry.version + 1 });
    },
  };
};
