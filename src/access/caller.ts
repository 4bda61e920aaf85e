import type { Constraint } from './scopes.js';

/** The four kinds of client, and so of access token (contract section 5). */
export type Kind = 'system' | 'app' | 'user' | 'patient';

/** What an access token of this server says; times are seconds since the epoch (RFC 7519 section 2, NumericDate). */
export type AccessClaims = {
  readonly iss: string;
  /** the FHIR base; tokens made before it was there lack it */
  readonly aud?: string;
  /** the user, the patient or the client */
  readonly sub: string;
  readonly client_id: string;
  readonly kind: Kind;
  /** space separated */
  readonly scope: string;
  /** ODS codes of the registration */
  readonly organisations: readonly string[];
  readonly business_function?: string;
  /** SDS user id */
  readonly user?: string;
  /** NHS number */
  readonly patient?: string;
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
};

/** Who asks, as everything right of `http` sees it. */
export type Caller = {
  readonly kind: Kind;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** what granular scopes hold the caller to */
  readonly constraints?: readonly Constraint[];
  /** ODS code the caller acts for; absent for `system`, `patient` and where the e-RS headers are not required */
  readonly organisation?: string;
  /** ODS codes of the registration */
  readonly organisations: readonly string[];
  readonly businessFunction?: string;
  /** SDS user id */
  readonly user?: string;
  /** SDS user id of the clinician an admin acts for */
  readonly onBehalfOf?: string;
  /** NHS number */
  readonly patient?: string;
  /** id of the Patient resource with that NHS number, when there is one */
  readonly patientId?: string;
  /** ids of the records of the same patient that were superseded and go on as that one (R4 patient.html, links of merged records) */
  readonly formerIds?: readonly string[];
};
