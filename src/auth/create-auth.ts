import { randomUUID } from 'node:crypto';
import { RateLimit } from '../access/rate-limit.js';
import type { RefusalBudget } from '../access/refusal-budget.js';
import { Taken, type Store } from '../store/port.js';
import { keyFinder } from './client-assertion.js';
import type { Client, ClientRegistry } from './client.js';
import { makeDemoClients, registryOf } from './demo-clients.js';
import { makeDemoIssuers } from './demo-issuers.js';
import { openKeyring, type Keyring } from './keyring.js';
import { RemoteKeys } from './remote-keys.js';
import { storedClients } from './stored-clients.js';
import {
  accessCodeReader,
  accessCodeType,
  idTokenReader,
  idTokenType,
  type AccessCode,
  type BirthDates,
  type IdentityIssuer,
} from './subjects.js';
import { createTokenEndpoint, type TokenEndpoint } from './token-endpoint.js';

export type AuthParts = {
  readonly store: Store;
  readonly demo: boolean;
  /** DATA_DIR, for the keys of demo clients and issuers */
  readonly dataDir: string;
  readonly issuers: readonly IdentityIssuer[];
  readonly rotationMs: number;
  /** epoch ms */
  readonly clock: () => number;
  /** the server's root: scheme, host and port */
  readonly origin: () => string;
  /** false for a granular scope whose search parameters cannot be enforced */
  readonly enforceable: (type: string, query: string) => boolean;
  /** tokens a second of one client without a rate of its own; undefined: no limit */
  readonly rateLimit: number | undefined;
  readonly refusals: RefusalBudget;
  /** answers the NHS number behind a UBRN, its access code and the year of birth; counts failures and locks by itself */
  readonly checkAccessCode: (code: AccessCode) => Promise<string | undefined>;
  readonly birthDateOf: BirthDates;
};

export type Auth = { readonly tokens: TokenEndpoint; readonly keys: Keyring; readonly clients: ClientRegistry };

const replayGuard = (store: Store) => ({
  claim: async (key: string, expires: number): Promise<boolean> => {
    try {
      await store.commit({ claims: [{ kind: 'jti', key, owner: 'token', expires }] });
      return true;
    } catch (error) {
      if (error instanceof Taken) return false;
      throw error;
    }
  },
});

/** Tokens are counted apart from requests, at the same rate: who asks for one with each request gets no further. */
const throttleOf =
  (limit: RateLimit, standard: number | undefined) =>
  async ({ id, kind, ratePerSecond }: Client): Promise<number> => {
    const rate = ratePerSecond ?? (kind === 'system' ? undefined : standard);
    if (rate === undefined) return 0;
    const { allowed, resetSeconds } = await limit.take(`token ${id}`, rate);
    return allowed ? 0 : resetSeconds;
  };

/** The token URL of this server; under DEMO by any loopback name (a client may say localhost where the server says 127.0.0.1). */
const isAudience = (audience: string, origin: string, demo: boolean): boolean => {
  if (audience === `${origin}/oauth2/token`) return true;
  const { port, protocol } = new URL(origin);
  return demo && ['127.0.0.1', 'localhost', '[::1]'].some((host) => audience === `${protocol}//${host}:${port}/oauth2/token`);
};

/** Without DEMO nobody is taken at a client's word: a claim in an assertion is no login. */
const refuseAsserting = async (clients: ClientRegistry): Promise<void> => {
  const asserting = (await clients.list()).filter(({ assertsUsers, assertsPatients }) => assertsUsers ?? assertsPatients);
  if (asserting.length > 0)
    throw new Error(
      `Only under DEMO may clients assert users or patients: ${asserting.map(({ id }) => id).join(', ')} must be registered anew for token exchange.`,
    );
};

/** Everything of `auth/`: the token endpoint, the server's keys and the registered clients. */
export const createAuth = async (parts: AuthParts): Promise<Auth> => {
  const { store, clock, demo } = parts;
  const keys = await openKeyring({ store, clock, rotationMs: parts.rotationMs });
  const given = demo ? await makeDemoClients({ directory: parts.dataDir }) : registryOf([]);
  const clients = storedClients(store, given, clock);
  if (!demo) await refuseAsserting(clients);
  const remote = new RemoteKeys(demo, clock);
  const issuers = [...parts.issuers, ...(demo ? await makeDemoIssuers(parts.dataDir) : [])];
  const tokens = createTokenEndpoint({
    registry: clients,
    keys,
    keysOf: keyFinder(remote),
    enforceable: parts.enforceable,
    subjects: {
      [idTokenType]: idTokenReader(issuers, remote, parts.birthDateOf),
      [accessCodeType]: accessCodeReader(parts.checkAccessCode),
    },
    replay: replayGuard(store),
    throttle: throttleOf(new RateLimit(store, clock), parts.rateLimit),
    refusals: parts.refusals,
    clock,
    ids: randomUUID,
    audiences: (audience) => isAudience(audience, parts.origin(), demo),
    issuer: parts.origin,
  });
  return { tokens, keys, clients };
};
