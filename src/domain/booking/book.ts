import type { Appointment, Reference, Slot } from 'fhir/r4.js';
import { failure } from '../../fhir/outcome.js';
import { systems } from '../codes.js';
import { changedOwn, created, type Decision, type Draft, type Found } from '../command.js';
import { referenceToService, type Service } from '../directory/service.js';
import { changeReferral } from '../referral/change-referral.js';
import { refuseMisnamed } from '../misnamed.js';
import { ubrnOf } from '../referral/referral.js';
import { findRequest, gatherReferral, type Referral } from '../referral/gather-referral.js';
import { withPresentSystems } from '../older-names.js';
import { refusal } from '../refusal.js';
import type { Situation } from '../situation.js';
import { bookAtProvider } from './at-provider.js';
import { decideDeferral } from './defer.js';
import { releaseOf } from './hold.js';
import { checkPlace, gatherPlace, referenceToSlot, withSlot } from './place.js';
import { named } from './participants.js';

/** The referral that an appointment is based on; refuses one that is not there, and a versioned reference that is stale. */
export const gatherBasis = async (situation: Situation, appointment: Appointment): Promise<Referral> => {
  const [basis] = appointment.basedOn ?? [];
  if (basis === undefined)
    throw refusal('business-rule', 'required', 'MISSING_VALUE', 'The appointment must be based on a referral.', 'Appointment.basedOn');
  const found = await findRequest(situation, basis);
  if (!found)
    throw refusal(
      'business-rule',
      'not-found',
      'REFERENCE_NOT_FOUND',
      'The appointment must be based on a referral that exists.',
      'Appointment.basedOn',
    );
  if ((appointment.basedOn ?? []).length > 1)
    throw refusal('business-rule', 'business-rule', 'TOO_MANY_ITEMS', 'An appointment is of one referral.', 'Appointment.basedOn');
  refuseMisnamed(appointment.basedOn?.[0], found, {
    baseUrl: situation.baseUrl,
    what: 'referral',
    expression: 'Appointment.basedOn[0].reference',
  });
  return gatherReferral(situation, found);
};

export const busy = (slot: Found): Draft => changedOwn(slot, { ...slot.resource, status: 'busy' });

/** e-RS commands write the referral both ways, as a literal reference and by its UBRN. */
const referenceToReferral = ({ found, request }: Referral): Reference => {
  const ubrn = ubrnOf(request);
  return { reference: `ServiceRequest/${found.id}`, ...(ubrn === undefined ? {} : { identifier: { system: systems.ubrn, value: ubrn } }) };
};

/** Those who take part: as the client names them, and the patient and the service when it does not; these two both ways. */
const participantsOf = (appointment: Appointment, referral: Referral, service: Service | undefined): Appointment['participant'] => {
  const needed = [referral.request.subject, ...(service === undefined ? [] : [referenceToService(service)])];
  const given = appointment.participant;
  return [
    ...given.map((one) => {
      const both = needed.find(({ reference }) => reference !== undefined && reference === one.actor?.reference);
      return both === undefined ? one : { ...one, actor: { ...both, ...one.actor } };
    }),
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
  const waitsFor = referral.taskService?.organisation;
  const steps = changeReferral(
    referral,
    { event: 'book', staysWithProvider: waitsFor !== undefined && waitsFor === place.service?.organisation },
    { newId, now },
  );
  checkPlace(situation, appointment, referral, place);
  const { slotFound, service } = place;
  if (!slotFound) throw new Error('the rules demand a slot');
  const undo = await bookAtProvider(situation, { service: service?.id ?? '', slot: slotFound.id, referral: referral.found.id });
  const slot = slotFound.resource as unknown as Slot;
  const id = newId();
  const booked: Appointment = {
    ...appointment,
    start: slot.start,
    end: slot.end,
    created: appointment.created ?? now,
    basedOn: [referenceToReferral(referral)],
    slot: [referenceToSlot(slotFound)],
    participant: participantsOf(appointment, referral, service),
  };
  return {
    drafts: [created(booked, id), busy(slotFound), ...steps],
    releases: releaseOf(slotFound.id, place.holds.live),
    undo,
    result: { type: 'Appointment', id },
  };
};

/** POST Appointment, told apart by content as e-RS does (A016): booked books; proposed defers to the provider, or sends for triage. */
export const bookOrDefer = async (situation: Situation, sent: Appointment): Promise<Decision> => {
  const appointment = withPresentSystems(sent);
  if (appointment.status !== 'booked' && appointment.status !== 'proposed')
    throw refusal(
      'business-rule',
      'business-rule',
      'INAPPROPRIATE_VALUE',
      'A new appointment is booked; a deferral or triage is proposed.',
      'Appointment.status',
    );
  // the times are the slot's, and may be left to it; R4 appointment.html, app-2: one of them alone says nothing
  if (appointment.status === 'booked' && (appointment.start === undefined) !== (appointment.end === undefined))
    throw failure('invalid', 'invariant', 'Either start and end are both said, or neither (R4 app-2).', { expression: ['Appointment'] });
  const asked = await withSlot(situation, appointment);
  const referral = await gatherBasis(situation, asked);
  const known = { ...asked, participant: await named(situation, asked.participant) };
  return known.status === 'booked' ? decideBooking(situation, known, referral) : decideDeferral(situation, known, referral);
};
