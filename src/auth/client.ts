import type { JsonWebKey } from 'node:crypto';
import type { Kind } from '../access/caller.js';

/** SMART asks for RS384 and ES384, the NHS signed-JWT pattern for RS512. */
export const algorithms = ['RS512', 'RS384', 'ES384'] as const;
export type Algorithm = (typeof algorithms)[number];

/** A key as RFC 7517 writes it. */
export type Jwk = JsonWebKey & { readonly kid?: string; readonly alg?: string; readonly use?: string };

/** A registered client (contract section 5). */
export type Client = {
  readonly id: string;
  readonly kind: Kind;
  readonly algorithms: readonly Algorithm[];
  /** public keys */
  readonly jwks: { readonly keys: readonly Jwk[] };
  /** SMART v2 scopes */
  readonly scopes: readonly string[];
  /** ODS codes */
  readonly organisations: readonly string[];
  /** SDS user ids the client may act for (kind user) */
  readonly assertsUsers?: readonly string[];
  readonly defaultUser?: string;
  /** NHS numbers the client may act for (kind patient) */
  readonly assertsPatients?: readonly string[] | 'any';
  readonly defaultPatient?: string;
  /** e-RS business function (kind app) */
  readonly businessFunction?: string;
  readonly ratePerSecond?: number;
};

export interface ClientRegistry {
  find(id: string): Promise<Client | undefined>;
  list(): Promise<readonly Client[]>;
}
