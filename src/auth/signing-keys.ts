import path from 'node:path';
import jose from 'node-jose';
import type { AccessClaims } from '../access/caller.js';
import { Failure } from '../fhir/outcome.js';
import type { Jwk } from './client.js';
import { loadOrMakeKeys, makeEs256Key, publicPart } from './key-file.js';
import { readJws } from './jws.js';

/** The server's own keys, for access tokens. */
export type SigningKeys = {
  /** RFC 7517 section 5, public parts only */
  readonly publicJwks: () => { readonly keys: readonly Jwk[] };
  readonly sign: (claims: AccessClaims) => Promise<string>;
  /** throws Failure `login` with WWW-Authenticate when the token is not this server's, or has expired */
  readonly verify: (token: string) => Promise<AccessClaims>;
};

// RFC 9068 section 2.1: keeps any other JWT that these keys may sign one day from passing as an access token
const type = 'at+jwt';
const cacheSize = 10_000;
const longestToken = 16_384;

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

const verifier = (keys: readonly jose.JWK.Key[]) => {
  const byKid = new Map(keys.map((key) => [key.kid, key]));
  return async (token: string): Promise<AccessClaims> => {
    const jws = token.length <= longestToken ? readJws(token) : undefined;
    const key = byKid.get(String(jws?.header['kid']));
    if (!jws || !key || jws.header['alg'] !== 'ES256' || jws.header['typ'] !== type) throw refused('Invalid access token');
    try {
      await jose.JWS.createVerify(key, { algorithms: ['ES256'] }).verify(token);
    } catch {
      throw refused('Invalid access token');
    }
    return jws.claims as AccessClaims;
  };
};

/**
 * Loads the server's ES256 keys from `<directory>/keys/server.jwk.json` (one JWK, or a JWK set: the first signs, all verify) or
 * makes one. A verified token is remembered by its text; its expiry is looked at each time.
 *
 * @param directory DATA_DIR
 * @param clock epoch ms
 */
export const loadSigningKeys = async ({
  directory,
  clock,
}: {
  readonly directory: string;
  readonly clock: () => number;
}): Promise<SigningKeys> => {
  const privateKeys = await loadOrMakeKeys(path.join(directory, 'keys', 'server.jwk.json'), makeEs256Key);
  const keys = await Promise.all(privateKeys.map((key) => jose.JWK.asKey(key as object)));
  const jwks = { keys: privateKeys.map(publicPart) };
  const verify = verifier(keys);
  const verified = new Map<string, AccessClaims>();
  const remember = (token: string, claims: AccessClaims): void => {
    const oldest = verified.size >= cacheSize ? verified.keys().next().value : undefined;
    if (oldest !== undefined) verified.delete(oldest);
    verified.set(token, claims);
  };
  return {
    publicJwks: () => jwks,
    sign: async (claims) => {
      const options = { format: 'compact', alg: 'ES256', fields: { typ: type } } as const;
      return String(
        await jose.JWS.createSign(options, keys[0] as jose.JWK.Key)
          .update(JSON.stringify(claims), 'utf8')
          .final(),
      );
    },
    verify: async (token) => {
      const known = verified.get(token);
      const claims = known ?? (await verify(token));
      if (claims.exp * 1000 <= clock()) {
        verified.delete(token);
        throw refused('Access token has expired');
      }
      if (!known) remember(token, claims);
      return claims;
    },
  };
};
