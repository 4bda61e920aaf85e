/**
 * A029 against the operations themselves: in every state and for every side, what is offered can be done, and what is not offered is
 * refused and leaves the referral as it was.
 */
import { referralStates, type ReferralState } from '../../src/domain/referral/states.js';
import type { AvailableAction } from '../../src/domain/referral/transitions.js';
import { ersOf, ifMatch, nhsNumber, parameters, stateIn } from '../helpers/ers.js';
import { resourcesOf, suiteServer, type Answer, type Role } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;

const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let direct: string;
let triage: string;
let otherTriage: string;
let slots: string[];
beforeAll(async () => {
  ers = ersOf(server);
  direct = (await ers.withSlots()).service;
  [triage = '', otherTriage = ''] = (await ers.services('REVIEW')).map(({ id }) => String(id));
  slots = (await ers.freeSlots(direct, 200)).map(({ id }) => String(id));
}, 120_000);

const shortlist = (id: string) => ['shortlist', `HealthcareService/${id}`] as const;
const freeSlot = (): string => slots.shift() ?? 'none-left';
const done = (answer: Answer): Answer => {
  if (answer.status >= 300) throw new Error(answer.text);
  return answer;
};

const bookingOf = async (id: string): Promise<Json | undefined> =>
  resourcesOf(await ers.read(`Appointment?based-on=ServiceRequest/${id}&status=booked`), 'Appointment')[0];
const reasons = {
  patient: 'PATIENT_HOLIDAY',
  provider: 'SERVICE_INAPPROPRIATE',
} as const;
const endBooking = async (role: Role, id: string, side: keyof typeof reasons): Promise<Answer> => {
  const booked = await bookingOf(id);
  if (booked === undefined) return server.as(role, 'PUT', 'Appointment/none', { resourceType: 'Appointment', id: 'none' }, ifMatch(1));
  const cancelationReason = {
    coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-AppointmentCancellationReason', code: reasons[side] }],
  };
  const version = (booked['meta'] as Json)['versionId'];
  return server.as(
    role,
    'PUT',
    `Appointment/${String(booked['id'])}`,
    { ...booked, status: 'cancelled', cancelationReason },
    ifMatch(version),
  );
};

const refer = async (): Promise<string> => String((await ers.refer([direct, triage]))['id']);
const triaged = async (): Promise<string> =>
  String(
    done(
      await ers.post(
        'gp',
        'ServiceRequest/$ers.createReferralAndSendForTriage',
        parameters(['patient', nhsNumber], shortlist(triage), ['intentionToAddReferralLetter', 'NEED_TO_ADD_LATER']),
      ),
    ).json['id'],
  );
const booked = async (): Promise<string> => {
  const id = await refer();
  await ers.book(id, freeSlot());
  return id;
};
const reviewed = async (...outcome: readonly (readonly [string, unknown])[]): Promise<string> => {
  const id = await triaged();
  done(await ers.on('provider', id, 'recordReviewOutcome', parameters(['reviewComments', 'Seen.'], ...outcome)));
  return id;
};
/** What only the time brings about, the provider's system says: the state alone, without a booking. */
const told = async (state: ReferralState): Promise<string> => {
  const id = await refer();
  const request = await ers.read(`ServiceRequest/${id}`);
  const text = JSON.stringify(request).replace('"code":"NOT_BOOKED"', `"code":"${state}"`);
  done(await server.as('system', 'PUT', `ServiceRequest/${id}`, text));
  return id;
};

/** A new referral in the state, brought there by the operations where they can do so today. */
const arrive: Readonly<Record<ReferralState, () => Promise<string>>> = {
  NOT_BOOKED: refer,
  BOOKED: booked,
  DEFERRED_TO_PROVIDER: async () => {
    const id = await refer();
    done(
      await ers.post('gp', 'Appointment', {
        resourceType: 'Appointment',
        status: 'proposed',
        basedOn: [{ reference: `ServiceRequest/${id}` }],
        reasonCode: [{ coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-ReviewReason', code: 'BOOKING_ATTEMPT_PROBLEM' }] }],
        comment: 'The system was down.',
        participant: [{ status: 'accepted', type: [{ text: 'patient' }] }],
      }),
    );
    return id;
  },
  AWAITING_TRIAGE: triaged,
  TRIAGE_RESPONSE: () => reviewed(['reviewOutcome', 'RETURN_TO_REFERRER_WITH_ADVICE']),
  TRIAGED_PROVIDER_TO_ACTION: () => reviewed(['reviewOutcome', 'ACCEPT_REFER_BOOK_LATER'], ['reviewPriority', 'URGENT']),
  REJECTED: async () => {
    const id = await booked();
    done(await ers.on('gp', id, 'maintainReferralLetter', parameters(['attachment', await ers.upload('gp', 'letter.txt')])));
    done(await ers.on('provider', id, 'rejectReferral', parameters(['rejectionReason', 'SERVICE_INAPPROPRIATE'])));
    return id;
  },
  APPT_CANCELLED_BY_PATIENT: async () => {
    const id = await booked();
    done(await endBooking('patient', id, 'patient'));
    return id;
  },
  APPT_CANCELLED_BY_PROVIDER: async () => {
    const id = await booked();
    done(await endBooking('provider', id, 'provider'));
    return id;
  },
  DID_NOT_ATTEND: () => told('DID_NOT_ATTEND'),
  ASSESSMENT_RESULT: () => told('ASSESSMENT_RESULT'),
  CANCELLED_REFERRAL: async () => {
    const id = await refer();
    done(await ers.on('gp', id, 'cancelReferral', parameters(['cancellationReason', 'RAISED_IN_ERROR'])));
    return id;
  },
};

/** A016 books, or sends for triage what is not booked here. */
const createAppointment = async (role: Role, id: string): Promise<Answer> => {
  const booked = await ers.post(role, 'Appointment', ers.appointment(id, slots[0]));
  if (booked.status < 300) return booked;
  const reasonCode = [{ coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-ReviewReason', code: 'TRIAGE' }] }];
  const { slot: _slot, ...proposed } = ers.appointment(id, '', { status: 'proposed', reasonCode });
  return ers.post(role, 'Appointment', proposed);
};

/** Each action as its operation, with a request that is right in itself. */
const attempts: Readonly<Record<AvailableAction, (role: Role, id: string) => Promise<Answer>>> = {
  RECORD_REVIEW_OUTCOME: (role, id) =>
    ers.on(role, id, 'recordReviewOutcome', parameters(['reviewOutcome', 'RETURN_TO_REFERRER_WITH_ADVICE'], ['reviewComments', 'Seen.'])),
  CREATE_APPOINTMENT: createAppointment,
  CHANGE_SHORTLIST: (role, id) => ers.on(role, id, 'changeShortlist', parameters(shortlist(direct))),
  CHANGE_SHORTLIST_AND_SEND_FOR_TRIAGE: (role, id) =>
    ers.on(role, id, 'changeShortlistAndSendForTriage', parameters(shortlist(otherTriage))),
  CANCEL_REFERRAL: (role, id) => ers.on(role, id, 'cancelReferral', parameters(['cancellationReason', 'INTEND_PRIVATE'])),
  CANCEL_DIRECTLY_BOOKED_APPOINTMENT: (role, id) => endBooking(role, id, role === 'provider' ? 'provider' : 'patient'),
};
const actions = Object.keys(attempts) as readonly AvailableAction[];

const offered = async (role: Role, id: string): Promise<readonly string[]> => {
  const answer = done(await server.as(role, 'GET', `Task?focus=ServiceRequest/${id}&intent=proposal&status=ready`));
  return resourcesOf(answer.json, 'Task').map(({ code }) => String((code as { coding: { code: string }[] }).coding[0]?.code));
};

const roles = ['gp', 'provider', 'patient', 'app'] as const;
it.each(referralStates.flatMap((state) => roles.map((role) => [state, role] as const)))(
  '%s, for %s: what is offered is done, what is not is refused',
  async (state, role) => {
    const kept = await arrive[state]();
    expect(stateIn(await ers.read(`ServiceRequest/${kept}`))).toBe(state);
    const offers = await offered(role, kept);
    const before = await ers.versionOf(`ServiceRequest/${kept}`);
    for (const action of actions.filter((one) => !offers.includes(one))) {
      const { status } = await attempts[action](role, kept);
      expect([action, status >= 400 && status < 500]).toEqual([action, true]);
    }
    expect(await ers.versionOf(`ServiceRequest/${kept}`)).toBe(before);
    for (const action of offers as readonly AvailableAction[]) {
      const { status, text } = await attempts[action](role, await arrive[state]());
      expect([action, status < 300 ? 'done' : text]).toEqual([action, 'done']);
      if (action === 'CREATE_APPOINTMENT') slots.shift();
    }
  },
  60_000,
);
