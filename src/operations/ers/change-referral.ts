import { systems } from '../../domain/codes.js';
import { maintainReferralLetter } from '../../domain/documents/maintain-letter.js';
import { cancelReferral } from '../../domain/referral/cancel-referral.js';
import { changeShortlist, type WantedShortlist } from '../../domain/referral/change-shortlist.js';
import type { Situation } from '../../domain/situation.js';
import type { Inputs } from '../parameters.js';
import { files, needed, neededCode, optional, optionalCode, output, searchCriteria } from './declare.js';
import { answerParts, maybe, onInstance } from './ers-operation.js';
import { criteriaOf, filesOf, intentionOf, shortlistAt, shortlistForOf, shortlistOf } from './inputs.js';

/** e-RS A012. */
export const maintainReferralLetterOperation = onInstance({
  code: 'ers.maintainReferralLetter',
  name: 'MaintainReferralLetter',
  description: "The whole set of the referrer's attachments anew; those that are left out are superseded (e-RS A012).",
  type: 'ServiceRequest',
  parameters: [files('attachment', 'each attachment that the referral is to have: a DocumentReference whose Binary was uploaded')],
  decide: async (situation, found, inputs) =>
    maintainReferralLetter(situation, found, await filesOf(inputs, 'attachment', situation.facts)),
});

const shortlistParameters = [
  needed('shortlist', 'List', 'a List of HealthcareServices, or each as a reference', '*'),
  searchCriteria(0),
  optionalCode('intentionToAddReferralLetter', systems.letterIntention, 'NEED_TO_ADD_LATER or NOT_INTENDING_TO_ADD'),
  optional('firstReminderLetterFollowUpDays', 'unsignedInt', 'days until the patient is reminded to book'),
] as const;

const wantedOf = async (inputs: Inputs, kind: WantedShortlist['kind'], situation: Situation): Promise<WantedShortlist> => ({
  kind,
  shortlist: shortlistOf(inputs),
  ...maybe('shortlistFor', shortlistForOf(inputs)),
  ...maybe('criteria', criteriaOf(inputs, 'APPOINTMENT_REQUEST')),
  ...maybe('intention', await intentionOf(inputs, situation)),
  ...maybe('reminderDays', inputs.number('firstReminderLetterFollowUpDays')),
  at: shortlistAt(inputs),
});

/** e-RS A031. */
export const changeShortlistOperation = onInstance({
  code: 'ers.changeShortlist',
  name: 'ChangeShortlist',
  description: 'Other services for a referral without a booking (e-RS A031).',
  type: 'ServiceRequest',
  parameters: shortlistParameters,
  decide: async (situation, found, inputs) => changeShortlist(situation, found, await wantedOf(inputs, 'referral', situation)),
});

/** e-RS A032. */
export const changeShortlistAndSendForTriageOperation = onInstance({
  code: 'ers.changeShortlistAndSendForTriage',
  name: 'ChangeShortlistAndSendForTriage',
  description: 'Other services for a referral without a booking, sent for triage (e-RS A032).',
  type: 'ServiceRequest',
  parameters: shortlistParameters,
  decide: async (situation, found, inputs) => changeShortlist(situation, found, await wantedOf(inputs, 'triage', situation)),
  outputs: [
    output('ServiceRequest', 'the referral as it is now', 'updatedReferralRequest'),
    output('Task', 'the triage that it waits for', 'createdTask'),
  ],
  answer: answerParts(({ put, puts }) => [
    { name: 'updatedReferralRequest', put },
    { name: 'createdTask', put: puts.find(({ type, version }) => type === 'Task' && version === 0) },
  ]),
});

/** e-RS A036. */
export const cancelReferralOperation = onInstance({
  code: 'ers.cancelReferral',
  name: 'CancelReferral',
  description: 'The end of a referral, with its appointment where the reason allows that, or of a request for advice (e-RS A036).',
  type: 'ServiceRequest',
  parameters: [
    neededCode(
      'cancellationReason',
      systems.referralCancellation,
      'CodeSystem REFERRAL-CANCELLATION-REASON, for the business function, in effect',
    ),
    optional('cancellationComments', 'string', 'at most 2000 characters; mandatory when the reason says so'),
  ],
  decide: (situation, found, inputs) =>
    cancelReferral(situation, found, {
      reason: inputs.code('cancellationReason') ?? '',
      ...maybe('comments', inputs.text('cancellationComments')),
    }),
  outputs: [
    output('ServiceRequest', 'the request as it is now', 'updatedReferralRequest'),
    output('Appointment', 'the one that was cancelled with it', 'updatedAppointment', 0),
  ],
  answer: answerParts(({ put, puts }) => [
    { name: 'updatedReferralRequest', put },
    { name: 'updatedAppointment', put: puts.find(({ type }) => type === 'Appointment') },
  ]),
});
