import type { Keyring } from '../auth/keyring.js';
import type { AuditLink, Store } from '../store/port.js';

/** RFC 7515 header `typ` of a seal: no access token, and no token is one */
export const sealType = 'audit-seal+jwt';
export type Heads = readonly Omit<AuditLink, 'body'>[];

/** A line of a chain that is a seal. */
export const sealLine = (jws: string): string => `{"seal":"${jws}"}`;
export const sealOf = (line: string): string | undefined => /^\{"seal":"([\w\-.]+)"\}$/.exec(line)?.[1];

/**
 * Signs the heads of every chain and writes the seal as a link of this process's own chain: so each chain says where the others were,
 * and cutting the end off one shows in the rest.
 */
export class Sealer {
  private last = '';

  constructor(
    private readonly store: Pick<Store, 'auditChains' | 'commit'>,
    private readonly keys: Pick<Keyring, 'seal'>,
    private readonly clock: () => number,
  ) {}

  /**
   * Called at the start, once a minute and at the end; writes nothing when no chain has grown but by seals.
   *
   * @returns the seal, to be kept elsewhere as well
   */
  async seal(): Promise<string | undefined> {
    const heads = await this.store.auditChains();
    const state = JSON.stringify(heads);
    if (heads.length === 0 || state === this.last) return undefined;
    const jws = await this.keys.seal(sealType, { heads, iat: Math.floor(this.clock() / 1000) });
    await this.store.commit({ audit: [sealLine(jws)] });
    // what the seal itself added is no reason for another
    this.last = JSON.stringify(await this.store.auditChains());
    return jws;
  }
}
