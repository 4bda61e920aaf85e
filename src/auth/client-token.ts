import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import jose from 'node-jose';

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
};

/**
 * Gets an access token as a client does: a signed assertion (RFC 7523) for client_credentials. Throws an Error with the server's
 * reason when it is refused.
 */
export const fetchToken = async ({ keyFile, clientId, tokenUrl, scope, user, patient }: TokenRequest): Promise<string> => {
  const file = JSON.parse(await readFile(keyFile, 'utf8')) as PrivateJwk | { readonly keys: readonly PrivateJwk[] };
  const jwk = 'keys' in file ? (file as { readonly keys: readonly PrivateJwk[] }).keys[0] : (file as PrivateJwk);
  if (!jwk) throw new Error(`${keyFile} holds no key`);
  const key = await jose.JWK.asKey(jwk);
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: clientId,
    sub: clientId,
    aud: tokenUrl,
    jti: randomUUID(),
    iat: now,
    exp: now + 240,
    ...(user === undefined ? {} : { user }),
    ...(patient === undefined ? {} : { patient }),
  };
  const assertion = await jose.JWS.createSign({ format: 'compact', alg: jwk.alg, fields: { typ: 'JWT', kid: jwk.kid } }, key)
    .update(JSON.stringify(claims))
    .final();
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: String(assertion),
    ...(scope === undefined ? {} : { scope }),
  });
  const response = await fetch(tokenUrl, { method: 'POST', body });
  const answer = (await response.json()) as { access_token?: string; error?: string; error_description?: string };
  if (answer.access_token === undefined) throw new Error(`${answer.error ?? 'error'}: ${answer.error_description ?? ''}`);
  return answer.access_token;
};
