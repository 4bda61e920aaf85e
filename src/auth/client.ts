import type { JsonWebKey } from 'node:crypto';
import type { Kind } from '../access/caller.js';

/** SMART asks for RS384 and ES384, the NHS signed-JWT pattern for RS512. */
export const algorithms = ['RS512', 'RS384', 'ES384'] as const;
export type Algorithm = (typeof algorithms)[number];

/** A key as RFC 7517 writes it. */
export type Jwk = JsonWebKey & { readonly kid?: string; readonly alg?: string; readonly use?: string };

/** What may stand for the person that a client acts for in a token exchange. */
export const subjectKinds = ['cis2', 'nhs-login', 'access-code'] as const;
export type SubjectKind = (typeof subjectKinds)[number];

/** A registered client (contract section 5). */
export type Client = {
  readonly id: string;
  readonly kind: Kind;
  readonly algorithms: readonly Algorithm[];
  /** public keys; none when `jwksUrl` names where they are */
  readonly jwks: { readonly keys: readonly Jwk[] };
  readonly jwksUrl?: string;
  /** SMART v2 scopes and NHS product scopes */
  readonly scopes: readonly string[];
  /** ODS codes; `*` for a user client whose users' own roles decide */
  readonly organisations: readonly string[];
  /** SDS user ids the client may act for (kind user) */
  readonly assertsUsers?: readonly string[];
  readonly defaultUser?: string;
  /** NHS numbers the client may act for (kind patient) */
  readonly assertsPatients?: readonly string[] | 'any';
  readonly defaultPatient?: string;
  /** token exchanges the client may make (kinds user and patient) */
  readonly exchanges?: readonly SubjectKind[];
  /** e-RS business function (kind app) */
  readonly businessFunction?: string;
  readonly ratePerSecond?: number;
  /** epoch seconds: tokens issued before it are those of an earlier registration of the id, which was revoked */
  readonly tokensFrom?: number;
};

export interface ClientRegistry {
  /** undefined for a client that is unknown or revoked */
  find(id: string): Promise<Client | undefined>;
  list(): Promise<readonly Client[]>;
}
