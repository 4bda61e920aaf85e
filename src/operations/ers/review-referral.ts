import { acceptReferral, cancelAppointmentActionLater, recordReviewOutcome, rejectReferral } from '../../domain/referral/review.js';
import { files, needed, optional } from './declare.js';
import { maybe, onInstance } from './ers-operation.js';
import { filesOf } from './inputs.js';

/** e-RS A013. If-Match, no body; answers the referral. */
export const acceptReferralOperation = onInstance({
  code: 'ers.acceptReferral',
  name: 'AcceptReferral',
  description: 'The provider accepts a booked referral, before the appointment, once the clinical information is there (e-RS A013).',
  type: 'ServiceRequest',
  parameters: [],
  decide: (situation, found) => acceptReferral(situation, found),
});

/** e-RS A014. */
export const rejectReferralOperation = onInstance({
  code: 'ers.rejectReferral',
  name: 'RejectReferral',
  description: 'The provider rejects a booked referral; its appointment is cancelled and the slot is free again (e-RS A014).',
  type: 'ServiceRequest',
  parameters: [
    needed('rejectionReason', 'code', 'CodeSystem APPOINTMENT-CANCELLATION-REASON, usage REJECT, in effect'),
    optional('rejectionComments', 'string', 'at most 2000 characters; mandatory when the reason says so'),
    optional('appointmentCancelledInPAS', 'boolean', 'for an indirectly booked appointment, and only there'),
    files('providerAttachmentFile', 'documents of the provider'),
  ],
  decide: async (situation, found, inputs) =>
    rejectReferral(situation, found, {
      reason: inputs.code('rejectionReason') ?? '',
      ...maybe('comments', inputs.text('rejectionComments')),
      ...maybe('cancelledInPas', inputs.boolean('appointmentCancelledInPAS')),
      files: await filesOf(inputs, 'providerAttachmentFile', situation.facts),
    }),
});

/** e-RS A022. */
export const cancelAppointmentActionLaterOperation = onInstance({
  code: 'ers.cancelAppointmentActionLater',
  name: 'CancelAppointmentActionLater',
  description: 'The provider cancels the appointment and will act on the referral itself (e-RS A022).',
  type: 'ServiceRequest',
  parameters: [
    needed('comments', 'string', 'at most 2000 characters'),
    optional('priority', 'code', 'eRS-Priority, where it changes'),
    optional('appointmentCancelledInPAS', 'boolean', 'for an indirectly booked appointment, and only there'),
    files('providerAttachmentFile', 'documents of the provider'),
  ],
  decide: async (situation, found, inputs) =>
    cancelAppointmentActionLater(situation, found, {
      comments: inputs.text('comments') ?? '',
      ...maybe('priority', inputs.code('priority')),
      ...maybe('cancelledInPas', inputs.boolean('appointmentCancelledInPAS')),
      files: await filesOf(inputs, 'providerAttachmentFile', situation.facts),
    }),
});

/** e-RS A028. */
export const recordReviewOutcomeOperation = onInstance({
  code: 'ers.recordReviewOutcome',
  name: 'RecordReviewOutcome',
  description: 'What came of triage or of a deferral: accepted, to refer or book later, or returned with advice (e-RS A028).',
  type: 'ServiceRequest',
  parameters: [
    needed('reviewOutcome', 'code', 'RETURN_TO_REFERRER_WITH_ADVICE or ACCEPT_REFER_BOOK_LATER'),
    needed('reviewComments', 'string', 'at most 2000 characters'),
    optional('reviewPriority', 'code', 'eRS-Priority; needed to accept; to return it must be the current one'),
    files('providerAttachmentFile', 'documents of the provider'),
  ],
  decide: async (situation, found, inputs) =>
    recordReviewOutcome(situation, found, {
      outcome: inputs.code('reviewOutcome') ?? '',
      comments: inputs.text('reviewComments') ?? '',
      ...maybe('priority', inputs.code('reviewPriority')),
      files: await filesOf(inputs, 'providerAttachmentFile', situation.facts),
    }),
});
