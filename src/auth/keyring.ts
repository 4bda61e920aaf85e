import jose from 'node-jose';
import type { AccessClaims } from '../access/caller.js';
import { Failure } from '../fhir/outcome.js';
import { Stale, type Store } from '../store/port.js';
import type { Jwk } from './client.js';
import { makeEs256Key, publicPart } from './key-file.js';
import { readJws, type Jws } from './jws.js';

/** The server's own ES256 keys, shared by all its processes through the store. */
export type Keyring = {
  /** RFC 7517 section 5, public parts only: the key that signs, the next one and those whose tokens may still live */
  readonly publicJwks: () => { readonly keys: readonly Jwk[] };
  readonly sign: (claims: AccessClaims) => Promise<string>;
  /** throws Failure `login` with WWW-Authenticate when the token is not this server's, or has expired */
  readonly verify: (token: string) => Promise<AccessClaims>;
  /** true when this process remembers the token: to verify it again costs nothing */
  readonly isVerified: (token: string) => boolean;
  /** signs what is no access token; `type` is the header `typ` and keeps one from passing for the other */
  readonly seal: (type: string, payload: object) => Promise<string>;
  /** the payload of a seal that any key, also one long retired, has made; undefined for every other text */
  readonly unseal: (type: string, text: string) => Promise<Readonly<Record<string, unknown>> | undefined>;
  /** reads what other processes have made, and makes the next key when its time comes; called every half minute */
  readonly refresh: () => Promise<void>;
};

export type KeyringParts = {
  readonly store: Pick<Store, 'listEntries' | 'commit'>;
  /** epoch ms */
  readonly clock: () => number;
  /** how long a key signs */
  readonly rotationMs: number;
};

/** `from` and `until`, epoch ms: the time in which the key signs. Its private part goes when that has passed. */
type KeptKey = { readonly jwk: Jwk; readonly from: number; readonly until: number };
type Held = KeptKey & { readonly kid: string; readonly version: number; readonly entry: string; readonly key: jose.JWK.Key };

// RFC 9068 section 2.1: keeps any other JWT that these keys sign from passing as an access token
const accessToken = 'at+jwt';
const cacheSize = 10_000;
const longestToken = 16_384;
/** a token lives 10 minutes; the rest is for clocks that differ */
const overlapMs = 15 * 60_000;
const rereadMs = 1000;

const refused = (text: string): Failure =>
  new Failure(
    'login',
    [
      {
        severity: 'error',
        code: 'login',
        text,
        coding: { system: 'https://fhir.nhs.uk/CodeSystem/NHSD-API-ErrorOrWarningCode', code: 'ACCESS_DENIED' },
      },
    ],
    // RFC 6750 section 3
    { 'WWW-Authenticate': `Bearer error="invalid_token", error_description="${text}"` },
  );

/** Keys by period of the clock: period n signs from n x rotationMs on, so that processes agree without asking each other. */
class StoredKeys {
  private held: ReadonlyMap<string, Held> = new Map();
  private readAt = 0;

  constructor(private readonly parts: KeyringParts) {}

  async refresh(): Promise<void> {
    const { clock, rotationMs } = this.parts;
    await this.read();
    const now = clock();
    const period = Math.floor(now / rotationMs);
    const missing = [period];
    // published a tenth of its period (at least the overlap) before it signs, so that whoever caches the key set has it in time
    const ahead = Math.max(overlapMs, rotationMs / 10);
    if ((period + 1) * rotationMs - now <= ahead) missing.push(period + 1);
    for (const n of missing) if (![...this.held.values()].some(({ from }) => from === n * rotationMs)) await this.make(n);
    for (const key of this.held.values()) if (key.until + overlapMs < now && key.jwk.d !== undefined) await this.retire(key);
  }

  /** Reads again when the last time is more than a second ago. */
  async reread(): Promise<void> {
    if (Math.abs(this.parts.clock() - this.readAt) >= rereadMs) await this.read();
  }

  find(kid: string): Held | undefined {
    return this.held.get(kid);
  }

  signing(now: number): Held | undefined {
    return [...this.held.values()].find(({ from, until, jwk }) => from <= now && now < until && jwk.d !== undefined);
  }

  published(now: number): readonly Jwk[] {
    return [...this.held.values()].filter(({ until }) => until + overlapMs > now).map(({ jwk }) => publicPart(jwk));
  }

  private async read(): Promise<void> {
    this.readAt = this.parts.clock();
    const held = new Map<string, Held>();
    for (const { key: entry, version, body } of await this.parts.store.listEntries('signing-key')) {
      const kept = JSON.parse(body) as KeptKey;
      const kid = kept.jwk.kid ?? '';
      const before = this.held.get(kid);
      const key = before?.version === version ? before.key : await jose.JWK.asKey(kept.jwk);
      held.set(kid, { ...kept, kid, version, entry, key });
    }
    this.held = held;
  }

  private async make(period: number): Promise<void> {
    const from = period * this.parts.rotationMs;
    const kept: KeptKey = { jwk: await makeEs256Key(), from, until: from + this.parts.rotationMs };
    await this.write({ key: String(period), version: 0, body: JSON.stringify(kept) });
  }

  private retire({ entry, version, jwk, from, until }: Held): Promise<void> {
    return this.write({ key: entry, version, body: JSON.stringify({ jwk: publicPart(jwk), from, until }) });
  }

  private async write(put: { readonly key: string; readonly version: number; readonly body: string }): Promise<void> {
    try {
      await this.parts.store.commit({ entries: [{ kind: 'signing-key', ...put }] });
    } catch (error) {
      // another process was first: its key is the one
      if (!(error instanceof Stale)) throw error;
    }
    await this.read();
  }
}

const signed = async (held: Held, type: string, payload: object): Promise<string> =>
  // the compact form is text, whatever the typings say
  (await jose.JWS.createSign({ format: 'compact', alg: 'ES256', fields: { typ: type } }, held.key)
    .update(JSON.stringify(payload), 'utf8')
    .final()) as unknown as string;

const verified = async (keys: StoredKeys, type: string, text: string): Promise<{ readonly jws: Jws; readonly held: Held } | undefined> => {
  const jws = readJws(text);
  if (jws?.header['alg'] !== 'ES256' || jws.header['typ'] !== type) return undefined;
  const kid = String(jws.header['kid']);
  if (!keys.find(kid)) await keys.reread();
  const held = keys.find(kid);
  if (!held) return undefined;
  try {
    await jose.JWS.createVerify(held.key, { algorithms: ['ES256'] }).verify(text);
    return { jws, held };
  } catch {
    return undefined;
  }
};

/** Verified tokens by their text; the oldest goes when there are too many. */
class VerifiedTokens {
  private readonly claims = new Map<string, AccessClaims>();

  find(token: string): AccessClaims | undefined {
    return this.claims.get(token);
  }

  keep(token: string, claims: AccessClaims): void {
    const oldest = this.claims.size >= cacheSize ? this.claims.keys().next().value : undefined;
    if (oldest !== undefined) this.claims.delete(oldest);
    this.claims.set(token, claims);
  }

  drop(token: string): void {
    this.claims.delete(token);
  }
}

/** Opens the keyring and makes the first key when there is none. A verified token is remembered; its expiry is looked at each time. */
export const openKeyring = async (parts: KeyringParts): Promise<Keyring> => {
  const { clock } = parts;
  const keys = new StoredKeys(parts);
  await keys.refresh();
  const tokens = new VerifiedTokens();
  const seal = async (type: string, payload: object): Promise<string> => {
    if (!keys.signing(clock())) await keys.refresh();
    const held = keys.signing(clock());
    if (!held) throw new Error('the server has no key that signs now');
    return signed(held, type, payload);
  };
  const check = async (token: string): Promise<AccessClaims> => {
    const found = token.length <= longestToken ? await verified(keys, accessToken, token) : undefined;
    if (!found || found.held.until + overlapMs <= clock()) throw refused('Invalid access token');
    return found.jws.claims as AccessClaims;
  };
  return {
    publicJwks: () => ({ keys: keys.published(clock()) }),
    sign: (claims) => seal(accessToken, claims),
    verify: async (token) => {
      const known = tokens.find(token);
      const claims = known ?? (await check(token));
      if (claims.exp * 1000 <= clock()) {
        tokens.drop(token);
        throw refused('Access token has expired');
      }
      if (!known) tokens.keep(token, claims);
      return claims;
    },
    isVerified: (token) => tokens.find(token) !== undefined,
    seal,
    unseal: async (type, text) => (await verified(keys, type, text))?.jws.claims,
    refresh: () => keys.refresh(),
  };
};
