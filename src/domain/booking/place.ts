import type { Appointment, Reference, Slot } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { systems } from '../codes.js';
import type { Found } from '../command.js';
import { gatherService, type Service } from '../directory/service.js';
import { refuseMisnamed } from '../misnamed.js';
import type { Referral } from '../referral/gather-referral.js';
import { refuseBreaches } from '../rules/rule.js';
import type { Situation } from '../situation.js';
import { bookingRules } from './booking-rules.js';
import { findHolds, holderOf, type Holds } from './hold.js';

/** Where and with whom an appointment is to be. */
export type Place = {
  readonly slotFound: Found | undefined;
  readonly actors: readonly Reference[];
  readonly service: Service | undefined;
  readonly holds: Holds;
};

/** The slot that an appointment names, the service whose diary it is in, and who holds it. Refuses an old version of the slot. */
export const gatherPlace = async ({ facts, baseUrl, now }: Situation, appointment: Appointment): Promise<Place> => {
  const key = readReference(appointment.slot?.[0]?.reference ?? '', baseUrl);
  const slotFound = key && (await facts.find({ type: key.type, id: key.id }, 'all'));
  refuseMisnamed(appointment.slot?.[0], slotFound, { baseUrl, what: 'slot', expression: 'Appointment.slot[0]' });
  const slot = slotFound?.resource as unknown as Slot | undefined;
  const scheduleKey = readReference(slot?.schedule.reference ?? '', baseUrl);
  const schedule = scheduleKey && (await facts.find(scheduleKey, 'all'));
  const actors = (schedule?.resource['actor'] ?? []) as readonly Reference[];
  const actor = actors.find(({ reference }) => reference?.startsWith('HealthcareService/'));
  return {
    slotFound,
    actors,
    service: actor && (await gatherService(facts, actor, baseUrl)),
    holds: slotFound ? await findHolds(facts, slotFound.id, now) : { live: undefined, ranOut: undefined },
  };
};

/** The names under which slots are numbered: e-RS, BaRS and the portals each have their own. */
export const slotSystems: readonly string[] = [systems.slot, 'https://fhir.nhs.uk/Id/USRN', 'https://fhir.nhs.uk/Id/alternative-slot'];

/** The appointment with a literal reference to its slot where only the slot's number was given. */
export const withSlot = async ({ facts }: Situation, appointment: Appointment): Promise<Appointment> => {
  const [slot, ...others] = appointment.slot ?? [];
  const { system, value } = slot?.identifier ?? {};
  if (slot === undefined || slot.reference !== undefined || value === undefined || !slotSystems.includes(system ?? '')) return appointment;
  const found = await facts.byIdentifier('Slot', systems.slot, value);
  return found ? { ...appointment, slot: [{ reference: `Slot/${found.id}` }, ...others] } : appointment;
};

/** e-RS commands write a slot both ways, as a literal reference and by its own number. */
export const referenceToSlot = ({ id, resource }: Found): Reference => {
  const { identifier } = resource as unknown as Slot;
  const number = identifier?.find(({ system }) => system === systems.slot);
  return { reference: `Slot/${id}`, ...(number?.value === undefined ? {} : { identifier: { system: systems.slot, value: number.value } }) };
};

/** Refuses a booking that is not fit for its place (booking rules). */
export const checkPlace = (situation: Situation, appointment: Appointment, referral: Referral, place: Place): void => {
  refuseBreaches(bookingRules, {
    appointment,
    slotFound: place.slotFound,
    actors: place.actors,
    service: place.service,
    shortlist: referral.services,
    subject: referral.request.subject.reference,
    holds: place.holds,
    holder: holderOf(situation.caller),
    now: situation.now,
  });
};
