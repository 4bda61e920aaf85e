// What the clients of the soak do: each step is one request or two of somebody who refers, books, reviews or is the patient.
import { randomUUID } from 'node:crypto';
import { appointmentOf, freeSlotsOf, ifMatch, parameters, resourcesOf, shortlist } from './asking.mjs';

const pick = (list) => list[Math.floor(Math.random() * list.length)];
const sometimes = (share) => Math.random() < share;
const ers = (name) => `https://fhir.nhs.uk/CodeSystem/eRS-${name}`;
/** few, so that clients meet at the same slots */
const slotsInView = 12;

/** The steps over one server; `ledger` keeps what was touched: referrals {id, services} and slots. */
export const stepsOf = (ask, world, ledger) => {
  const current = async (path) => (await ask('system', 'GET', path)).json;
  const operate = async (role, { id }, name, ...pairs) => {
    const referral = await current(`ServiceRequest/${id}`);
    return ask(role, 'POST', `ServiceRequest/${id}/$ers.${name}`, pairs.length > 0 ? parameters(...pairs) : undefined, ifMatch(referral));
  };
  const freeSlot = async (referral) => {
    const slot = pick(resourcesOf((await ask('gp', 'GET', freeSlotsOf(pick(referral.services), slotsInView))).json, 'Slot'));
    if (slot) ledger.slots.add(slot.id);
    return slot;
  };
  const liveAppointment = async ({ id }) =>
    resourcesOf((await ask('gp', 'GET', `Appointment?based-on=ServiceRequest/${id}&status=booked`)).json, 'Appointment')[0];
  const kept = (answer, services) => {
    if (answer.status === 201) ledger.referrals.push({ id: answer.json.id, services });
    return answer;
  };
  const patientReference = () => ['patient', { valueReference: { reference: `Patient/${pick(world.patients).id}` } }];
  const cancelled = (code) => ({
    status: 'cancelled',
    cancelationReason: { coding: [{ system: ers('AppointmentCancellationReason'), code }] },
  });
  const change = async (role, referral, changes) => {
    const appointment = await liveAppointment(referral);
    return appointment && ask(role, 'PUT', `Appointment/${appointment.id}`, { ...appointment, ...changes }, ifMatch(appointment));
  };

  const steps = {
    search: async () => {
      const specialty = pick(world.specialties);
      const criteria = [
        { name: 'priority', valueCode: 'ROUTINE' },
        { name: 'specialty', valueCode: specialty.specialty },
        { name: 'clinicType', valueCode: specialty.clinicType },
      ];
      const body = parameters(['requestType', 'APPOINTMENT_REQUEST'], patientReference(), ['searchCriteria', criteria]);
      return ask('gp', 'POST', 'HealthcareService/$ers.searchHealthcareServicesForPatient', body);
    },
    refer: async () => {
      const services = [pick(world.bookable)];
      return kept(
        await ask('gp', 'POST', 'ServiceRequest/$ers.createReferral', parameters(patientReference(), ...shortlist(...services))),
        services,
      );
    },
    referForTriage: async () => {
      const services = [pick(world.triage)];
      const body = parameters(patientReference(), ...shortlist(...services));
      return kept(await ask('gp', 'POST', 'ServiceRequest/$ers.createReferralAndSendForTriage', body), services);
    },
    attach: async (referral) => {
      const { headers } = await ask('gp', 'POST', 'Binary', `Dear colleague, ${randomUUID()}`);
      const url = /Binary\/[^/]+/.exec(headers.get('location') ?? '')?.[0];
      const content = [{ attachment: { contentType: 'text/plain', url, title: `letter-${randomUUID()}.txt` } }];
      return operate('gp', referral, 'maintainReferralLetter', [
        'attachment',
        { resourceType: 'DocumentReference', status: 'current', content },
      ]);
    },
    book: async (referral, role = sometimes(0.2) ? 'patient' : 'gp') => {
      const slot = await freeSlot(referral);
      return slot && ask(role, 'POST', 'Appointment', appointmentOf(referral.id, slot.id));
    },
    hold: async (referral) => {
      const slot = await freeSlot(referral);
      const held = slot && (await ask('gp', 'POST', `Slot/${slot.id}/$hold`));
      if (held?.status !== 200) return held;
      return sometimes(0.5)
        ? ask('gp', 'POST', 'Appointment', appointmentOf(referral.id, slot.id))
        : ask('gp', 'POST', `Slot/${slot.id}/$release`);
    },
    // the same booking several times at once, and given up by some of the callers: it happens once
    retry: async (referral) => {
      const slot = await freeSlot(referral);
      if (!slot) return undefined;
      const pair = { 'x-request-id': randomUUID(), 'x-correlation-id': randomUUID() };
      const body = appointmentOf(referral.id, slot.id);
      const send = (ms) =>
        ask('gp', 'POST', 'Appointment', body, pair, ms && AbortSignal.timeout(ms)).catch((error) => {
          if (ms === undefined) throw error;
        });
      await Promise.all([send(1 + Math.floor(Math.random() * 40)), send()]);
      const last = await send();
      ledger.retried.push({ referral: referral.id, slot: slot.id, correlation: pair['x-correlation-id'] });
      return last;
    },
    move: async (referral) => {
      const slot = await freeSlot(referral);
      return slot && change(sometimes(0.3) ? 'patient' : 'gp', referral, { slot: [{ reference: `Slot/${slot.id}` }] });
    },
    patch: async (referral) => {
      const [appointment, slot] = [await liveAppointment(referral), await freeSlot(referral)];
      if (!appointment || !slot) return undefined;
      const body = [{ op: 'replace', path: '/slot/0/reference', value: `Slot/${slot.id}` }];
      const headers = { ...ifMatch(appointment), 'content-type': 'application/json-patch+json' };
      return ask('gp', 'PATCH', `Appointment/${appointment.id}`, body, headers);
    },
    cancelBooking: async (referral) => change('gp', referral, cancelled('PATIENT_HOLIDAY')),
    providerCancels: async (referral) => change('provider', referral, cancelled('SERVICE_INAPPROPRIATE')),
    accept: async (referral) => operate('provider', referral, 'acceptReferral'),
    reject: async (referral) => operate('provider', referral, 'rejectReferral', ['rejectionReason', 'SERVICE_INAPPROPRIATE']),
    actLater: async (referral) =>
      operate('provider', referral, 'cancelAppointmentActionLater', ['comments', 'We call the patient.'], ['priority', 'URGENT']),
    review: async (referral) =>
      operate(
        'provider',
        referral,
        'recordReviewOutcome',
        ['reviewOutcome', 'RETURN_TO_REFERRER_WITH_ADVICE'],
        ['reviewComments', 'See the advice.'],
      ),
    shortlist: async (referral) => {
      const services = [...new Set([pick(world.bookable), pick(world.bookable)])];
      const answer = await operate('gp', referral, 'changeShortlist', ...shortlist(...services));
      if (answer.status === 200) referral.services = services;
      return answer;
    },
    defer: async (referral) =>
      ask(
        'gp',
        'POST',
        'Appointment',
        appointmentOf(referral.id, undefined, {
          status: 'proposed',
          slot: undefined,
          reasonCode: [{ coding: [{ system: ers('ReviewReason'), code: 'BOOKING_ATTEMPT_PROBLEM' }] }],
          comment: 'The booking did not go through.',
        }),
      ),
    end: async (referral) => operate('gp', referral, 'cancelReferral', ['cancellationReason', 'RAISED_IN_ERROR']),
    readLists: async () => {
      const [role, list] = pick([
        ['gp', 'AWAITING_BOOKING'],
        ['gp', 'REJECTED_TRIAGE_RESPONSE'],
        ['provider', 'REFERRALS_FOR_REVIEW'],
        ['provider', 'APPOINTMENT_SLOT_ISSUES'],
      ]);
      return ask(role, 'POST', 'ServiceRequest/$ers.fetchworklist', parameters(['listType', list]));
    },
    readReferral: async ({ id }) => {
      await ask('provider', 'GET', `Task?focus=ServiceRequest/${id}&intent=proposal&status=ready`);
      return ask('gp', 'GET', `ServiceRequest?_id=${id}&_revinclude=Appointment:based-on`);
    },
  };
  return steps;
};

/** how often each step comes, of all steps on a referral */
const weights = {
  ...{ book: 8, move: 4, patch: 2, cancelBooking: 3, providerCancels: 1, retry: 3, hold: 2, accept: 2, reject: 2, actLater: 1 },
  ...{ attach: 2, review: 1, shortlist: 1, defer: 1, end: 1, readReferral: 3, readLists: 2, search: 2 },
};
/** what mostly comes next after a referral was made */
const beginnings = ['book', 'book', 'book', 'retry', 'hold', 'attach'];
const bag = Object.entries(weights).flatMap(([name, weight]) => new Array(weight).fill(name));

/** One client until `until`: refers, then acts on its referral and now and then on that of another. */
export const wander = async (steps, ledger, until, done) => {
  while (Date.now() < until) {
    const first = sometimes(0.15) ? 'referForTriage' : 'refer';
    const answer = await steps[first]();
    done(first, answer);
    const own = ledger.referrals.find(({ id }) => id === answer.json?.id);
    if (own && first === 'refer' && sometimes(0.85)) {
      const name = pick(beginnings);
      done(name, await steps[name](own));
    }
    for (let left = 3 + Math.floor(Math.random() * 8); own && left > 0 && Date.now() < until; left--) {
      const name = pick(bag);
      done(name, await steps[name](sometimes(0.2) ? pick(ledger.referrals.slice(-40)) : own));
    }
  }
};
