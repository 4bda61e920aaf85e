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

const readKey = async (file: string): Promise<PrivateJwk> => {
  const read = JSON.parse(await readFile(file, 'utf8')) as PrivateJwk | { readonly keys: readonly PrivateJwk[] };
  const jwk = 'keys' in read ? (read as { readonly keys: readonly PrivateJwk[] }).keys[0] : read;
  if (!jwk) throw new Error(`${file} holds no key`);
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

/** The grant: client credentials with the person as a claim, or an exchange of a demo issuer's id_token. */
const grantOf = async (request: TokenRequest, now: number): Promise<Readonly<Record<string, string>>> => {
  if (request.issuersOf === undefined) return { grant_type: 'client_credentials' };
  const { kind, claims } = demoIdClaims(personOf(request), request.clientId, now);
  const key = await readKey(path.join(request.issuersOf, 'issuers', demoIssuers[kind].file));
  return { grant_type: tokenExchange, subject_token_type: idTokenType, subject_token: await signed(key, claims) };
};

/**
 * Gets an access token as a client does: a signed assertion (RFC 7523) for client_credentials or a token exchange. Throws an Error with
 * the server's reason when it is refused.
 */
export const fetchToken = async (request: TokenRequest): Promise<string> => {
  const { clientId, tokenUrl, scope } = request;
  const now = Math.floor(Date.now() / 1000);
  const exchange = request.issuersOf !== undefined;
  const assertion = await signed(await readKey(request.keyFile), {
    iss: clientId,
    sub: clientId,
    aud: tokenUrl,
    jti: randomUUID(),
    iat: now,
    exp: now + 240,
    ...(exchange || request.user === undefined ? {} : { user: request.user }),
    ...(exchange || request.patient === undefined ? {} : { patient: request.patient }),
  });
  const body = new URLSearchParams({
    ...(await grantOf(request, now)),
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
    ...(scope === undefined ? {} : { scope }),
  });
  const response = await fetch(tokenUrl, { method: 'POST', body });
  const answer = (await response.json()) as { access_token?: string; error?: string; error_description?: string };
  if (answer.access_token === undefined) throw new Error(`${answer.error ?? 'error'}: ${answer.error_description ?? ''}`);
  return answer.access_token;
};
