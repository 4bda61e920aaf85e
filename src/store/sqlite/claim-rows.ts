import { Taken, type Claim, type Unit } from '../port.js';
import type { Connection } from './connection.js';

const nameOf = ({ kind, key }: Claim): string => `${kind}|${key}`;

/** `expires`: epoch ms; null: never */
type Holder = { readonly owner: string; readonly expires: number | null };

/** Who has a claim while a unit is looked at: its own releases and takings over what is stored. */
class Held {
  private readonly known = new Map<string, Holder | undefined>();

  constructor(
    private readonly connection: Connection,
    releases: readonly Claim[],
  ) {
    for (const release of releases) if (this.of(release)?.owner === release.owner) this.known.set(nameOf(release), undefined);
  }

  of(claim: Claim): Holder | undefined {
    const name = nameOf(claim);
    if (this.known.has(name)) return this.known.get(name);
    return this.connection.get('select owner, expires from claim where kind = ? and key = ?', claim.kind, claim.key) as Holder | undefined;
  }

  note(claim: Claim): void {
    this.known.set(nameOf(claim), { owner: claim.owner, expires: claim.expires ?? null });
  }
}

/**
 * The claims of a unit that are to be written. Throws Taken for one that somebody else has; the same owner may renew, but a jti is used once.
 *
 * @param now epoch ms
 */
export const claimsToWrite = (connection: Connection, { claims = [], releases = [] }: Unit, now: number): readonly Claim[] => {
  const held = new Held(connection, releases);
  return claims.filter((claim) => {
    const before = held.of(claim);
    const isHeld = before !== undefined && (before.expires === null || before.expires > now);
    if (isHeld && (before.owner !== claim.owner || claim.kind === 'jti')) throw new Taken(claim);
    held.note(claim);
    // what a record had before and keeps: its number, its slot
    return before?.owner !== claim.owner || before.expires !== (claim.expires ?? null);
  });
};

export const releaseClaims = (connection: Connection, releases: readonly Claim[]): void => {
  for (const { kind, key, owner } of releases)
    connection.run('delete from claim where kind = ? and key = ? and owner = ?', kind, key, owner);
};

export const writeClaims = (connection: Connection, claims: readonly Claim[]): void => {
  for (const { kind, key, owner, expires } of claims)
    connection.run(
      'insert into claim (kind, key, owner, expires) values (?, ?, ?, ?) on conflict (kind, key) do update set owner = excluded.owner, expires = excluded.expires',
      kind,
      key,
      owner,
      expires ?? null,
    );
};
