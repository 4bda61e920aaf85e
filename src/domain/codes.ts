/** Canonical URLs and systems of the e-RS and NHS domain, as the published APIs write them. */
export const systems = {
  ubrn: 'https://fhir.nhs.uk/Id/UBRN',
  nhsNumber: 'https://fhir.nhs.uk/Id/nhs-number',
  organisation: 'https://fhir.nhs.uk/Id/ods-organization-code',
  sdsUser: 'https://fhir.nhs.uk/Id/sds-user-id',
  service: 'https://fhir.nhs.uk/Id/ers-service',
  referralState: 'https://fhir.nhs.uk/CodeSystem/eRS-ReferralState',
  priority: 'https://fhir.nhs.uk/CodeSystem/eRS-Priority',
  errorCodes: 'https://fhir.nhs.uk/CodeSystem/ers-error-codes',
  snomed: 'http://snomed.info/sct',
} as const;

export const extensions = {
  state: 'https://fhir.nhs.uk/StructureDefinition/Extension-eRS-ServiceRequest-State',
  priority: 'https://fhir.nhs.uk/StructureDefinition/Extension-ServiceRequest-Priority',
  portalLink: 'https://fhir.nhs.uk/StructureDefinition/Extension-Portal-Link',
  hoursOfOperation: 'https://fhir.nhs.uk/StructureDefinition/Extension-eRS-HoursOfOperation',
  serviceInstructions: 'https://fhir.nhs.uk/StructureDefinition/Extension-eRS-ServiceInstructions',
  serviceContact: 'https://fhir.nhs.uk/StructureDefinition/Extension-eRS-HealthcareService-Contact',
  // e-RS publishes the summary view for STU3 only; here it is a part of the service itself
  serviceSummary: 'https://fhir.nhs.uk/StructureDefinition/Extension-eRS-ServiceSummaryView',
} as const;
