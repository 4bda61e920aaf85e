import type { Operation } from '../operation.js';
import {
  createAdviceAndGuidanceOperation,
  createFromCommunicationRequestOperation,
  sendCommunicationToRequesterOperation,
} from './advice.js';
import {
  cancelReferralOperation,
  changeShortlistAndSendForTriageOperation,
  changeShortlistOperation,
  maintainReferralLetterOperation,
} from './change-referral.js';
import { createReferralAndSendForTriageOperation, createReferralOperation } from './create-referral.js';
import { holdSlotOperation, releaseSlotOperation } from './hold-slot.js';
import {
  acceptReferralOperation,
  cancelAppointmentActionLaterOperation,
  recordReviewOutcomeOperation,
  rejectReferralOperation,
} from './review-referral.js';

/** The operations of e-RS at R4 paths, in the order of its API. */
export const ersOperations: readonly Operation[] = [
  createReferralOperation,
  maintainReferralLetterOperation,
  acceptReferralOperation,
  rejectReferralOperation,
  createReferralAndSendForTriageOperation,
  cancelAppointmentActionLaterOperation,
  sendCommunicationToRequesterOperation,
  createFromCommunicationRequestOperation,
  recordReviewOutcomeOperation,
  changeShortlistOperation,
  changeShortlistAndSendForTriageOperation,
  cancelReferralOperation,
  createAdviceAndGuidanceOperation,
  holdSlotOperation,
  releaseSlotOperation,
];
