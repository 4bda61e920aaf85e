import type { Appointment, ServiceRequest, Task } from 'fhir/r4.js';
import type { Breach, Rule } from '../rules/rule.js';
import { unless } from '../rules/rule.js';
import { isDirectlyBookable, type Service } from '../directory/service.js';
import { acceptedAt, letterIntentionOf, priorityChangedAt, reviewedAt } from './referral.js';

/** All that the guards of the transition table look at, gathered beforehand. */
export type ReferralSituation = {
  readonly request: ServiceRequest;
  /** the services of the shortlist, in its order */
  readonly services: readonly Service[];
  readonly appointment?: Appointment;
  /** the service of the appointment */
  readonly appointmentService?: Service;
  /** the open task of the provider */
  readonly task?: Task;
  readonly taskService?: Service;
  /** whether a document is attached */
  readonly hasDocument: boolean;
  /** when the referrer's documents last changed, ISO 8601 */
  readonly letterChanged?: string;
  /** by the demographics */
  readonly hasDied?: boolean;
  readonly actor: 'referrer' | 'provider' | 'patient' | 'system';
  /** ODS code that the caller acts for */
  readonly organisation?: string;
  /** ODS codes of the organisation that refers, for a caller who acts as a referrer; none when the request does not tell */
  readonly referrers?: readonly string[];
  /** ISO 8601 */
  readonly now: string;
};

const before = (a: string | undefined, b: string): boolean => a !== undefined && Date.parse(a) < Date.parse(b);

const own = (service: Service | undefined, { actor, organisation }: ReferralSituation, what: string): readonly Breach[] =>
  unless(actor !== 'provider' || (service !== undefined && service.organisation === organisation), `The ${what} is with another provider.`);

/**
 * A referrer acts on what his organisation referred, not on what it was sent: somebody may hold functions of both sides there. A provider
 * ends what is with it, and what nobody else is asked for.
 */
const belongs = (x: ReferralSituation): readonly Breach[] => {
  const { actor, organisation, referrers = [], services, appointment, task } = x;
  const isOwn = (service: Service): boolean => service.organisation === organisation;
  if (actor === 'referrer')
    return unless(
      referrers.length > 0 ? organisation !== undefined && referrers.includes(organisation) : !services.some(isOwn),
      'The referral is of another organisation.',
    );
  if (appointment !== undefined) return own(x.appointmentService, x, 'appointment');
  if (task !== undefined) return own(x.taskService, x, 'referral');
  return unless(actor !== 'provider' || services.every(isOwn), 'Another provider is asked as well.');
};

/** Clinical information is due once the referrer said that a letter follows; the request itself may carry it as well. */
const hasClinicalInformation = ({ request, hasDocument }: ReferralSituation): boolean =>
  hasDocument || letterIntentionOf(request) !== 'NEED_TO_ADD_LATER' || (request.reasonCode ?? request.note ?? []).length > 0;

/** Whether the letter or the priority changed since the provider last looked: then it accepts what it has not seen yet. */
const hasChangedSince = ({ request, letterChanged }: ReferralSituation): boolean =>
  [letterChanged, priorityChangedAt(request)].some((time) => time !== undefined && before(reviewedAt(request), time));

const isIndirect = ({ appointmentService }: ReferralSituation): boolean => appointmentService?.binding === 'INDIRECTLY_BOOKABLE';

/** What must hold for an edge of the transition table beside state and role, by name. */
export const guards = {
  'no-current-appointment': {
    code: 'INVALID_STATE',
    expression: 'Appointment.basedOn',
    category: 'conflict',
    issue: 'conflict',
    evaluate: ({ appointment }) => unless(appointment === undefined, 'The referral has a current appointment already.'),
  },
  'patient-alive': {
    code: 'PATIENT_ERROR',
    expression: 'ServiceRequest.subject',
    evaluate: ({ hasDied }) => unless(hasDied !== true, 'The patient has died.'),
  },
  'triage-service': {
    code: 'INAPPROPRIATE_VALUE',
    expression: 'ServiceRequest.performer',
    evaluate: ({ services }) =>
      unless(
        services.some(({ flows }) => flows.includes('REVIEW')),
        'No service on the shortlist does triage.',
      ),
  },
  'appointment-service': {
    code: 'INAPPROPRIATE_VALUE',
    expression: 'ServiceRequest.performer',
    evaluate: ({ services }) =>
      unless(
        services.some(({ flows }) => flows.includes('BOOKABLE')),
        'No service on the shortlist gives appointments: send the referral for triage.',
      ),
  },
  'bookable-service': {
    code: 'INAPPROPRIATE_VALUE',
    expression: 'ServiceRequest.performer',
    evaluate: ({ services }) => unless(services.some(isDirectlyBookable), 'No service on the shortlist is directly bookable.'),
  },
  'own-referral': {
    code: 'NO_RELATIONSHIP',
    expression: 'ServiceRequest.requester',
    category: 'forbidden',
    issue: 'forbidden',
    evaluate: belongs,
  },
  'own-service': {
    code: 'NO_RELATIONSHIP',
    expression: 'Appointment.participant',
    category: 'forbidden',
    issue: 'forbidden',
    evaluate: (x) => own(x.appointmentService, x, 'appointment'),
  },
  'own-task': {
    code: 'NO_RELATIONSHIP',
    expression: 'Task.owner',
    category: 'forbidden',
    issue: 'forbidden',
    evaluate: (x) => own(x.taskService, x, 'review'),
  },
  'appointment-ahead': {
    code: 'INVALID_REQUEST_STATE',
    expression: 'Appointment.start',
    evaluate: ({ appointment, now }) => unless(!before(appointment?.start, now), 'The appointment has begun or is over.'),
  },
  'appointment-begun': {
    code: 'INVALID_REQUEST_STATE',
    expression: 'Appointment.start',
    evaluate: ({ appointment, now }) => unless(before(appointment?.start, now), 'The appointment has not begun.'),
  },
  'clinical-information': {
    code: 'INVALID_REQUEST_STATE',
    expression: 'ServiceRequest.supportingInfo',
    evaluate: (x) => unless(hasClinicalInformation(x), 'The referrer has yet to add the clinical information.'),
  },
  'not-accepted': {
    code: 'NO_CHANGES_DETECTED',
    expression: 'ServiceRequest.extension',
    evaluate: (x) => unless(acceptedAt(x.request) === undefined || hasChangedSince(x), 'The referral is accepted already.'),
  },
  'moved-here': {
    code: 'INAPPROPRIATE_VALUE',
    expression: 'Appointment.participant',
    evaluate: (x) => unless(!isIndirect(x), 'An appointment of an indirectly bookable service is moved with the provider, by phone.'),
  },
  'directly-bookable': {
    code: 'UNABLE_TO_CANCEL_APPOINTMENT',
    expression: 'Appointment.participant',
    evaluate: (x) => unless(!isIndirect(x), 'An appointment of an indirectly bookable service is cancelled with the provider, by phone.'),
  },
} as const satisfies Readonly<Record<string, Rule<ReferralSituation>>>;

export type GuardName = keyof typeof guards;
