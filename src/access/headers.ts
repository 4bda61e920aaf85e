import { failure, type Failure } from '../fhir/outcome.js';
import type { AccessClaims, Caller } from './caller.js';

/** One of the user's PractitionerRoles: the ODS code of the organisation and the e-RS business functions held there. */
export type HeldRole = { readonly ods: string; readonly businessFunctions: readonly string[] };

/** Request headers as Node gives them: names in lower case. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

const names = {
  organisation: 'NHSD-End-User-Organisation-ODS',
  businessFunction: 'NHSD-eRS-Business-Function',
  onBehalfOf: 'NHSD-eRS-On-Behalf-Of-User-ID',
} as const;

const sdsUserId = /^\d{12}$/;

const sent = (headers: RequestHeaders, name: string): boolean => headers[name.toLowerCase()] !== undefined;

// A header sent twice is not read as either of its values.
const valueOf = (headers: RequestHeaders, name: string): string | undefined => {
  const value = headers[name.toLowerCase()];
  const text = typeof value === 'string' ? value : value?.join(',');
  return text?.trim() === '' ? undefined : text?.trim();
};

const missing = (name: string): Failure =>
  failure('invalid', 'required', `Header ${name} is required`, {
    coding: { system: 'https://fhir.nhs.uk/CodeSystem/NHSD-API-ErrorOrWarningCode', code: 'MISSING_HEADER' },
    expression: [name],
  });
const forbidden = (text: string): Failure => failure('forbidden', 'forbidden', text);

const refuseSent = (headers: RequestHeaders, kind: string): void => {
  const found = Object.values(names).find((name) => sent(headers, name));
  if (found) throw forbidden(`Header ${found} must not be sent by a client of kind ${kind}`);
};

/** What a user may leave out: nothing, all e-RS headers (A030), or whom he acts for, where he asks who that may be (A040). */
export type Exemption = 'none' | 'headers' | 'on-behalf-of';

const onBehalfOf = (headers: RequestHeaders, businessFunction: string, exemption: Exemption): string | undefined => {
  const value = valueOf(headers, names.onBehalfOf);
  if (businessFunction !== 'SERVICE_PROVIDER_CLINICIAN_ADMIN') {
    if (sent(headers, names.onBehalfOf)) throw forbidden(`Header ${names.onBehalfOf} is for SERVICE_PROVIDER_CLINICIAN_ADMIN only`);
    return undefined;
  }
  if (value === undefined && exemption === 'on-behalf-of') return undefined;
  if (value === undefined) throw forbidden(`Header ${names.onBehalfOf} is required for SERVICE_PROVIDER_CLINICIAN_ADMIN`);
  if (!sdsUserId.test(value)) throw forbidden(`Header ${names.onBehalfOf} is not an SDS user id`);
  return value;
};

// one list a token, as what is read from it is remembered by the list
const scopeLists = new WeakMap<AccessClaims, readonly string[]>();
const scopesOf = (claims: AccessClaims): readonly string[] => {
  const known = scopeLists.get(claims) ?? claims.scope.split(' ').filter((scope) => scope !== '');
  scopeLists.set(claims, known);
  return known;
};

const baseOf = (claims: AccessClaims): Caller => ({
  kind: claims.kind,
  clientId: claims.client_id,
  scopes: scopesOf(claims),
  organisations: claims.organisations,
  ...(claims.user === undefined ? {} : { user: claims.user }),
  ...(claims.patient === undefined ? {} : { patient: claims.patient }),
});

const userCaller = (claims: AccessClaims, headers: RequestHeaders, exemption: Exemption, roles: readonly HeldRole[]): Caller => {
  const organisation = valueOf(headers, names.organisation);
  const businessFunction = valueOf(headers, names.businessFunction);
  if (exemption === 'headers' && (organisation === undefined || businessFunction === undefined)) return baseOf(claims);
  if (organisation === undefined) throw missing(names.organisation);
  if (businessFunction === undefined) throw missing(names.businessFunction);
  const held = roles.filter(({ ods }) => ods === organisation);
  if (held.length === 0 || !(claims.organisations.includes(organisation) || claims.organisations.includes('*')))
    throw forbidden(`The user does not work at the organisation of ${names.organisation}`);
  if (!held.some(({ businessFunctions }) => businessFunctions.includes(businessFunction)))
    throw forbidden(`The user does not hold the function of ${names.businessFunction} there`);
  const clinician = onBehalfOf(headers, businessFunction, exemption);
  return { ...baseOf(claims), organisation, businessFunction, ...(clinician === undefined ? {} : { onBehalfOf: clinician }) };
};

const appCaller = (claims: AccessClaims, headers: RequestHeaders): Caller => {
  refuseSent(headers, 'app');
  const organisation = claims.organisations[0];
  if (organisation === undefined || claims.business_function === undefined)
    throw forbidden('The client is registered without an organisation or business function');
  return { ...baseOf(claims), organisation, businessFunction: claims.business_function };
};

/**
 * The e-RS header rules (e-RS API, request headers; contract section 5).
 *
 * @param headers names in lower case
 * @param exemption what a user need not send for this request
 * @param roles the user's PractitionerRoles; read for kind `user` only
 * @returns the caller, without `patientId`
 * @throws Failure `invalid`/`required` MISSING_HEADER, or `forbidden`
 */
export const callerOf = (claims: AccessClaims, headers: RequestHeaders, exemption: Exemption, roles: readonly HeldRole[]): Caller => {
  switch (claims.kind) {
    case 'system':
      return baseOf(claims);
    case 'app':
      return appCaller(claims, headers);
    case 'patient':
      refuseSent(headers, 'patient');
      return baseOf(claims);
    case 'user':
      return userCaller(claims, headers, exemption, roles);
  }
};
