import type { Appointment, ServiceRequest } from 'fhir/r4.js';
import type { Caller } from '../access/caller.js';
import type { Resource } from '../fhir/resource.js';
import { decideBooking, gatherBooking } from './booking/book.js';
import { decideChange, gatherChange } from './booking/change.js';
import type { Decision, Facts, Found } from './command.js';
import { decideReferral, gatherReferral } from './referral/create-referral.js';

/** What a command is given beside the resource: all that is not pure comes through here. */
export type Situation = {
  readonly facts: Facts;
  readonly caller: Caller;
  /** FHIR base without a trailing slash */
  readonly baseUrl: string;
  /** ISO 8601, UTC */
  readonly now: string;
  readonly newId: () => string;
  /** 12 digits */
  readonly newUbrn: () => string;
};

/** Gathers and decides one create; the resource has been validated. Throws a Failure to refuse. */
export type CreateCommand = (situation: Situation, wanted: Resource) => Promise<Decision>;
/** Gathers and decides one change of `current`; `wanted` has been validated and carries the id of `current`. */
export type UpdateCommand = (situation: Situation, current: Found, wanted: Resource) => Promise<Decision>;

/** The commands that a row of the resource registry may name for its creates. */
export const createCommands = {
  'create-referral': async ({ facts, baseUrl, now, newId, newUbrn }, wanted) => {
    const given = { request: wanted as unknown as ServiceRequest, baseUrl };
    return decideReferral(given, await gatherReferral(facts, given), { id: `r.${newId()}`, ubrn: newUbrn(), now });
  },
  'book-appointment': async ({ facts, baseUrl, now, newId }, wanted) => {
    const appointment = wanted as unknown as Appointment;
    return decideBooking(appointment, await gatherBooking(facts, appointment, baseUrl), { id: newId(), now });
  },
} as const satisfies Readonly<Record<string, CreateCommand>>;

/** The commands that a row of the resource registry may name for its updates. */
export const updateCommands = {
  'change-appointment': async ({ facts, baseUrl, caller }, current, wanted) => {
    const appointment = wanted as unknown as Appointment;
    return decideChange(appointment, await gatherChange(facts, current, appointment, baseUrl), sideOf(caller));
  },
} as const satisfies Readonly<Record<string, UpdateCommand>>;

export type CreateCommandName = keyof typeof createCommands;
export type UpdateCommandName = keyof typeof updateCommands;

const providers = new Set([
  'SERVICE_PROVIDER_CLINICIAN',
  'SERVICE_PROVIDER_CLINICIAN_ADMIN',
  'SERVICE_PROVIDER_ADMIN',
  'PROVIDER_AUTHORISED_APPLICATION',
]);

/** On which side of the referral a caller stands. */
const sideOf = (caller: Caller): 'patient' | 'referrer' | 'provider' => {
  if (caller.kind === 'patient') return 'patient';
  return providers.has(caller.businessFunction ?? '') ? 'provider' : 'referrer';
};
