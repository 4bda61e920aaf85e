import type { Plugin } from '@hapi/hapi';
import { smartConfiguration } from '../../auth/smart-configuration.js';
import type { Keyring } from '../../auth/keyring.js';
import type { TokenAnswer, TokenEndpoint } from '../../auth/token-endpoint.js';
import { failure } from '../../fhir/outcome.js';
import type { Login, Witness } from '../../audit/witness.js';
import type { AddressFinder } from '../address.js';
import { aboutOf } from './correlation.js';

const discovery = '/FHIR/R4/.well-known/smart-configuration';

/** What the audit keeps of an answer: who, and why not; never the assertion, and nothing that a client chose as text. */
const loginOf = ({ body, who }: TokenAnswer): Login => {
  const { client, user, patient } = who;
  if ('error' in body) {
    // the text of this one quotes the scope
    const reason = body.error === 'invalid_scope' ? body.error : `${body.error}: ${body.error_description}`;
    return { reason, ...(client === undefined ? {} : { clientId: client.id }) };
  }
  if (!client) return {};
  const acting = { ...(user === undefined ? {} : { user }), ...(patient === undefined ? {} : { patient }) };
  return { caller: { kind: client.kind, clientId: client.id, scopes: [], organisations: [], ...acting } };
};

/** `/oauth2/token`, `/oauth2/jwks` and SMART discovery. */
export const oauth = (parts: {
  readonly tokens: TokenEndpoint;
  readonly keys: Keyring;
  readonly origin: string;
  readonly addressOf: AddressFinder;
  readonly house: { readonly witness: Pick<Witness, 'login'> };
}): Plugin<undefined> => ({
  name: 'oauth',
  register: (server) => {
    server.route([
      {
        method: 'POST',
        path: '/oauth2/token',
        options: { payload: { parse: false, output: 'data', maxBytes: 65_536 } },
        handler: async (request, h) => {
          const form = /^application\/x-www-form-urlencoded\b/i.test((request.headers['content-type'] as string | undefined) ?? '');
          if (!form) {
            parts.house.witness.login(aboutOf(request), { reason: 'invalid_request' });
            return h
              .response({ error: 'invalid_request', error_description: 'The body must be application/x-www-form-urlencoded.' })
              .code(400)
              .header('cache-control', 'no-store');
          }
          const values: Record<string, unknown> = {};
          // a parameter given twice becomes an array, which the endpoint refuses (RFC 6749 section 3.2)
          for (const [name, value] of new URLSearchParams((request.payload as Buffer).toString('utf8')))
            values[name] = Object.hasOwn(values, name) ? [values[name], value] : value;
          const answer = await parts.tokens.issue(values, parts.addressOf(request));
          const { status, body, retryAfterSeconds } = answer;
          parts.house.witness.login(aboutOf(request), loginOf(answer));
          const response = h.response(body).code(status).header('cache-control', 'no-store').header('pragma', 'no-cache');
          return retryAfterSeconds === undefined ? response : response.header('retry-after', String(retryAfterSeconds));
        },
      },
      { method: 'GET', path: '/oauth2/jwks', handler: () => parts.keys.publicJwks() },
      { method: 'GET', path: discovery, handler: () => smartConfiguration(parts.origin) },
      {
        // else the routes of all that is below the FHIR base take them
        method: ['POST', 'PUT', 'PATCH', 'DELETE'],
        path: discovery,
        options: { payload: { parse: false, maxBytes: 65_536 } },
        handler: ({ method }) => {
          throw failure('method', 'not-supported', `${method.toUpperCase()} is not offered here.`).withAllow(['GET', 'HEAD']);
        },
      },
    ]);
  },
});
