import jose from 'node-jose';
import { isStrong } from './client-assertion.js';
import type { Client, Jwk, SubjectKind } from './client.js';
import { readJws, type Jws } from './jws.js';
import { UnreadableKeys, type RemoteKeys } from './remote-keys.js';

/** Why a subject token was refused; becomes `error_description` of a 400 `invalid_request` (RFC 8693 section 2.2.2). */
export class InvalidSubject extends Error {
  override readonly name = 'InvalidSubject';
}

/** Whom a client acts for after a token exchange. */
export type Subject = { readonly user: string } | { readonly patient: string };

/** Reads one form of subject token. `now` in seconds. Throws InvalidSubject. */
export type SubjectReader = (token: string, client: Client, now: number) => Promise<Subject>;

/** RFC 8693 section 3 */
export const idTokenType = 'urn:ietf:params:oauth:token-type:id_token';

/** An identity provider whose id_tokens are taken: NHS Care Identity Service 2 for staff, NHS login for patients. */
export type IdentityIssuer = {
  readonly issuer: string;
  readonly kind: 'cis2' | 'nhs-login';
  readonly algorithms: readonly IdTokenAlgorithm[];
  readonly jwks?: { readonly keys: readonly Jwk[] };
  readonly jwksUrl?: string;
  /** what `aud` may be besides the id of the client: its name at the identity provider, by client id */
  readonly audiences?: Readonly<Record<string, readonly string[]>>;
};
export const idTokenAlgorithms = ['RS256', 'RS512', 'ES256', 'ES384'] as const;
export type IdTokenAlgorithm = (typeof idTokenAlgorithms)[number];

const longestToken = 16_384;
/** seconds: an id_token tells of a login just made */
const longestAge = 3600;
const tolerance = 10;

const must: (condition: boolean, reason: string) => asserts condition = (condition, reason) => {
  if (!condition) throw new InvalidSubject(reason);
};

const keysFor = async (issuer: IdentityIssuer, kid: string, remote: RemoteKeys): Promise<readonly Jwk[]> => {
  if (issuer.jwksUrl === undefined) return (issuer.jwks?.keys ?? []).filter((key) => key.kid === kid);
  try {
    return await remote.find(issuer.jwksUrl, kid);
  } catch (error) {
    if (error instanceof UnreadableKeys) throw new InvalidSubject('the key set of the issuer cannot be read');
    throw error;
  }
};

const checkSignature = async (token: string, jws: Jws, issuer: IdentityIssuer, remote: RemoteKeys): Promise<void> => {
  const alg = issuer.algorithms.find((name) => name === jws.header['alg']);
  must(alg !== undefined, 'alg of the subject token is not registered for its issuer');
  const { kid } = jws.header;
  must(typeof kid === 'string' && kid !== '', 'kid of the subject token is required');
  must(jws.header['crit'] === undefined, 'header crit is not accepted');
  const type = alg.startsWith('RS') ? 'RSA' : 'EC';
  const key = (await keysFor(issuer, kid, remote)).find(
    (candidate) => candidate.kty === type && candidate.use !== 'enc' && isStrong(candidate),
  );
  must(key !== undefined, 'kid of the subject token names no key of its issuer');
  const { kty, n, e, crv, x, y } = key;
  try {
    const parsed = await jose.JWK.asKey(JSON.parse(JSON.stringify({ kty, kid, n, e, crv, x, y })) as object);
    await jose.JWS.createVerify(parsed, { algorithms: [alg], allowEmbeddedKey: false }).verify(token);
  } catch {
    throw new InvalidSubject('the signature of the subject token does not verify');
  }
};

const checkClaims = (claims: Jws['claims'], issuer: IdentityIssuer, client: Client, now: number): void => {
  const { aud, exp, iat } = claims;
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const own = [client.id, ...(issuer.audiences?.[client.id] ?? [])];
  // a token that another relying party was given proves nothing to this client
  must(
    audiences.some((audience) => typeof audience === 'string' && own.includes(audience)),
    'aud of the subject token is not this client',
  );
  must(typeof exp === 'number' && exp > now, 'the subject token has expired');
  must(typeof iat === 'number' && iat <= now + tolerance && iat > now - longestAge, 'iat of the subject token is not of the last hour');
};

const atLeast = (claim: unknown, level: number): boolean => /^[0-9]$/.test(String(claim)) && Number(claim) >= level;

/** CIS2: identity assured at level 3, authentication at 2 or 3; `nhsid_useruid` is the SDS user id. */
const staffOf = (claims: Jws['claims']): Subject => {
  must(atLeast(claims['id_assurance_level'], 3), 'identity assurance level 3 is needed');
  const { acr } = claims;
  const level = claims['authentication_assurance_level'] ?? (typeof acr === 'string' ? /AAL([0-9])/i.exec(acr)?.[1] : undefined);
  must(atLeast(level, 2), 'authentication assurance level 2 or 3 is needed');
  const user = claims['nhsid_useruid'];
  must(typeof user === 'string' && /^\d{12}$/.test(user), 'nhsid_useruid must be an SDS user id');
  return { user };
};

/** The birth date (YYYY-MM-DD) in the record of an NHS number; undefined where none is known. */
export type BirthDates = (nhsNumber: string) => Promise<string | undefined>;

/** NHS login: a vector of trust of P9 (photo identity checked), and the NHS number that goes with it; a birth date is that of the record. */
const patientOf = async (claims: Jws['claims'], birthDateOf: BirthDates): Promise<Subject> => {
  const { vot, nhs_number: patient, identity_proofing_level: proofing, birthdate } = claims;
  must(typeof vot === 'string' && vot.split('.')[0] === 'P9', 'vot P9 is needed');
  must(proofing === undefined || proofing === 'P9', 'identity_proofing_level P9 is needed');
  must(typeof patient === 'string' && /^\d{10}$/.test(patient), 'nhs_number is required');
  const known = birthdate === undefined ? undefined : await birthDateOf(patient);
  must(known === undefined || known === birthdate, 'birthdate of the subject token is not the one in the record of its nhs_number');
  return { patient };
};

/**
 * Reads the id_tokens of the issuers that are registered with this server.
 *
 * @returns a SubjectReader for `idTokenType`
 */
export const idTokenReader =
  (issuers: readonly IdentityIssuer[], remote: RemoteKeys, birthDateOf: BirthDates): SubjectReader =>
  async (token, client, now) => {
    const jws = token.length <= longestToken ? readJws(token) : undefined;
    must(jws !== undefined, 'the subject token is not a signed JWT');
    const issuer = issuers.find((candidate) => candidate.issuer === jws.claims['iss']);
    must(issuer !== undefined, 'the issuer of the subject token is not registered');
    must(client.exchanges?.includes(issuer.kind) === true, `the client is not registered for an exchange of ${issuer.kind} tokens`);
    await checkSignature(token, jws, issuer, remote);
    checkClaims(jws.claims, issuer, client, now);
    return issuer.kind === 'cis2' ? staffOf(jws.claims) : patientOf(jws.claims, birthDateOf);
  };

/** The second way in for patients: what the letter says, as JSON `{"ubrn","access_code","year_of_birth"}` in `subject_token`. */
export const accessCodeType = 'https://fhir.nhs.uk/Id/UBRN-access-code';
export type AccessCode = { readonly ubrn: string; readonly accessCode: string; readonly yearOfBirth: number };

const readAccessCode = (token: string): AccessCode => {
  let value: Readonly<Record<string, unknown>> = {};
  try {
    value = Object(JSON.parse(token)) as Readonly<Record<string, unknown>>;
  } catch {
    // told below
  }
  const { access_code: accessCode, year_of_birth: yearOfBirth } = value;
  // the letter prints it in groups of four
  const ubrn = typeof value['ubrn'] === 'string' ? value['ubrn'].replaceAll(' ', '') : '';
  must(/^\d{12}$/.test(ubrn) && typeof accessCode === 'string' && accessCode.length <= 64, 'ubrn and access_code are required');
  must(Number.isInteger(yearOfBirth), 'year_of_birth must be a year');
  return { ubrn, accessCode, yearOfBirth: yearOfBirth as number };
};

/**
 * Reads access codes. `check` answers the NHS number of the patient whose referral it is, or undefined; it counts failures and locks
 * the code itself. Every refusal reads alike, so that nobody learns which part was wrong.
 */
export const accessCodeReader =
  (check: (code: AccessCode) => Promise<string | undefined>): SubjectReader =>
  async (token, client) => {
    const kind: SubjectKind = 'access-code';
    must(client.exchanges?.includes(kind) === true, 'the client is not registered for an exchange of access codes');
    const patient = await check(readAccessCode(token));
    must(patient !== undefined, 'the reference number, access code and year of birth do not belong together, or the code is locked');
    return { patient };
  };
