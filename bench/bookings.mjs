// What a bench of bookings needs before it begins: a referral for each free slot that is to be booked.
import { allOf, appointmentOf, freeSlotsOf, pagesOf, parameters, shortlist } from './asking.mjs';

const demoPatient = 'Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9912003888';
const sideBySide = 8;

/** Free slots of directly bookable services, spread over as many of them as it takes. */
const freePlaces = async (ask, wanted) => {
  const places = [];
  for await (const services of pagesOf(ask, 'HealthcareService?characteristic=DIRECTLY_BOOKABLE&_count=50'))
    for (const { id } of services) {
      if (places.length >= wanted) return places;
      const slots = await allOf(ask, freeSlotsOf(id, 200));
      places.push(...slots.slice(0, wanted - places.length).map((slot) => ({ slot: slot.id, service: id })));
    }
  return places;
};

/** At most `wanted` bookings of the demo patient, as bodies of POST Appointment, each on a free slot and a referral of its own. */
export const makeBookings = async (ask, wanted) => {
  const [{ id: patient }] = await allOf(ask, demoPatient);
  const places = await freePlaces(ask, wanted);
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
