// What a bench of bookings needs before it begins: a referral for each free slot that is to be booked.
import { allOf, appointmentOf, freeSlotsOf, parameters, servicesOf, shortlist } from './asking.mjs';

const demoPatient = 'Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9912003888';
const sideBySide = 8;

/** At most `wanted` bookings of the demo patient, as bodies of POST Appointment, each on a free slot and a referral of its own. */
export const makeBookings = async (ask, wanted) => {
  const [{ id: patient }] = await allOf(ask, demoPatient);
  const places = [];
  for (const { id } of await servicesOf(ask, 'DIRECTLY_BOOKABLE')) {
    const slots = places.length < wanted ? await allOf(ask, freeSlotsOf(id, 200)) : [];
    places.push(...slots.slice(0, wanted - places.length).map((slot) => ({ slot: slot.id, service: id })));
  }
  const made = [];
  const refer = async () => {
    for (let place = places.pop(); place !== undefined; place = places.pop()) {
      const subject = ['patient', { valueReference: { reference: `Patient/${patient}` } }];
      const body = parameters(subject, ...shortlist(place.service));
      const { status, json, text } = await ask('gp', 'POST', 'ServiceRequest/$ers.createReferral', body);
      if (status !== 201) throw new Error(text);
      made.push(appointmentOf(json.id, place.slot));
    }
  };
  await Promise.all(Array.from({ length: sideBySide }, refer));
  return made;
};
