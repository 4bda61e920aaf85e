import type { Appointment, Extension, Reference, ServiceRequest, Task } from 'fhir/r4.js';
import { addDays, addWorkingDays, localDayOf } from '../calendar/working-days.js';
import { extensions, systems } from '../codes.js';
import type { Found } from '../command.js';
import { firstOf, lastChangeOf } from '../documents/attachment-type.js';
import { referenceToService, type Service } from '../directory/service.js';
import { letterIntentionOf, priorityChangedAt, reviewedAt, stateOf, ubrnOf } from '../referral/referral.js';
import type { WorklistName } from './lists.js';

/** A referral with what a worklist shows of it. */
export type Candidate = {
  readonly found: Found;
  readonly request: ServiceRequest;
  /** eRS-Priority */
  readonly priority: string;
  readonly appointment: Appointment | undefined;
  readonly task: Task | undefined;
  /** the service that has, or is to have, the patient */
  readonly service: Service | undefined;
  /** of the referrer */
  readonly documents: readonly Found[];
  /** working days for the letter that is to come; undefined when none is, or the priority says nothing of it */
  readonly letterDays: number | undefined;
  /** when the provider last had the clinical information printed, ISO 8601 */
  readonly printed: string | undefined;
  /** when the provider last reached the patient, ISO 8601 */
  readonly lastContact: string | undefined;
  /** ISO 8601 */
  readonly now: string;
};

/** The day by which the letter is to come, YYYY-MM-DD; undefined when none is, or nothing says by when. */
export const letterDue = ({ request, letterDays, now }: Candidate): string | undefined =>
  letterDays === undefined ? undefined : addWorkingDays(localDayOf(request.authoredOn ?? now), letterDays);

/** When the referrer's documents last changed; undefined without one. */
const letterChanged = ({ documents }: Candidate): string | undefined => lastChangeOf(documents);

/** eRS-RequestContextStatus: what the provider has not seen yet; undefined when it has seen all. */
export const contextStatus = (candidate: Candidate): string | undefined => {
  const { request } = candidate;
  const seen = reviewedAt(request);
  if (seen === undefined) return 'NEVER_REVIEWED';
  const later = (time: string | undefined): boolean => time !== undefined && Date.parse(time) > Date.parse(seen);
  const letter = later(letterChanged(candidate));
  const priority = later(priorityChangedAt(request));
  if (letter && priority) return 'PRIORITY_AND_LETTER_CHANGED';
  if (letter) return 'LETTER_CHANGED';
  return priority ? 'PRIORITY_CHANGED' : undefined;
};

/** eRS-ClinicalInformationStatus. */
export const clinicalStatus = (candidate: Candidate): 'PRESENT' | 'NOT_APPLICABLE' | 'NOT_DUE' | 'OVERDUE' => {
  if (candidate.documents.length > 0) return 'PRESENT';
  if (letterIntentionOf(candidate.request) !== 'NEED_TO_ADD_LATER') return 'NOT_APPLICABLE';
  const due = letterDue(candidate);
  return due !== undefined && localDayOf(candidate.now) > due ? 'OVERDUE' : 'NOT_DUE';
};

/** Whether the provider has printed all of the clinical information that there is. */
const isPrinted = (candidate: Candidate): boolean => {
  const { printed } = candidate;
  const changed = letterChanged(candidate);
  return printed !== undefined && (changed === undefined || Date.parse(changed) <= Date.parse(printed));
};

/** The clinician who has the patient: who takes part in the appointment, or to whom the provider gave the review. */
const allocatedClinician = ({ appointment, task }: Candidate): Reference | undefined =>
  [...(appointment?.participant ?? []).map(({ actor }) => actor), ...(task?.restriction?.recipient ?? [])].find(
    (actor) => actor?.reference?.startsWith('Practitioner/') === true || actor?.identifier?.system === systems.sdsUser,
  );

/** The day of the first reminder to book (firstReminderLetterFollowUpDays, calendar days); undefined where none was asked for. */
const reminderDue = ({ request, now }: Candidate): string | undefined => {
  const days = request.extension?.find(({ url }) => url === extensions.reminderDays)?.valueUnsignedInt;
  return days === undefined ? undefined : addDays(localDayOf(request.authoredOn ?? now), days);
};

type Part = readonly [string, Omit<Extension, 'url'> | undefined];

const text = (value: string | undefined): Omit<Extension, 'url'> | undefined => (value === undefined ? undefined : { valueString: value });
const code = (value: string | undefined): Omit<Extension, 'url'> | undefined => (value === undefined ? undefined : { valueCode: value });
const time = (value: string | undefined): Omit<Extension, 'url'> | undefined =>
  value === undefined ? undefined : { valueDateTime: value };

const valueIn = (request: ServiceRequest, url: string): string | undefined =>
  request.extension?.find((extension) => extension.url === url)?.valueDateTime;

const shared = (candidate: Candidate): readonly Part[] => {
  const { found, request, priority, service } = candidate;
  return [
    ['ubrn', text(ubrnOf(request))],
    ['referralRequestVersion', { valueUnsignedInt: found.version }],
    ['priority', { valueCoding: { system: systems.priority, code: priority } }],
    ['patient', { valueReference: request.subject }],
    ['state', code(stateOf(request))],
    ['specialty', request.performerType === undefined ? undefined : { valueCodeableConcept: request.performerType }],
    ['service', service === undefined ? undefined : { valueReference: referenceToService(service) }],
    ['pathwayStart', time(valueIn(request, extensions.pathwayStart) ?? request.authoredOn)],
    ['clinicalInfoFirstSubmitted', time(valueIn(request, extensions.clinicalInfoFirst) ?? firstOf(candidate.documents))],
    ['clinicalInfoLastUpdated', time(valueIn(request, extensions.clinicalInfoLast) ?? letterChanged(candidate))],
  ];
};

/** Who has the patient, and whom the service is named after: what the lists of a provider are filtered by. */
const clinicians = (candidate: Candidate): readonly Part[] => {
  const clinician = candidate.service?.summary.clinician;
  const allocated = allocatedClinician(candidate);
  return [
    ['allocatedClinician', allocated === undefined ? undefined : { valueReference: allocated }],
    [
      'namedClinician',
      clinician === undefined
        ? undefined
        : { valueReference: { identifier: { system: systems.sdsUser, value: clinician.sdsId }, display: clinician.name } },
    ],
  ];
};

const forReview = (candidate: Candidate): readonly Part[] => {
  const { appointment, task } = candidate;
  return [
    ['referralType', code(task === undefined ? 'APPOINTMENT' : 'TRIAGE_DEFERRAL')],
    ['requestContextStatus', code(contextStatus(candidate))],
    ['appointmentStart', time(appointment?.start)],
    ['patientContactExpected', time(task?.restriction?.period?.end)],
    ['clinicalInfoPrinted', { valueBoolean: isPrinted(candidate) }],
    ...clinicians(candidate),
  ];
};

/** Why the referral was deferred; what triage gave the provider to act on has another reason, and is told as that (e-RS facts, worklists). */
const slotIssueReason = ({ task }: Candidate): string | undefined =>
  task && (task.reasonCode?.coding?.find(({ system }) => system === systems.reviewReason)?.code ?? 'TRIAGE');

const slotIssue = (candidate: Candidate): readonly Part[] => [
  ['ubrnReceived', time(candidate.task?.authoredOn)],
  ['patientContactExpected', time(candidate.task?.restriction?.period?.end)],
  ['clinicalInformationStatus', code(clinicalStatus(candidate))],
  ['reason', code(slotIssueReason(candidate))],
  ['lastContact', time(candidate.lastContact)],
  ...clinicians(candidate),
];

const parts: Readonly<Record<WorklistName, (candidate: Candidate) => readonly Part[]>> = {
  REFERRALS_FOR_REVIEW: forReview,
  APPOINTMENT_SLOT_ISSUES: slotIssue,
  LETTERS_OUTSTANDING: (candidate) => [
    ['letterDue', time(letterDue(candidate))],
    ['clinicalInformationStatus', code(clinicalStatus(candidate))],
    ['appointmentStart', time(candidate.appointment?.start)],
  ],
  REJECTED_TRIAGE_RESPONSE: () => [],
  ASSESSMENT_RETURNED_CANCELLED_DNA: ({ appointment }) => [['appointmentStart', time(appointment?.start)]],
  AWAITING_BOOKING: (candidate) => [['reminderDue', time(reminderDue(candidate))]],
  ADVICE_AND_GUIDANCE_REQUESTS: ({ request }) => [['lastUpdated', time(request.meta?.lastUpdated)]],
};

/** What each list shows of an item, as parts of one extension. */
export const itemExtension = (list: WorklistName, candidate: Candidate): Extension => ({
  url: extensions.worklistItem,
  extension: [...shared(candidate), ...parts[list](candidate)].flatMap(([url, value]) => (value === undefined ? [] : [{ url, ...value }])),
});
