import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import jose from 'node-jose';
import { demoIdClaims, demoIssuers } from './demo-issuers.js';
import { idTokenType } from './subjects.js';
import { tokenExchange } from './token-endpoint.js';

type PrivateJwk = Readonly<Record<string, unknown>> & { readonly kid: string; readonly alg: string };

export type TokenRequest = {
  /** file of the client's private JWK */
  readonly keyFile: string;
  readonly clientId: string;
  readonly tokenUrl: string;
  readonly scope?: string;
  /** private claims of a user or patient client */
  readonly user?: string;
  readonly patient?: string;
  /** DATA_DIR of a demo server: the person comes as an id_token of a demo issuer in a token exchange, not as a claim */
  readonly issuersOf?: string;
};

/** The private JWK of a file, or the first of the set in it. Throws when there is none that says its `kid` and `alg`. */
export const readPrivateKey = async (file: string): Promise<PrivateJwk> => {
  const read = JSON.parse(await readFile(file, 'utf8')) as PrivateJwk | { readonly keys: readonly PrivateJwk[] };
  const jwk = 'keys' in read ? (read as { readonly keys: readonly PrivateJwk[] }).keys[0] : read;
  if (typeof jwk?.kid !== 'string' || typeof jwk.alg !== 'string') throw new Error(`${file} holds no key with kid and alg`);
  if (jwk['d'] === undefined) throw new Error(`${file} holds no private key`);
  return jwk;
};

const signed = async (jwk: PrivateJwk, claims: object): Promise<string> => {
  const key = await jose.JWK.asKey(jwk);
  // the compact form is text, whatever the typings say
  return (await jose.JWS.createSign({ format: 'compact', alg: jwk.alg, fields: { typ: 'JWT', kid: jwk.kid } }, key)
    .update(JSON.stringify(claims))
    .final()) as unknown as string;
};

const personOf = ({ user, patient }: TokenRequest): { readonly user: string } | { readonly patient: string } => {
  if (user !== undefined) return { user };
  if (patient !== undefined) return { patient };
  throw new Error('a token exchange needs a user or a patient');
};

/** How a client says who it is (RFC 7523): an assertion signed with its key. `now` in epoch seconds. */
const assertionOf = async (
  { keyFile, clientId, tokenUrl }: Pick<TokenRequest, 'keyFile' | 'clientId' | 'tokenUrl'>,
  now: number,
  claims: object = {},
): Promise<Readonly<Record<string, string>>> => ({
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: await signed(await readPrivateKey(keyFile), {
    iss: clientId,
    sub: clientId,
    aud: tokenUrl,
    jti: randomUUID(),
    iat: now,
    exp: now + 240,
    ...claims,
  }),
});

/** The grant: client credentials with the person as a claim, or an exchange of a demo issuer's id_token. */
const grantOf = async (request: TokenRequest, now: number): Promise<Readonly<Record<string, string>>> => {
  if (request.issuersOf === undefined) return { grant_type: 'client_credentials' };
  const { kind, claims } = demoIdClaims(personOf(request), request.clientId, now);
  const key = await readPrivateKey(path.join(request.issuersOf, 'issuers', demoIssuers[kind].file));
  return { grant_type: tokenExchange, subject_token_type: idTokenType, subject_token: await signed(key, claims) };
};

type TokenAnswer = { readonly access_token?: string; readonly error?: string; readonly error_description?: string };

const answerOf = (text: string): TokenAnswer => {
  try {
    return JSON.parse(text) as TokenAnswer;
  } catch {
    return {};
  }
};

/**
 * Gets an access token as a client does: a signed assertion (RFC 7523) for client_credentials or a token exchange. Throws an Error with
 * the server's reason when it is refused.
 */
export const fetchToken = async (request: TokenRequest): Promise<string> => {
  const { tokenUrl, scope } = request;
  const now = Math.floor(Date.now() / 1000);
  const exchange = request.issuersOf !== undefined;
  const assertion = await assertionOf(request, now, {
    ...(exchange || request.user === undefined ? {} : { user: request.user }),
    ...(exchange || request.patient === undefined ? {} : { patient: request.patient }),
  });
  const body = new URLSearchParams({
    ...(await grantOf(request, now)),
    ...assertion,
    ...(scope === undefined ? {} : { scope }),
  });
  const response = await fetch(tokenUrl, { method: 'POST', body }).catch((error: unknown) => {
    throw new Error(`nothing answers at ${tokenUrl}: is the server running there?`, { cause: error });
  });
  const text = await response.text();
  const answer = answerOf(text);
  if (answer.access_token !== undefined) return answer.access_token;
  // a server that cannot answer, or a proxy before it, does not say it in OAuth's form
  const reason = answer.error === undefined ? text.slice(0, 300) : `${answer.error}: ${answer.error_description ?? ''}`;
  throw new Error(`${tokenUrl} answered ${String(response.status)} ${reason}`);
};

export type ClientCredentials = {
  readonly tokenUrl: string;
  readonly clientId: string;
  /** file of a private JWK, for a signed assertion */
  readonly keyFile?: string | undefined;
  /** where the partner gave a secret instead */
  readonly secret?: string | undefined;
};

/** ms for a partner's token endpoint */
const tokenMs = 5000;

/** An access token of a partner by client_credentials (RFC 6749 section 4.4), with its life in seconds; throws when there is none. */
export const fetchClientToken = async (
  { tokenUrl, clientId, keyFile, secret }: ClientCredentials,
  clock: () => number,
): Promise<{ readonly token: string; readonly expiresInSeconds: number }> => {
  const proof =
    keyFile === undefined
      ? { client_id: clientId, client_secret: secret ?? '' }
      : await assertionOf({ keyFile, clientId, tokenUrl }, Math.floor(clock() / 1000));
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...proof });
  const response = await fetch(tokenUrl, { method: 'POST', body, signal: AbortSignal.timeout(tokenMs), redirect: 'error' });
  const answer = (await response.json()) as { access_token?: unknown; expires_in?: unknown };
  if (!response.ok || typeof answer.access_token !== 'string') throw new Error('the token endpoint gives no token');
  return { token: answer.access_token, expiresInSeconds: typeof answer.expires_in === 'number' ? answer.expires_in : 300 };
};
