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
  private sealed: Heads = [];

  constructor(
    private readonly store: Pick<Store, 'auditChains' | 'auditLinks' | 'commit'>,
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
    if (!(await this.tellsMore(heads))) return undefined;
    const jws = await this.keys.seal(sealType, { heads, iat: Math.floor(this.clock() / 1000) });
    await this.store.commit({ audit: [sealLine(jws)] });
    this.sealed = heads;
    return jws;
  }

  /** Whether a chain has grown by more than seals: else two idle processes would seal each other's seals for ever. */
  private async tellsMore(heads: Heads): Promise<boolean> {
    for (const { chain, number } of heads) {
      let at = this.sealed.find((head) => head.chain === chain)?.number ?? 0;
      while (at < number) {
        const [link] = await this.store.auditLinks(chain, at, 1);
        if (link === undefined) break;
        if (link.body.split('\n').some((line) => sealOf(line) === undefined)) return true;
        at = link.number;
      }
    }
    return false;
  }
}
