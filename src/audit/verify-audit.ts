import type { Keyring } from '../auth/keyring.js';
import { linkHash } from '../store/audit-chain.js';
import type { Store } from '../store/port.js';
import { eventOf } from './audit-line.js';
import { sealOf, sealType, type Heads } from './seal.js';

export type AuditReport = {
  readonly chains: number;
  readonly links: number;
  readonly events: number;
  readonly seals: number;
  /** what is wrong, one sentence each; none: the trail is whole */
  readonly faults: readonly string[];
};

const together = 500;
const mostFaults = 100;

/** Walks one chain and tells of each link. */
const walk = async (
  store: Store,
  chain: string,
  each: (link: { readonly number: number; readonly hash: string; readonly lines: readonly string[] }) => Promise<void>,
  fault: (text: string) => void,
): Promise<void> => {
  let before = '';
  let number = 0;
  for (;;) {
    const links = await store.auditLinks(chain, number, together);
    if (links.length === 0) return;
    for (const link of links) {
      if (link.number !== number + 1) fault(`chain ${chain}: link ${String(number + 1)} is missing`);
      if (link.hash !== linkHash(chain, link.number, before, link.body)) fault(`chain ${chain}: link ${String(link.number)} was changed`);
      await each({ number: link.number, hash: link.hash, lines: link.body.split('\n') });
      before = link.hash;
      number = link.number;
    }
  }
};

/** The AuditEvents as resources must say what the chain says; one not indexed yet says nothing. */
const compare = async (store: Store, lines: readonly string[], fault: (text: string) => void): Promise<void> => {
  const texts = new Map(lines.map((line) => [(JSON.parse(line) as { id?: string }).id ?? '', eventOf(line)]));
  const found = await store.findMany(
    [...texts.keys()].map((id) => ({ type: 'AuditEvent', id })),
    'all',
  );
  for (const { id, body, version } of found)
    if (version !== 1 || body !== texts.get(id)) fault(`AuditEvent/${id} is not what its chain says`);
};

type Sealed = { readonly where: string; readonly heads: Heads };

/**
 * Checks every chain, every seal, and that the AuditEvents read as resources are those of the chains.
 *
 * @param kept seals that were kept elsewhere: what they saw must be there too
 */
export const verifyAudit = async (store: Store, keys: Pick<Keyring, 'unseal'>, kept: readonly string[] = []): Promise<AuditReport> => {
  const faults: string[] = [];
  const fault = (text: string): void => {
    if (faults.length < mostFaults) faults.push(text);
  };
  const hashes = new Map<string, string>();
  const seals = kept.map((jws, index) => ({ where: `kept seal ${String(index + 1)}`, jws }));
  const chains = await store.auditChains();
  let links = 0;
  let events = 0;
  for (const { chain } of chains) {
    let pending: string[] = [];
    const compareNow = async (): Promise<void> => {
      events += pending.length;
      await compare(store, pending, fault);
      pending = [];
    };
    await walk(
      store,
      chain,
      async ({ number, hash, lines }) => {
        links++;
        hashes.set(`${chain} ${String(number)}`, hash);
        for (const line of lines) {
          const jws = sealOf(line);
          if (jws === undefined) pending.push(line);
          else seals.push({ where: `chain ${chain}, link ${String(number)}`, jws });
        }
        if (pending.length >= together) await compareNow();
      },
      fault,
    );
    await compareNow();
  }
  for (const { where, jws } of seals) {
    const payload = (await keys.unseal(sealType, jws)) as Partial<Sealed> | undefined;
    if (!payload?.heads) fault(`${where}: the seal is not signed by this server`);
    for (const { chain, number, hash } of payload?.heads ?? [])
      if (hashes.get(`${chain} ${String(number)}`) !== hash)
        fault(`${where}: the seal saw link ${String(number)} of chain ${chain}, which is not there or differs`);
  }
  return { chains: chains.length, links, events, seals: seals.length, faults };
};
