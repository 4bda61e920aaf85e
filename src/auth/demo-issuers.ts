import path from 'node:path';
import type { Jwk } from './client.js';
import { loadOrMakeKeys, makeRsaKey, publicPart } from './key-file.js';
import type { IdentityIssuer } from './subjects.js';

/** Stand-ins for the identity providers, so that a token exchange can be tried without one; `.invalid` names resolve nowhere. */
export const demoIssuers = {
  cis2: { issuer: 'https://cis2.demo.invalid', file: 'cis2.jwk.json' },
  'nhs-login': { issuer: 'https://nhs-login.demo.invalid', file: 'nhs-login.jwk.json' },
} as const;
type Kind = keyof typeof demoIssuers;

const keysOf = (directory: string, kind: Kind): Promise<readonly Jwk[]> =>
  loadOrMakeKeys(path.join(directory, 'issuers', demoIssuers[kind].file), () => makeRsaKey('RS512'));

/**
 * The demo issuers with their public keys; the private ones are made at the first start, `<directory>/issuers/*.jwk.json`, mode 0600.
 *
 * @param directory DATA_DIR
 */
export const makeDemoIssuers = (directory: string): Promise<readonly IdentityIssuer[]> =>
  Promise.all(
    (['cis2', 'nhs-login'] as const).map(async (kind) => ({
      issuer: demoIssuers[kind].issuer,
      kind,
      algorithms: ['RS512'],
      jwks: { keys: (await keysOf(directory, kind)).map(publicPart) },
    })),
  );

/** What the demo issuer says of a person: the claims of CIS2 or of NHS login, as of `now` (seconds). */
export const demoIdClaims = (
  person: { readonly user: string } | { readonly patient: string },
  clientId: string,
  now: number,
): { readonly kind: Kind; readonly claims: Readonly<Record<string, unknown>> } => {
  const common = { aud: clientId, iat: now, exp: now + 300 };
  if ('user' in person)
    return {
      kind: 'cis2',
      claims: {
        iss: demoIssuers.cis2.issuer,
        sub: person.user,
        nhsid_useruid: person.user,
        id_assurance_level: '3',
        authentication_assurance_level: '3',
        ...common,
      },
    };
  return {
    kind: 'nhs-login',
    claims: {
      iss: demoIssuers['nhs-login'].issuer,
      sub: person.patient,
      nhs_number: person.patient,
      vot: 'P9.Cp.Cd',
      identity_proofing_level: 'P9',
      ...common,
    },
  };
};
