import { checkOneVersion } from '../fhir/etag.js';
import { failure } from '../fhir/outcome.js';
import type { Caller, Kind } from './caller.js';

/** The business functions of e-RS (e-RS API, user and application mode). */
export const businessFunctions = [
  'REFERRING_CLINICIAN',
  'REFERRING_CLINICIAN_ADMIN',
  'REFERRING_ADMIN',
  'COMMISSIONER',
  'SERVICE_PROVIDER_CLINICIAN',
  'SERVICE_PROVIDER_CLINICIAN_ADMIN',
  'SERVICE_PROVIDER_ADMIN',
  'INFORMATION_ANALYST',
  'BOOKING_MANAGER',
  'ADDITIONAL_REQUIREMENTS_MANAGER',
] as const;
export type BusinessFunction = (typeof businessFunctions)[number];

/** Which applications may call: those of a provider, of a referrer, either, or none. */
export type AppSide = 'provider' | 'referrer' | 'either' | 'none';

/**
 * Who may perform an operation. `system` is not listed: its scopes alone decide, as the workflow does not bind it (contract of the
 * four kinds). A kind user needs one of `functions`; a kind app must stand on `app`.
 */
export type OperationRule = {
  /** the endpoints of the e-RS API that this row stands for */
  readonly ers: readonly string[];
  readonly kinds: readonly Exclude<Kind, 'system'>[];
  readonly functions: readonly BusinessFunction[];
  readonly app: AppSide;
  /** If-Match is required of every kind but `system` */
  readonly ifMatch: boolean;
};

const referrers = ['REFERRING_CLINICIAN', 'REFERRING_CLINICIAN_ADMIN'] as const;
const providers = ['SERVICE_PROVIDER_CLINICIAN', 'SERVICE_PROVIDER_CLINICIAN_ADMIN'] as const;
const clinical = [...referrers, ...providers] as const;
const providerLists = ['SERVICE_PROVIDER_CLINICIAN', 'SERVICE_PROVIDER_ADMIN', 'SERVICE_PROVIDER_CLINICIAN_ADMIN'] as const;
const referrerLists = ['REFERRING_CLINICIAN', 'REFERRING_CLINICIAN_ADMIN', 'REFERRING_ADMIN'] as const;

const forReferrers = { kinds: ['user'], functions: referrers, app: 'none' } as const;
const forProviders = { kinds: ['user'], functions: providers, app: 'none' } as const;
const forProvidersAndApps = { kinds: ['user', 'app'], functions: providers, app: 'provider' } as const;
const forAllSides = { kinds: ['user', 'app'], functions: clinical, app: 'provider' } as const;

/**
 * One row an operation: `ers.<name>` and other operation codes without `$`, and writes by plain REST as `Type.letter` (SMART letters;
 * PATCH is `u`). Source: e-RS API, operations and their roles; the tests of every operation and role are made from this table.
 */
export const operationRules = {
  'ers.generateCRI': { ers: ['A007', 'A043'], ...forAllSides, ifMatch: false },
  // which of the lists, their concepts say (eRS-ReferralListSelector)
  'ers.fetchworklist': {
    ers: ['A008', 'A023'],
    kinds: ['user', 'app'],
    functions: [...referrerLists, ...providerLists],
    app: 'provider',
    ifMatch: false,
  },
  'ers.searchHealthcareServicesForPatient': { ers: ['A010'], ...forReferrers, ifMatch: false },
  'ers.createReferral': { ers: ['A011'], ...forReferrers, ifMatch: false },
  'ers.maintainReferralLetter': { ers: ['A012'], ...forReferrers, ifMatch: true },
  'ers.acceptReferral': { ers: ['A013'], ...forProvidersAndApps, ifMatch: true },
  'ers.rejectReferral': { ers: ['A014'], ...forProviders, ifMatch: true },
  'ers.generatePatientLetter': { ers: ['A019'], ...forReferrers, ifMatch: false },
  'ers.createReferralAndSendForTriage': { ers: ['A021'], ...forReferrers, ifMatch: false },
  'ers.cancelAppointmentActionLater': { ers: ['A022'], ...forProviders, ifMatch: true },
  'ers.sendCommunicationToRequester': { ers: ['A026'], ...forProviders, ifMatch: true },
  'ers.createFromCommunicationRequestActionLater': { ers: ['A027'], ...forProviders, ifMatch: false },
  'ers.recordReviewOutcome': { ers: ['A028'], ...forProvidersAndApps, ifMatch: true },
  'ers.changeShortlist': { ers: ['A031'], ...forReferrers, ifMatch: true },
  'ers.changeShortlistAndSendForTriage': { ers: ['A032'], ...forReferrers, ifMatch: true },
  'ers.cancelReferral': { ers: ['A036'], ...forAllSides, ifMatch: true },
  'ers.createAdviceAndGuidance': { ers: ['A044'], ...forReferrers, ifMatch: false },
  hold: { ers: [], kinds: ['user', 'patient'], functions: referrers, app: 'none', ifMatch: false },
  release: { ers: [], kinds: ['user', 'patient'], functions: referrers, app: 'none', ifMatch: false },
  'ServiceRequest.c': { ers: ['A011'], ...forReferrers, ifMatch: false },
  'Appointment.c': { ers: ['A016'], kinds: ['user', 'patient'], functions: referrers, app: 'none', ifMatch: false },
  // e-RS has the provider cancel in its own system, which then tells e-RS; here it cancels like a referrer does
  'Appointment.u': { ers: ['A034'], kinds: ['user', 'patient'], functions: clinical, app: 'none', ifMatch: true },
  'Binary.c': { ers: ['A020'], kinds: ['user', 'app', 'patient'], functions: clinical, app: 'provider', ifMatch: false },
  'DocumentReference.c': { ers: [], kinds: ['user', 'app', 'patient'], functions: clinical, app: 'provider', ifMatch: false },
  'DocumentReference.u': { ers: [], kinds: ['user', 'app', 'patient'], functions: clinical, app: 'provider', ifMatch: true },
  'QuestionnaireResponse.c': { ers: [], kinds: ['patient'], functions: [], app: 'none', ifMatch: false },
  'QuestionnaireResponse.u': { ers: [], kinds: ['patient'], functions: [], app: 'none', ifMatch: true },
  'Schedule.c': { ers: [], kinds: ['user', 'app'], functions: providerLists, app: 'provider', ifMatch: false },
  'Schedule.u': { ers: [], kinds: ['user', 'app'], functions: providerLists, app: 'provider', ifMatch: true },
  'Slot.c': { ers: [], kinds: ['user', 'app'], functions: providerLists, app: 'provider', ifMatch: false },
  'Slot.u': { ers: [], kinds: ['user', 'app'], functions: providerLists, app: 'provider', ifMatch: true },
} as const satisfies Readonly<Record<string, OperationRule>>;

export type OperationCode = keyof typeof operationRules;

/**
 * The operations that are R4's, not e-RS's. `reads`: a read of the type it is called on, by who may read that; `system`: for clients of kind
 * system alone. An operation with a row neither here nor above is for nobody but them.
 */
export const generalRules = {
  everything: 'reads',
  meta: 'reads',
  'meta-add': 'system',
  'meta-delete': 'system',
  export: 'system',
  import: 'system',
  versions: 'reads',
  validate: 'reads',
  expand: 'reads',
  'validate-code': 'reads',
  lookup: 'reads',
  subsumes: 'reads',
  translate: 'reads',
} as const satisfies Readonly<Record<string, 'reads' | 'system'>>;

/** True for an operation that reads a type as its other reads do. */
export const isReading = (code: string): boolean =>
  Object.hasOwn(generalRules, code) && generalRules[code as keyof typeof generalRules] === 'reads';

/** Reading the directory and reference data is open to all (A004, A015, A030, A033, A035, A037); the rest of the types follow this row. */
export const clinicalReads: OperationRule = {
  ers: ['A005', 'A024', 'A025', 'A029', 'A038', 'A041', 'A042'],
  kinds: ['user', 'app', 'patient'],
  functions: clinical,
  app: 'provider',
  ifMatch: false,
};

/** A040, `GET Practitioner?_query=onBehalfOf`. */
export const onBehalfOfQuery: OperationRule = {
  ers: ['A040'],
  kinds: ['user'],
  functions: ['SERVICE_PROVIDER_CLINICIAN_ADMIN'],
  app: 'none',
  ifMatch: false,
};

const appFunctions: Readonly<Record<AppSide, readonly string[]>> = {
  provider: ['PROVIDER_AUTHORISED_APPLICATION'],
  referrer: ['REFERRER_AUTHORISED_APPLICATION'],
  either: ['PROVIDER_AUTHORISED_APPLICATION', 'REFERRER_AUTHORISED_APPLICATION'],
  none: [],
};

/** The rule of an operation code without `$`; undefined for operations that only the scope guards. */
export const findRule = (code: string): OperationRule | undefined =>
  Object.hasOwn(operationRules, code) ? operationRules[code as OperationCode] : undefined;

/** True when the caller's kind, business function or side of the application is on the row. Scope and record are other steps. */
export const isPermitted = (rule: OperationRule, caller: Pick<Caller, 'kind' | 'businessFunction'>): boolean => {
  const { kind } = caller;
  if (kind === 'system') return true;
  if (!rule.kinds.includes(kind)) return false;
  const held = caller.businessFunction ?? '';
  if (kind === 'user') return rule.functions.some((name) => name === held);
  return kind === 'patient' || appFunctions[rule.app].includes(held);
};

/**
 * The second step of authorisation: kind and business function against the row. `what` names the operation for the client.
 *
 * @throws Failure `forbidden`
 */
export const checkRule = (rule: OperationRule, caller: Pick<Caller, 'kind' | 'businessFunction'>, what: string): void => {
  if (isPermitted(rule, caller)) return;
  const held = caller.businessFunction === undefined ? '' : ` with the business function ${caller.businessFunction}`;
  throw failure('forbidden', 'forbidden', `A client of kind ${caller.kind}${held} may not perform ${what}.`);
};

/** @throws Failure `invalid`/`required` when the row asks for If-Match of this caller and none came */
export const checkIfMatch = (rule: OperationRule, caller: Pick<Caller, 'kind'>, ifMatch: string | undefined): void => {
  if (rule.ifMatch && caller.kind !== 'system') checkOneVersion(ifMatch);
};
