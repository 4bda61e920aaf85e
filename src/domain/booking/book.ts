import type { Appointment, Reference, Slot } from 'fhir/r4.js';
import { failure, type Failure } from '../../fhir/outcome.js';
import { readReference } from '../../fhir/references.js';
import { systems } from '../codes.js';
import { changed, created, type Decision, type Draft, type Found } from '../command.js';
import { gatherService, referenceToService, type Service } from '../directory/service.js';
import { changeReferral } from '../referral/change-referral.js';
import { gatherReferral, type Referral } from '../referral/gather-referral.js';
import { refusal } from '../refusal.js';
import { refuseBreaches } from '../rules/rule.js';
import type { Situation } from '../situation.js';
import { bookingRules } from './booking-rules.js';
import { decideDeferral } from './defer.js';
import { findHold, holderOf, releaseOf, type Hold } from './hold.js';
import type { ProviderAnswer } from './provider-system.js';

/** The referral that an appointment is based on; refuses one that is not there, and a versioned reference that is stale. */
export const gatherBasis = async (situation: Situation, appointment: Appointment): Promise<Referral> => {
  const based = readReference(appointment.basedOn?.[0]?.reference ?? '', situation.baseUrl);
  const found = based && (await situation.facts.find({ type: based.type, id: based.id }));
  if (found?.type !== 'ServiceRequest')
    throw refusal(
      'business-rule',
      'not-found',
      'REFERENCE_NOT_FOUND',
      'The appointment must be based on a referral that exists.',
      'Appointment.basedOn',
    );
  if (based?.version !== undefined && based.version !== String(found.version))
    throw refusal(
      'conflict',
      'conflict',
      'INVALID_STATE',
      `The referral has moved on: its version is ${String(found.version)}.`,
      'Appointment.basedOn[0].reference',
    );
  return gatherReferral(situation, found);
};

export type Place = {
  readonly slotFound: Found | undefined;
  readonly actors: readonly Reference[];
  readonly service: Service | undefined;
  readonly hold: Hold | undefined;
};

/** The slot that an appointment names, the service whose diary it is in, and who holds it. */
export const gatherPlace = async ({ facts, baseUrl, now }: Situation, appointment: Appointment): Promise<Place> => {
  const key = readReference(appointment.slot?.[0]?.reference ?? '', baseUrl);
  const slotFound = key && (await facts.find({ type: key.type, id: key.id }, 'all'));
  const slot = slotFound?.resource as unknown as Slot | undefined;
  const scheduleKey = readReference(slot?.schedule.reference ?? '', baseUrl);
  const schedule = scheduleKey && (await facts.find(scheduleKey, 'all'));
  const actors = (schedule?.resource['actor'] ?? []) as readonly Reference[];
  const actor = actors.find(({ reference }) => reference?.startsWith('HealthcareService/'));
  return {
    slotFound,
    actors,
    service: actor && (await gatherService(facts, actor, baseUrl)),
    hold: slotFound && (await findHold(facts, slotFound.id, now)),
  };
};

export const checkPlace = (situation: Situation, appointment: Appointment, referral: Referral, place: Place): void => {
  refuseBreaches(bookingRules, {
    appointment,
    slotFound: place.slotFound,
    actors: place.actors,
    service: place.service,
    shortlist: referral.services,
    subject: referral.request.subject.reference,
    heldBy: place.hold?.holder,
    holder: holderOf(situation.caller),
    now: situation.now,
  });
};

/** Each answer of a provider's system that is no confirmation, as e-RS names it: 409, 502 or 504. */
export const refusedByProvider = (answer: Exclude<ProviderAnswer, 'confirmed'>): Failure => {
  const coding = (code: string) => ({ coding: { system: systems.errorCodes, code } });
  if (answer === 'error')
    return failure('provider-error', 'exception', "The provider's system answered with an error.", coding('PAS_RESPONDED_WITH_ERROR'));
  if (answer === 'no-answer')
    return failure('provider-timeout', 'timeout', "The provider's system did not answer in time.", coding('PAS_NOT_RESPONDING'));
  return failure('conflict', 'conflict', "The provider's diary has the slot no more.", coding('SLOT_NOT_AVAILABLE'));
};

const askProvider = async ({ providerSystem }: Situation, referral: Referral, place: Place): Promise<void> => {
  const booking = { service: place.service?.id ?? '', slot: place.slotFound?.id ?? '', referral: referral.found.id };
  const answer = await providerSystem.book(booking);
  if (answer !== 'confirmed') throw refusedByProvider(answer);
};

export const busy = (slot: Found): Draft => changed(slot, { ...slot.resource, status: 'busy' });

/** Those who take part: as the client names them, and the patient and the service when it does not. */
const participantsOf = (appointment: Appointment, referral: Referral, service: Service | undefined): Appointment['participant'] => {
  const needed = [referral.request.subject, ...(service === undefined ? [] : [referenceToService(service)])];
  const given = appointment.participant;
  return [
    ...given,
    ...needed
      .filter(({ reference }) => !given.some(({ actor }) => actor?.reference === reference))
      .map((actor) => ({ actor, status: 'accepted' as const })),
  ];
};

/** A016: books the slot for the referral; slot, appointment and referral change together or not at all. */
const decideBooking = async (situation: Situation, appointment: Appointment, referral: Referral): Promise<Decision> => {
  const place = await gatherPlace(situation, appointment);
  const { newId, now } = situation;
  // the referral first: what its state forbids is said before what is wrong with the slot
  const steps = changeReferral(referral, { event: 'book' }, { newId, now });
  checkPlace(situation, appointment, referral, place);
  await askProvider(situation, referral, place);
  const { slotFound, service } = place;
  if (!slotFound) throw new Error('the rules demand a slot');
  const slot = slotFound.resource as unknown as Slot;
  const id = newId();
  const booked: Appointment = {
    ...appointment,
    start: slot.start,
    end: slot.end,
    created: appointment.created ?? now,
    basedOn: [{ reference: `ServiceRequest/${referral.found.id}` }],
    slot: [{ reference: `Slot/${slotFound.id}` }],
    participant: participantsOf(appointment, referral, service),
  };
  return {
    drafts: [created(booked, id), busy(slotFound), ...steps],
    releases: releaseOf(slotFound.id, place.hold),
    result: { type: 'Appointment', id },
  };
};

/** POST Appointment, told apart by content as e-RS does (A016): booked books; proposed defers to the provider, or sends for triage. */
export const bookOrDefer = async (situation: Situation, appointment: Appointment): Promise<Decision> => {
  if (appointment.status !== 'booked' && appointment.status !== 'proposed')
    throw refusal(
      'business-rule',
      'business-rule',
      'INAPPROPRIATE_VALUE',
      'A new appointment is booked; a deferral or triage is proposed.',
      'Appointment.status',
    );
  const referral = await gatherBasis(situation, appointment);
  return appointment.status === 'booked'
    ? decideBooking(situation, appointment, referral)
    : decideDeferral(situation, appointment, referral);
};
