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
import { fetchWorklistOperation } from './fetch-worklist.js';
import { generateCriOperation, generatePatientLetterOperation } from './generate-documents.js';
import { holdSlotOperation, releaseSlotOperation } from './hold-slot.js';
import { reviewOperations } from './review-referral.js';
import { searchServicesOperation } from './search-services.js';

/** The operations of e-RS at R4 paths, mostly in the order of its API. */
export const ersOperations: readonly Operation[] = [
  generateCriOperation,
  fetchWorklistOperation,
  searchServicesOperation,
  createReferralOperation,
  maintainReferralLetterOperation,
  ...reviewOperations,
  generatePatientLetterOperation,
  createReferralAndSendForTriageOperation,
  sendCommunicationToRequesterOperation,
  createFromCommunicationRequestOperation,
  changeShortlistOperation,
  changeShortlistAndSendForTriageOperation,
  cancelReferralOperation,
  createAdviceAndGuidanceOperation,
  holdSlotOperation,
  releaseSlotOperation,
];
