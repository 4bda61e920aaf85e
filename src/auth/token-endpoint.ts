import { createHash } from 'node:crypto';
import type { AccessClaims } from '../access/caller.js';
import type { RefusalBudget } from '../access/refusal-budget.js';
import { coversScope, readScope, scopesFault } from '../access/scopes.js';
import { longestAssertion, NotAuthenticated, readAssertion, type Assertion, type KeyFinder } from './client-assertion.js';
import type { Client, ClientRegistry } from './client.js';
import { readJws } from './jws.js';
import type { Keyring } from './keyring.js';
import { InvalidSubject, type Subject, type SubjectReader } from './subjects.js';

/** OAuth's own form (RFC 6749 sections 5.1 and 5.2), not an OperationOutcome; to be sent with `Cache-Control: no-store`. */
export type TokenAnswer = {
  readonly status: 200 | 400 | 401 | 429;
  readonly body: TokenGranted | { readonly error: TokenError; readonly error_description: string };
  /** of a 429 */
  readonly retryAfterSeconds?: number;
  /** for the audit */
  readonly who: TokenAsker;
};
/** Who asked: the client and whom it acts for; of a refusal, the registered client that the assertion names, proven or not. */
export type TokenAsker = { readonly client?: Pick<Client, 'id' | 'kind'>; readonly user?: string; readonly patient?: string };
export type TokenGranted = {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  /** seconds */
  readonly expires_in: number;
  readonly scope: string;
  /** RFC 8693 section 2.2.1, after a token exchange */
  readonly issued_token_type?: string;
};
export type TokenError = 'invalid_request' | 'unsupported_grant_type' | 'invalid_client' | 'invalid_scope' | 'temporarily_unavailable';

export type TokenEndpointParts = {
  readonly registry: ClientRegistry;
  readonly keys: Pick<Keyring, 'sign'>;
  /** the public keys of a client with a kid */
  readonly keysOf: KeyFinder;
  /** false for a granular scope whose search parameters cannot be enforced */
  readonly enforceable: (type: string, query: string) => boolean;
  /** readers of subject tokens by `subject_token_type`, for token exchange */
  readonly subjects: Readonly<Record<string, SubjectReader>>;
  /** true when the key was not yet claimed; the claim may be forgotten after `expiresMs` (epoch ms) */
  readonly replay: { readonly claim: (key: string, expiresMs: number) => Promise<boolean> };
  /** how often a client that proved who it is may ask; answers the seconds to wait, 0 when it may */
  readonly throttle: (client: Client) => Promise<number>;
  /** who sends what proves nothing, by address and name */
  readonly refusals: Pick<RefusalBudget, 'wait' | 'count'>;
  /** epoch ms */
  readonly clock: () => number;
  /** unique text for each call */
  readonly ids: () => string;
  /** true for the URLs of this token endpoint */
  readonly audiences: (audience: string) => boolean;
  readonly issuer: () => string;
};

/** `address`: where the request came from. */
export type TokenEndpoint = { readonly issue: (form: Readonly<Record<string, unknown>>, address: string) => Promise<TokenAnswer> };

class Refused extends Error {
  override readonly name = 'Refused';
  constructor(
    readonly code: TokenError,
    reason: string,
  ) {
    super(reason);
  }
}

class Throttled extends Error {
  override readonly name = 'Throttled';
  constructor(readonly seconds: number) {
    super('too many requests for tokens: try again later');
  }
}

/** seconds */
const tokenLife = 600;
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
/** RFC 8693 section 2.1 */
export const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const grants: readonly string[] = ['client_credentials', tokenExchange];
const parameters = [
  'grant_type',
  'client_assertion_type',
  'client_assertion',
  'client_id',
  'scope',
  'subject_token',
  'subject_token_type',
  'requested_token_type',
] as const;
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
  if (!grants.includes(values.grant_type))
    throw new Refused('unsupported_grant_type', 'grant_type must be client_credentials or token-exchange');
  if (values.client_assertion_type !== assertionType)
    throw new Refused('invalid_request', `client_assertion_type must be ${assertionType}`);
  // RFC 6749 section 2.3: one way to authenticate in a request
  if ((form['client_secret'] ?? '') !== '') throw new Refused('invalid_request', 'client_secret does not go with a client_assertion');
  if (values.client_assertion === undefined) throw new Refused('invalid_request', 'client_assertion is required');
  return { ...values, client_assertion: values.client_assertion };
};

const grantedScopes = ({ enforceable }: TokenEndpointParts, client: Client, asked: string | undefined): readonly string[] => {
  const scopes = [...new Set((asked ?? '').split(' ').filter((scope) => scope !== ''))];
  if (scopes.some((scope) => !coversScope(client.scopes, scope)))
    throw new Refused('invalid_scope', 'a scope that was asked for is not registered for the client');
  const granted = scopes.length > 0 ? scopes : client.scopes;
  const fault = scopesFault(granted, client.kind);
  if (fault !== undefined) throw new Refused('invalid_scope', fault);
  for (const { type, query } of granted.flatMap((text) => readScope(text) ?? []))
    if (query !== undefined && !enforceable(type, query))
      throw new Refused(
        'invalid_scope',
        `${type}?${query} is of a form that this server cannot enforce: use token or reference parameters`,
      );
  return granted;
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
  const sum = Array.from(text.slice(0, 9)).reduce((total, digit, index) => total + Number(digit) * (10 - index), 0);
  return (11 - (sum % 11)) % 11 === Number(text[9]);
};

type Acting = Pick<AccessClaims, 'user' | 'patient' | 'sub'>;

/** Whom the claims of the assertion itself name. */
const asserted = ({ client, claims }: Assertion): Acting => {
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

/** Whom the subject token of an exchange names; it must suit the kind of the client. */
const exchanged = (client: Client, subject: Subject): Acting => {
  if ('user' in subject) {
    if (client.kind !== 'user') throw new InvalidSubject(`a client of kind ${client.kind} does not act for staff`);
    return { sub: subject.user, user: subject.user };
  }
  if (client.kind !== 'patient') throw new InvalidSubject(`a client of kind ${client.kind} does not act for patients`);
  if (!isNhsNumber(subject.patient)) throw new InvalidSubject('the subject is not an NHS number');
  return { sub: subject.patient, patient: subject.patient };
};

const actingFor = (parts: TokenEndpointParts, assertion: Assertion, form: Form, now: number): Promise<Acting> | Acting => {
  if (form.grant_type !== tokenExchange) return asserted(assertion);
  const { subject_token, subject_token_type, requested_token_type } = form;
  if (subject_token === undefined || subject_token_type === undefined)
    throw new Refused('invalid_request', 'subject_token and subject_token_type are required');
  if (requested_token_type !== undefined && requested_token_type !== accessTokenType)
    throw new Refused('invalid_request', `requested_token_type must be ${accessTokenType}`);
  const reader = Object.hasOwn(parts.subjects, subject_token_type) ? parts.subjects[subject_token_type] : undefined;
  if (!reader) throw new Refused('invalid_request', `subject_token_type must be one of ${Object.keys(parts.subjects).join(', ')}`);
  return reader(subject_token, assertion.client, now).then((subject) => exchanged(assertion.client, subject));
};

const claimOnce = async (parts: TokenEndpointParts, { client, jti, exp }: Assertion): Promise<void> => {
  // hashed, as its length is the client's choice
  const key = createHash('sha256')
    .update(JSON.stringify([client.id, jti]))
    .digest('hex');
  // kept for five minutes more, in case clocks differ between servers
  if (!(await parts.replay.claim(key, (exp + 300) * 1000))) throw new NotAuthenticated('jti was used before');
};

const issue = async (parts: TokenEndpointParts, given: Readonly<Record<string, unknown>>): Promise<TokenAnswer> => {
  const form = readForm(given);
  const now = Math.floor(parts.clock() / 1000);
  const assertion = await readAssertion(form.client_assertion, parts.registry, parts.keysOf, now, parts.audiences);
  const { client } = assertion;
  // RFC 7521 section 4.2
  if (form.client_id !== undefined && form.client_id !== client.id)
    throw new NotAuthenticated('client_id is not the client of the assertion');
  const scopes = grantedScopes(parts, client, form.scope);
  const exchange = form.grant_type === tokenExchange;
  // Claims and scopes are looked at before the jti is used up, so that a mistake can be mended with the same assertion; a subject token is
  // looked at after it, so that one assertion tries one access code.
  const before = exchange ? undefined : await actingFor(parts, assertion, form, now);
  await claimOnce(parts, assertion);
  // counted last, of assertions that are new and signed: nobody else can use up what a client may
  const wait = await parts.throttle(client);
  if (wait > 0) throw new Throttled(wait);
  const acting = before ?? (await actingFor(parts, assertion, form, now));
  const access_token = await parts.keys.sign({
    iss: parts.issuer(),
    // RFC 9068 section 2.2: for whom the token is
    aud: `${parts.issuer()}/FHIR/R4`,
    ...acting,
    client_id: client.id,
    kind: client.kind,
    scope: scopes.join(' '),
    organisations: client.organisations,
    ...(client.kind === 'app' && client.businessFunction !== undefined ? { business_function: client.businessFunction } : {}),
    jti: parts.ids(),
    iat: now,
    exp: now + tokenLife,
  });
  const body = { access_token, token_type: 'Bearer', expires_in: tokenLife, scope: scopes.join(' ') } as const;
  const { user, patient } = acting;
  const who = { client, ...(user === undefined ? {} : { user }), ...(patient === undefined ? {} : { patient }) };
  return { status: 200, body: exchange ? { ...body, issued_token_type: accessTokenType } : body, who };
};

const namedClient = async ({ registry }: TokenEndpointParts, assertion: unknown): Promise<TokenAsker> => {
  const iss = typeof assertion === 'string' && assertion.length <= longestAssertion ? readJws(assertion)?.claims['iss'] : undefined;
  const client = typeof iss === 'string' && iss.length <= 64 ? await registry.find(iss) : undefined;
  return client === undefined ? {} : { client };
};

const throttledAnswer = ({ seconds, message }: Throttled): Omit<TokenAnswer, 'who'> => ({
  status: 429,
  // RFC 6749 has no code for this; the one of section 4.1.2.1 says it
  body: { error: 'temporarily_unavailable', error_description: message },
  retryAfterSeconds: seconds,
});

const refusalOf = (error: unknown): Omit<TokenAnswer, 'who'> | undefined => {
  if (error instanceof Throttled) return throttledAnswer(error);
  const refused = (status: 400 | 401, code: TokenError, { message }: Error) => ({
    status,
    body: { error: code, error_description: message },
  });
  if (error instanceof NotAuthenticated) return refused(401, 'invalid_client', error);
  if (error instanceof InvalidSubject) return refused(400, 'invalid_request', error);
  return error instanceof Refused ? refused(400, error.code, error) : undefined;
};

/**
 * `POST /oauth2/token`: client credentials with a signed JWT, and token exchange (RFC 8693) with the same client authentication.
 *
 * @returns `issue(form, address)`: the parsed form body (a repeated parameter as an array); refusals are answers, only faults of the store throw
 */
export const createTokenEndpoint = (parts: TokenEndpointParts): TokenEndpoint => ({
  issue: async (form, address) => {
    const who = await namedClient(parts, form['client_assertion']);
    // the refusals of others, who name a client that is not theirs, are counted where they come from, not against the client
    const name = `${address} ${who.client?.id ?? ''}`;
    const wait = parts.refusals.wait(name);
    if (wait > 0) return { ...throttledAnswer(new Throttled(wait)), who };
    try {
      return await issue(parts, form);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      if (refusal.status !== 429) parts.refusals.count(name);
      return { ...refusal, who };
    }
  },
});
