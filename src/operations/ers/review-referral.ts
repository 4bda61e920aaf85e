import { systems } from '../../domain/codes.js';
import { acceptReferral, cancelAppointmentActionLater, recordReviewOutcome, rejectReferral } from '../../domain/referral/review.js';
import type { Operation } from '../operation.js';
import { files, needed, neededCode, optional, optionalCode } from './declare.js';
import { maybe, onInstance, type OnInstance } from './ers-operation.js';
import { filesOf } from './inputs.js';

const providerFiles = files('providerAttachmentFile', 'documents of the provider');
const cancelledInPas = optional('appointmentCancelledInPAS', 'boolean', 'for an indirectly booked appointment, and only there');

/** What a provider does with a referral, an operation a row. */
const reviews: readonly Omit<OnInstance, 'type'>[] = [
  {
    code: 'ers.acceptReferral',
    name: 'AcceptReferral',
    description: 'The provider accepts a booked referral, before the appointment, once the clinical information is there (e-RS A013).',
    parameters: [],
    decide: acceptReferral,
  },
  {
    code: 'ers.rejectReferral',
    name: 'RejectReferral',
    description: 'The provider rejects a booked referral; its appointment is cancelled and the slot is free again (e-RS A014).',
    parameters: [
      neededCode('rejectionReason', systems.appointmentCancellation, 'CodeSystem APPOINTMENT-CANCELLATION-REASON, usage REJECT, in effect'),
      optional('rejectionComments', 'string', 'at most 2000 characters; mandatory when the reason says so'),
      cancelledInPas,
      providerFiles,
    ],
    decide: async (situation, found, inputs) =>
      rejectReferral(situation, found, {
        reason: inputs.code('rejectionReason') ?? '',
        ...maybe('comments', inputs.text('rejectionComments')),
        ...maybe('cancelledInPas', inputs.boolean('appointmentCancelledInPAS')),
        files: await filesOf(inputs, 'providerAttachmentFile', situation.facts),
      }),
  },
  {
    code: 'ers.cancelAppointmentActionLater',
    name: 'CancelAppointmentActionLater',
    description: 'The provider cancels the appointment and will act on the referral itself (e-RS A022).',
    parameters: [
      needed('comments', 'string', 'at most 2000 characters'),
      optionalCode('priority', systems.priority, 'eRS-Priority, where it changes'),
      cancelledInPas,
      providerFiles,
    ],
    decide: async (situation, found, inputs) =>
      cancelAppointmentActionLater(situation, found, {
        comments: inputs.text('comments') ?? '',
        ...maybe('priority', inputs.code('priority')),
        ...maybe('cancelledInPas', inputs.boolean('appointmentCancelledInPAS')),
        files: await filesOf(inputs, 'providerAttachmentFile', situation.facts),
      }),
  },
  {
    code: 'ers.recordReviewOutcome',
    name: 'RecordReviewOutcome',
    description: 'What came of triage or of a deferral: accepted, to refer or book later, or returned with advice (e-RS A028).',
    parameters: [
      neededCode('reviewOutcome', systems.reviewOutcome, 'CodeSystem eRS-ReviewOutcome, usage recordReviewOutcome'),
      needed('reviewComments', 'string', 'at most 2000 characters'),
      optionalCode('reviewPriority', systems.priority, 'eRS-Priority; needed to accept; to return it must be the current one'),
      providerFiles,
    ],
    decide: async (situation, found, inputs) =>
      recordReviewOutcome(situation, found, {
        outcome: inputs.code('reviewOutcome') ?? '',
        comments: inputs.text('reviewComments') ?? '',
        ...maybe('priority', inputs.code('reviewPriority')),
        files: await filesOf(inputs, 'providerAttachmentFile', situation.facts),
      }),
  },
];

/** e-RS A013, A014, A022 and A028, each on a referral and with If-Match. */
export const reviewOperations: readonly Operation[] = reviews.map((review) => onInstance({ ...review, type: 'ServiceRequest' }));
