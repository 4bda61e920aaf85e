/** Canonical URLs and systems of the e-RS and NHS domain, as the published APIs write them. */
export const systems = {
  ubrn: 'https://fhir.nhs.uk/Id/UBRN',
  nhsNumber: 'https://fhir.nhs.uk/Id/nhs-number',
  organisation: 'https://fhir.nhs.uk/Id/ods-organization-code',
  sdsUser: 'https://fhir.nhs.uk/Id/sds-user-id',
  service: 'https://fhir.nhs.uk/Id/ers-service',
  slot: 'https://fhir.nhs.uk/Id/unique-slot-reference-number',
  referralState: 'https://fhir.nhs.uk/CodeSystem/eRS-ReferralState',
  adviceState: 'https://fhir.nhs.uk/CodeSystem/eRS-AdviceAndGuidanceStatus',
  priority: 'https://fhir.nhs.uk/CodeSystem/eRS-Priority',
  specialty: 'https://fhir.nhs.uk/CodeSystem/eRS-Specialty',
  clinicType: 'https://fhir.nhs.uk/CodeSystem/eRS-ClinicType',
  requestFlow: 'https://fhir.nhs.uk/CodeSystem/eRS-RequestFlowType',
  bookableType: 'https://fhir.nhs.uk/CodeSystem/eRS-BookableType',
  reviewReason: 'https://fhir.nhs.uk/CodeSystem/eRS-ReviewReason',
  reviewOutcome: 'https://fhir.nhs.uk/CodeSystem/eRS-ReviewOutcome',
  attachmentType: 'https://fhir.nhs.uk/CodeSystem/eRS-AttachmentType',
  availability: 'https://fhir.nhs.uk/CodeSystem/eRS-AvailabilityStatus',
  assignedIndicator: 'https://fhir.nhs.uk/CodeSystem/eRS-AssignedIndicator',
  requestType: 'https://fhir.nhs.uk/CodeSystem/eRS-RequestType',
  sortBy: 'https://fhir.nhs.uk/CodeSystem/eRS-SortBy',
  appointmentCancellation: 'https://fhir.nhs.uk/CodeSystem/eRS-AppointmentCancellationReason',
  referralCancellation: 'https://fhir.nhs.uk/CodeSystem/eRS-ReferralCancellationReason',
  nonAttendance: 'https://fhir.nhs.uk/CodeSystem/eRS-AppointmentNonAttendanceReason',
  conversionAuthorisation: 'https://fhir.nhs.uk/CodeSystem/eRS-ProviderConversionAuthorisation',
  letterIntention: 'https://fhir.nhs.uk/CodeSystem/eRS-ReferralLetterIntention',
  communicationCategory: 'https://fhir.nhs.uk/CodeSystem/eRS-CommunicationCategory',
  guidanceOutcome: 'https://fhir.nhs.uk/CodeSystem/eRS-GuidanceResponseOutcome',
  guidanceRecommendation: 'https://fhir.nhs.uk/CodeSystem/eRS-GuidanceIntendedRecommendation',
  availableActions: 'https://fhir.nhs.uk/CodeSystem/eRS-AvailableActionsForUser',
  worklist: 'https://fhir.nhs.uk/CodeSystem/eRS-ReferralListSelector',
  workflow: 'https://fhir.nhs.uk/CodeSystem/Workflow-Code',
  requestCategory: 'https://fhir.nhs.uk/CodeSystem/message-category-servicerequest',
  requestCode: 'https://fhir.nhs.uk/CodeSystem/servicerequest-code',
  errorCodes: 'https://fhir.nhs.uk/CodeSystem/ers-error-codes',
  snomed: 'http://snomed.info/sct',
} as const;

const extension = (name: string): string => `https://fhir.nhs.uk/StructureDefinition/Extension-${name}`;

export const extensions = {
  state: extension('eRS-ServiceRequest-State'),
  priority: extension('ServiceRequest-Priority'),
  portalLink: extension('Portal-Link'),
  hoursOfOperation: extension('eRS-HoursOfOperation'),
  serviceInstructions: extension('eRS-ServiceInstructions'),
  serviceContact: extension('eRS-HealthcareService-Contact'),
  // e-RS publishes the summary view for STU3 only; here it is a part of the service itself
  serviceSummary: extension('eRS-ServiceSummaryView'),
  letterIntention: extension('eRS-ReferralLetterIntention'),
  clinicalInfoFirst: extension('eRS-ClinicalInfoFirstSubmitted'),
  clinicalInfoLast: extension('eRS-ClinicalInfoLastUpdated'),
  pathwayStart: extension('eRS-eReferralPathwayStart'),
  reminderDays: extension('eRS-FirstReminderLetterFollowUpDays'),
  commissioningOrganisation: extension('eRS-Commissioning-Rule-Organisation'),
  fileName: extension('eRS-FileName'),
  uploadedFor: extension('eRS-UploadedFor'),
  attachedBy: extension('eRS-AttachedBy'),
  attachedByOrganisation: extension('eRS-AttachedByOrganisation'),
  attachedOnBehalfOf: extension('eRS-AttachedOnBehalfOf'),
  availabilityStatus: extension('eRS-AvailabilityStatus'),
  conversionAuthorisation: extension('eRS-ProviderConversionAuthorisation'),
  worklistItem: extension('eRS-Worklist-Item'),
  worklistNext: extension('eRS-Worklist-Next'),
  fetchedService: extension('eRS-Fetched-Service'),
} as const;

/** The CodeSystems that rules read, those of A004 first, by the id that they are served under. */
export type ReferenceSystem =
  | 'SPECIALTY'
  | 'CLINIC-TYPE'
  | 'APPOINTMENT-CANCELLATION-REASON'
  | 'REFERRAL-CANCELLATION-REASON'
  | 'APPOINTMENT-NON-ATTENDANCE-REASON'
  | 'PRIORITY'
  | 'eRS-AdviceAndGuidanceStatus'
  | 'eRS-AppointmentRequestCancellationReasonType'
  | 'eRS-AssignedIndicator'
  | 'eRS-BookableType'
  | 'eRS-GuidanceIntendedRecommendation'
  | 'eRS-GuidanceResponseOutcome'
  | 'eRS-ProviderConversionAuthorisation'
  | 'eRS-ReferralLetterIntention'
  | 'eRS-ReferralListSelector'
  | 'eRS-RequestFlowType'
  | 'eRS-RequestType'
  | 'eRS-ReviewOutcome'
  | 'eRS-ReviewReason'
  | 'eRS-SortBy';
