import { algorithms } from './client.js';
import { tokenExchange } from './token-endpoint.js';

/**
 * The discovery document of SMART Backend Services (SMART App Launch 2, conformance.html#metadata).
 *
 * @param baseUrl the server's root, without `/FHIR/R4` and without a trailing slash
 */
export const smartConfiguration = (baseUrl: string) => ({
  issuer: baseUrl,
  jwks_uri: `${baseUrl}/oauth2/jwks`,
  token_endpoint: `${baseUrl}/oauth2/token`,
  token_endpoint_auth_methods_supported: ['private_key_jwt'],
  token_endpoint_auth_signing_alg_values_supported: [...algorithms],
  grant_types_supported: ['client_credentials', tokenExchange],
  scopes_supported: ['system/*.cruds', 'user/*.cruds', 'patient/*.cruds'],
  response_types_supported: [] as readonly string[],
  code_challenge_methods_supported: ['S256'],
  capabilities: ['client-confidential-asymmetric', 'permission-v2', 'permission-user', 'permission-patient'],
});
