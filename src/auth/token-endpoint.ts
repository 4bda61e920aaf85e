import { createHash } from 'node:crypto';
import type { AccessClaims } from '../access/caller.js';
import { coversScope } from '../access/scopes.js';
import { NotAuthenticated, readAssertion, type Assertion } from './client-assertion.js';
import type { Client, ClientRegistry } from './client.js';
import type { SigningKeys } from './signing-keys.js';

/** OAuth's own form (RFC 6749 sections 5.1 and 5.2), not an OperationOutcome; to be sent with `Cache-Control: no-store`. */
export type TokenAnswer = {
  readonly status: 200 | 400 | 401;
  readonly body:
    | { readonly access_token: string; readonly token_type: 'Bearer'; /** seconds */ readonly expires_in: number; readonly scope: string }
    | { readonly error: TokenError; readonly error_description: string };
};
export type TokenError = 'invalid_request' | 'unsupported_grant_type' | 'invalid_client' | 'invalid_scope';

export type TokenEndpointParts = {
  readonly registry: ClientRegistry;
  readonly keys: Pick<SigningKeys, 'sign'>;
  /** true when the key was not yet claimed; the claim may be forgotten after `expiresMs` (epoch ms) */
  readonly replay: { readonly claim: (key: string, expiresMs: number) => Promise<boolean> };
  /** epoch ms */
  readonly clock: () => number;
  /** unique text for each call */
  readonly ids: () => string;
  /** true for the URLs of this token endpoint */
  readonly audiences: (audience: string) => boolean;
  readonly issuer: string;
};

export type TokenEndpoint = { readonly issue: (form: Readonly<Record<string, unknown>>) => Promise<TokenAnswer> };

class Refused extends Error {
  override readonly name = 'Refused';
  constructor(
    readonly code: TokenError,
    reason: string,
  ) {
    super(reason);
  }
}

/** seconds */
const tokenLife = 600;
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const parameters = ['grant_type', 'client_assertion_type', 'client_assertion', 'client_id', 'scope'] as const;
type Form = Readonly<Partial<Record<(typeof parameters)[number], string>>>;

const readForm = (form: Readonly<Record<string, unknown>>): Form & { readonly client_assertion: string } => {
  const values: Partial<Record<(typeof parameters)[number], string>> = {};
  for (const name of parameters) {
    const value = Object.hasOwn(form, name) ? form[name] : undefined;
    // RFC 6749 section 3.2: a parameter without a value is one omitted, and none may come twice.
    if (value === undefined || value === '') continue;
    if (typeof value !== 'string') throw new Refused('invalid_request', `${name} must be given once, as text`);
    values[name] = value;
  }
  if (values.grant_type === undefined) throw new Refused('invalid_request', 'grant_type is required');
  if (values.grant_type !== 'client_credentials') throw new Refused('unsupported_grant_type', 'grant_type must be client_credentials');
  if (values.client_assertion_type !== assertionType)
    throw new Refused('invalid_request', `client_assertion_type must be ${assertionType}`);
  if (values.client_assertion === undefined) throw new Refused('invalid_request', 'client_assertion is required');
  return { ...values, client_assertion: values.client_assertion };
};

const grantedScopes = (client: Client, asked: string | undefined): readonly string[] => {
  const scopes = [...new Set((asked ?? '').split(' ').filter((scope) => scope !== ''))];
  const refused = scopes.find((scope) => !client.scopes.includes(scope) && !coversScope(client.scopes, scope));
  if (refused !== undefined) throw new Refused('invalid_scope', 'a scope that was asked for is not registered for the client');
  return scopes.length > 0 ? scopes : client.scopes;
};

const subjectOf = (claim: unknown, name: string, allowed: readonly string[] | 'any', standard: string | undefined): string => {
  if (claim === undefined && standard !== undefined) return standard;
  if (typeof claim !== 'string' || claim === '') throw new NotAuthenticated(`claim ${name} is required and must be a string`);
  if (allowed !== 'any' && !allowed.includes(claim)) throw new NotAuthenticated(`the client may not act for this ${name}`);
  return claim;
};

// NHS Data Dictionary, NHS NUMBER: modulus 11 over the first nine digits with weights 10 to 2
const isNhsNumber = (text: string): boolean => {
  if (!/^\d{10}$/.test(text)) return false;
  const sum = [...text.slice(0, 9)].reduce((total, digit, index) => total + Number(digit) * (10 - index), 0);
  return (11 - (sum % 11)) % 11 === Number(text[9]);
};

const actingFor = ({ client, claims }: Assertion): Pick<AccessClaims, 'user' | 'patient' | 'sub'> => {
  // A client of another kind that names a person believes it acts for one: better refused than served as itself.
  for (const name of ['user', 'patient']) {
    if (claims[name] !== undefined && client.kind !== name)
      throw new NotAuthenticated(`claim ${name} is not for a client of kind ${client.kind}`);
  }
  if (client.kind === 'user') {
    const user = subjectOf(claims['user'], 'user', client.assertsUsers ?? [], client.defaultUser);
    return { sub: user, user };
  }
  if (client.kind === 'patient') {
    const patient = subjectOf(claims['patient'], 'patient', client.assertsPatients ?? [], client.defaultPatient);
    if (!isNhsNumber(patient)) throw new NotAuthenticated('claim patient is not an NHS number');
    return { sub: patient, patient };
  }
  return { sub: client.id };
};

const issue = async (parts: TokenEndpointParts, form: Readonly<Record<string, unknown>>): Promise<TokenAnswer> => {
  const { client_assertion, client_id, scope } = readForm(form);
  const now = Math.floor(parts.clock() / 1000);
  const assertion = await readAssertion(client_assertion, parts.registry, now, parts.audiences);
  const { client, jti, exp } = assertion;
  // RFC 7521 section 4.2
  if (client_id !== undefined && client_id !== client.id) throw new NotAuthenticated('client_id is not the client of the assertion');
  const subject = actingFor(assertion);
  const scopes = grantedScopes(client, scope);
  // Last, so that nobody else's unsigned or misdirected text can use up a jti; hashed, as its length is the client's choice.
  const key = createHash('sha256')
    .update(JSON.stringify([client.id, jti]))
    .digest('hex');
  if (!(await parts.replay.claim(key, (exp + 60) * 1000))) throw new NotAuthenticated('jti was used before');
  const access_token = await parts.keys.sign({
    ...{
      iss: parts.issuer,
      ...subject,
      client_id: client.id,
      kind: client.kind,
      scope: scopes.join(' '),
      organisations: client.organisations,
    },
    ...(client.kind === 'app' && client.businessFunction !== undefined ? { business_function: client.businessFunction } : {}),
    ...{ jti: parts.ids(), iat: now, exp: now + tokenLife },
  });
  return { status: 200, body: { access_token, token_type: 'Bearer', expires_in: tokenLife, scope: scopes.join(' ') } };
};

/**
 * `POST /oauth2/token`: client credentials with a signed JWT.
 *
 * @returns `issue(form)`: the parsed form body (a repeated parameter as an array); refusals are answers, only faults of the store throw
 */
export const createTokenEndpoint = (parts: TokenEndpointParts): TokenEndpoint => ({
  issue: async (form) => {
    try {
      return await issue(parts, form);
    } catch (error) {
      if (error instanceof NotAuthenticated) return { status: 401, body: { error: 'invalid_client', error_description: error.message } };
      if (error instanceof Refused) return { status: 400, body: { error: error.code, error_description: error.message } };
      throw error;
    }
  },
});
