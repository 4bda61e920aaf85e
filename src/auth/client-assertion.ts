import jose from 'node-jose';
import { algorithms, type Algorithm, type Client, type ClientRegistry, type Jwk } from './client.js';
import { readJws, type Jws } from './jws.js';
import { UnreadableKeys, type RemoteKeys } from './remote-keys.js';

/** Why a client could not be authenticated; becomes `error_description` of a 401 `invalid_client`. */
export class NotAuthenticated extends Error {
  override readonly name = 'NotAuthenticated';
}

export type Assertion = {
  readonly client: Client;
  readonly claims: Jws['claims'];
  readonly jti: string;
  /** seconds */ readonly exp: number;
};

/** characters */
export const longestAssertion = 16_384;
/** seconds; e-RS allows assertions of five minutes and ten seconds of difference between clocks */
const longestLife = 300;
const tolerance = 10;

const must: (condition: boolean, reason: string) => asserts condition = (condition, reason) => {
  if (!condition) throw new NotAuthenticated(reason);
};

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

// Headers that would choose the key (RFC 7515 sections 4.1.2 to 4.1.6) or change how it is used: the registration alone says that.
const refusedHeaders = ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64'];

const checkHeader = (header: Jws['header']): { readonly alg: Algorithm; readonly kid: string } => {
  const alg = algorithms.find((name) => name === header['alg']);
  must(alg !== undefined, `alg must be one of ${algorithms.join(', ')}`);
  const { kid, typ } = header;
  must(typeof kid === 'string' && kid !== '', 'kid is required');
  must(typeof typ === 'string' && typ.toUpperCase() === 'JWT', 'typ must be JWT');
  const refused = refusedHeaders.find((name) => header[name] !== undefined);
  must(refused === undefined, `header ${refused ?? ''} is not accepted`);
  return { alg, kid };
};

const checkTimes = (claims: Jws['claims'], now: number): number => {
  const { exp } = claims;
  must(Number.isInteger(exp), 'exp is required and must be an integer');
  must((exp as number) > now, 'the assertion has expired');
  must((exp as number) <= now + longestLife + tolerance, 'exp must be at most 5 minutes ahead');
  for (const name of ['iat', 'nbf']) {
    const time = claims[name];
    must(time === undefined || isTime(time), `${name} must be a number`);
    must(time === undefined || time <= now + tolerance, `${name} is in the future`);
  }
  return exp as number;
};

/** The public keys of a client that have a kid; throws UnreadableKeys when the set behind its JWKS URL cannot be had. */
export type KeyFinder = (client: Client, kid: string) => Promise<readonly Jwk[]>;

/** Keys of the registration itself, or of its JWKS URL. */
export const keyFinder =
  (remote: RemoteKeys): KeyFinder =>
  (client, kid) =>
    client.jwksUrl === undefined ? Promise.resolve(client.jwks.keys.filter((key) => key.kid === kid)) : remote.find(client.jwksUrl, kid);

/** RFC 7518 section 3.3: an RSA key has 2048 bits at least. */
export const isStrong = (key: Jwk): boolean => key.kty !== 'RSA' || bitsOf(key.n) >= 2048;
const bitsOf = (modulus: string | undefined): number => {
  const bytes = Buffer.from(modulus ?? '', 'base64url');
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (bytes.length - first) * 8 - Math.clz32(bytes[first] ?? 0) + 24;
};

/** True when a key is of the kind that the algorithm needs (RFC 7518 sections 3.3 and 3.4). */
export const suits = (key: Jwk, alg: Algorithm): boolean =>
  key.use !== 'enc' && (alg.startsWith('RS') ? key.kty === 'RSA' : key.kty === 'EC' && key.crv === 'P-384');

const keyOf = async (client: Client, kid: string, alg: Algorithm, keysOf: KeyFinder): Promise<Jwk> => {
  let keys: readonly Jwk[];
  try {
    keys = await keysOf(client, kid);
  } catch (error) {
    if (error instanceof UnreadableKeys) throw new NotAuthenticated('the JWKS of the client cannot be read');
    throw error;
  }
  const key = keys.find((candidate) => suits(candidate, alg) && isStrong(candidate));
  must(key !== undefined, 'kid names no key of the client that suits alg');
  return key;
};

const parsed = new WeakMap<Jwk, Promise<jose.JWK.Key>>();
const parsedKey = (key: Jwk): Promise<jose.JWK.Key> => {
  // RFC 7517 section 4.4: `alg` of a key is a hint here, as node-jose would hold the key to it; the registration's list decides.
  const { kty, kid, n, e, crv, x, y } = key;
  const known = parsed.get(key) ?? jose.JWK.asKey(JSON.parse(JSON.stringify({ kty, kid, n, e, crv, x, y })) as object);
  parsed.set(key, known);
  return known;
};

const checkSignature = async (assertion: string, key: Jwk, alg: Algorithm): Promise<void> => {
  try {
    await jose.JWS.createVerify(await parsedKey(key), { algorithms: [alg], allowEmbeddedKey: false }).verify(assertion);
  } catch {
    throw new NotAuthenticated('the signature does not verify');
  }
};

/**
 * Authenticates a client by its signed JWT (RFC 7523 section 3, SMART asymmetric authentication, the NHS signed-JWT pattern): all
 * but the replay check, which is the caller's, last.
 *
 * @param now seconds since the epoch
 * @param isAudience true for the URLs of this token endpoint
 * @throws NotAuthenticated
 */
export const readAssertion = async (
  assertion: string,
  registry: ClientRegistry,
  keysOf: KeyFinder,
  now: number,
  isAudience: (audience: string) => boolean,
): Promise<Assertion> => {
  const jws = assertion.length <= longestAssertion ? readJws(assertion) : undefined;
  must(jws !== undefined, 'client_assertion is not a signed JWT');
  const { alg, kid } = checkHeader(jws.header);
  const { iss, sub, aud, jti } = jws.claims;
  must(typeof iss === 'string' && iss !== '' && iss === sub, 'iss and sub must both be the client id');
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  must(
    audiences.some((audience) => typeof audience === 'string' && isAudience(audience)),
    'aud must be the URL of the token endpoint',
  );
  const exp = checkTimes(jws.claims, now);
  must(typeof jti === 'string' && jti !== '', 'jti is required and must be a string');
  const client = await registry.find(iss);
  must(client !== undefined, 'the client is not registered');
  must(client.algorithms.includes(alg), `alg ${alg} is not registered for the client`);
  await checkSignature(assertion, await keyOf(client, kid, alg, keysOf), alg);
  return { client, claims: jws.claims, jti, exp };
};
