import type { Appointment, CodeableConcept, Coding, Communication, Reference, ServiceRequest, Task } from 'fhir/r4.js';
import { extensions, systems } from '../domain/codes.js';
import { inState, portalLink, type Why } from '../domain/referral/referral.js';
import type { ReferralState } from '../domain/referral/transitions.js';
import {
  concept,
  ers,
  identifier,
  specialtyConcept,
  treatmentFunction,
  ukCoreExtension,
  ukCoreSystem,
  priorityCoding,
  type Priority,
} from './codings.js';
import { serviceName } from './directory.js';
import { slotId, type Opening } from './diary.js';
import { localText } from './local-time.js';
import type { Person } from './patients.js';
import type { Random } from './random.js';
import type { Clinician, Service } from './world.js';

/** A referral as a story from which its records are made. */
export type Story = {
  /** uuid, without the prefix that says referral or advice */
  readonly id: string;
  readonly ubrn: string;
  readonly state: ReferralState;
  readonly person: Person;
  readonly referrer: Clinician;
  readonly shortlist: readonly Service[];
  readonly priority: Priority;
  readonly reason: number;
  /** epoch ms */
  readonly authored: number;
  readonly opening: Opening | undefined;
  readonly timeZone: string;
};

const fhirPriority = { ROUTINE: 'routine', URGENT: 'urgent', TWO_WEEK_WAIT: 'asap' } as const;

export const patientReference = ({ id, nhsNumber }: Person): Reference => ({
  reference: `Patient/${id}`,
  identifier: identifier(systems.nhsNumber, nhsNumber),
});
export const serviceReference = (service: Service): Reference => ({
  reference: `HealthcareService/${service.id}`,
  identifier: identifier(systems.service, service.id),
  display: serviceName(service),
});
const roleReference = (person: Person, { sdsId }: Clinician): Reference => ({
  reference: `PractitionerRole/${person.practice.ods}-${sdsId}`,
});

const reasonOf = ({ shortlist, reason }: Story): CodeableConcept => {
  const reasons = shortlist[0]?.specialty.reasons ?? [];
  const coded = reasons[reason % reasons.length];
  return coded ? { ...concept(systems.snomed, coded), text: coded.display } : { text: 'See the letter' };
};

const shared = (story: Story): Omit<ServiceRequest, 'status'> => ({
  resourceType: 'ServiceRequest',
  extension: [{ url: extensions.priority, valueCoding: priorityCoding(story.priority) }],
  identifier: [identifier(systems.ubrn, story.ubrn)],
  intent: 'order',
  priority: fhirPriority[story.priority],
  subject: patientReference(story.person),
  authoredOn: localText(story.authored, story.timeZone),
  requester: roleReference(story.person, story.referrer),
  performer: story.shortlist.map(serviceReference),
  ...(story.shortlist[0] ? { performerType: specialtyConcept(story.shortlist[0].specialty) } : {}),
  reasonCode: [reasonOf(story)],
});

const category = [concept(systems.snomed, { code: '3457005', display: 'Patient referral' })];
const statusOf = (state: ReferralState): ServiceRequest['status'] => (state === 'CANCELLED_REFERRAL' ? 'revoked' : 'active');
const outcome = (code: string) => ({ system: ers('ReviewOutcome'), code });
const whyOf: Readonly<Partial<Record<ReferralState, Why>>> = {
  REJECTED: {
    reason: { system: ers('AppointmentCancellationReason'), code: 'FURTHER_INFORMATION_REQUIRED' },
    comments: 'Please send the results of the blood tests.',
  },
  TRIAGE_RESPONSE: { reason: outcome('RETURN_TO_REFERRER_WITH_ADVICE'), comments: 'The practice can treat this: see the advice.' },
  TRIAGED_PROVIDER_TO_ACTION: { reason: outcome('ACCEPT_REFER_BOOK_LATER'), comments: 'We will call the patient.' },
  CANCELLED_REFERRAL: {
    reason: { system: ers('ReferralCancellationReason'), code: 'TREATMENT_NO_LONGER_REQUIRED' },
    comments: 'The patient is well again.',
  },
};

export const referralId = (story: Pick<Story, 'id'>): string => `r.${story.id}`;

export const serviceRequest = (story: Story): ServiceRequest => {
  const { resourceType, extension = [], ...rest } = shared(story);
  const linked = [...extension, portalLink(story.ubrn)];
  return inState(
    { resourceType, id: referralId(story), ...rest, extension: linked, category, status: statusOf(story.state) },
    story.state,
    whyOf[story.state],
  );
};

type Ending = { readonly status: Appointment['status']; readonly reason?: { readonly code: string; readonly display: string } };
const endings: Readonly<Partial<Record<ReferralState, Ending>>> = {
  BOOKED: { status: 'booked' },
  REJECTED: { status: 'cancelled', reason: { code: 'FURTHER_INFORMATION_REQUIRED', display: 'Further information required' } },
  APPT_CANCELLED_BY_PATIENT: { status: 'cancelled', reason: { code: 'PATIENT_HOLIDAY', display: 'Patient holiday' } },
  APPT_CANCELLED_BY_PROVIDER: { status: 'cancelled', reason: { code: 'SERVICE_INAPPROPRIATE', display: 'Service inappropriate' } },
  DID_NOT_ATTEND: { status: 'noshow' },
  ASSESSMENT_RESULT: { status: 'fulfilled' },
};

/** States whose referral has, or had, an appointment in a slot. */
export const hasAppointment = (state: ReferralState): boolean => state in endings;
/** Those whose appointment still has its slot: the other slots are free again. */
export const keepsSlot = (state: ReferralState): boolean => ['booked', 'noshow', 'fulfilled'].includes(endings[state]?.status ?? '');
/** Those whose appointment is over. */
export const isPast = (state: ReferralState): boolean => ['noshow', 'fulfilled'].includes(endings[state]?.status ?? '');

export const appointment = (story: Story, id: string): Appointment | undefined => {
  const ending = endings[story.state];
  const { opening, timeZone } = story;
  if (!ending || !opening) return undefined;
  return {
    resourceType: 'Appointment',
    id,
    extension: [
      {
        url: ukCoreExtension('DeliveryChannel'),
        valueCodeableConcept: { coding: [{ system: ukCoreSystem('DeliveryChannel'), code: 'In-person', display: 'In-person' }] },
      },
    ],
    status: ending.status,
    ...(ending.reason === undefined ? {} : { cancelationReason: concept(ers('AppointmentCancellationReason'), ending.reason) }),
    specialty: [treatmentFunction(opening.service.specialty)],
    start: localText(opening.start, timeZone),
    end: localText(opening.end, timeZone),
    slot: [{ reference: `Slot/${slotId(opening)}`, identifier: identifier(systems.slot, `USRN-${slotId(opening)}`) }],
    created: localText(story.authored + 3_600_000, timeZone),
    basedOn: [{ reference: `ServiceRequest/${referralId(story)}`, identifier: identifier(systems.ubrn, story.ubrn) }],
    participant: [
      { actor: patientReference(story.person), status: 'accepted' },
      { actor: serviceReference(opening.service), status: 'accepted' },
    ],
  };
};

const workflow = 'https://fhir.nhs.uk/CodeSystem/Workflow-Code';

/** What the provider has to do in a state, and why (eRS-ReviewReason, or what came of a review). */
const waitsFor: Readonly<Partial<Record<ReferralState, { readonly code: string; readonly reason: Coding }>>> = {
  AWAITING_TRIAGE: { code: 'TRIAGE_DEFERRAL', reason: { system: ers('ReviewReason'), code: 'TRIAGE' } },
  DEFERRED_TO_PROVIDER: { code: 'APPOINTMENT_DEFERRAL', reason: { system: ers('ReviewReason'), code: 'NO_SLOTS_AT_SERVICE' } },
  TRIAGED_PROVIDER_TO_ACTION: { code: 'APPOINTMENT_DEFERRAL', reason: outcome('ACCEPT_REFER_BOOK_LATER') },
};

/** The deferral or the triage that a referral waits in, as e-RS's patient-care API shows it; `contactBy`: YYYY-MM-DD. */
export const task = (story: Story, id: string, contactBy: string): Task | undefined => {
  const waits = waitsFor[story.state];
  const [service] = story.shortlist;
  if (waits === undefined || !service) return undefined;
  return {
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: workflow, code: waits.code }] },
    focus: { reference: `ServiceRequest/${referralId(story)}` },
    for: patientReference(story.person),
    authoredOn: localText(story.authored + 3_600_000, story.timeZone),
    owner: serviceReference(service),
    reasonCode: { coding: [waits.reason] },
    restriction: { period: { end: contactBy } },
  };
};

export type AdviceStatus = 'PROVIDER_RESPONSE_REQUIRED' | 'REFERRER_TO_REVIEW_RESPONSE' | 'CONVERSATION_ENDED_CLOSED';

export const adviceId = (story: Pick<Story, 'id'>): string => `a.${story.id}`;

export const adviceRequest = (story: Story, status: AdviceStatus): ServiceRequest => {
  const { resourceType, extension = [], ...rest } = shared(story);
  return {
    resourceType,
    id: adviceId(story),
    ...rest,
    extension: [
      ...extension,
      { url: extensions.state, extension: [{ url: 'state', valueCoding: { system: ers('AdviceAndGuidanceStatus'), code: status } }] },
    ],
    category: [{ coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/message-category-servicerequest', code: 'request' }] }],
    code: { coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/servicerequest-code', code: 'advice-and-guidance' }] },
    status: status === 'CONVERSATION_ENDED_CLOSED' ? 'completed' : 'active',
  };
};

/** The messages of an advice conversation, the oldest first. */
export const conversation = (story: Story, status: AdviceStatus, random: Random): readonly Communication[] => {
  const [service] = story.shortlist;
  if (!service) return [];
  const message = (category: string, text: string, hours: number, sender: Reference): Communication => ({
    resourceType: 'Communication',
    id: random.uuid(),
    basedOn: [{ reference: `ServiceRequest/${adviceId(story)}` }],
    status: 'completed',
    category: [{ coding: [{ system: ers('CommunicationCategory'), code: category }] }],
    subject: patientReference(story.person),
    sent: localText(story.authored + hours * 3_600_000, story.timeZone),
    sender,
    payload: [{ contentString: text }],
  });
  const asked = message('REQUESTER', 'Which tests should we do before a referral?', 0, roleReference(story.person, story.referrer));
  if (status === 'PROVIDER_RESPONSE_REQUIRED') return [asked];
  const answered = message(
    'RESPONDER',
    'Please repeat the blood tests in four weeks and refer if they are raised.',
    26,
    serviceReference(service),
  );
  return [asked, answered];
};
