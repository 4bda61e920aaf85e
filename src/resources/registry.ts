import type { CreateCommandName, UpdateCheckName, UpdateCommandName } from '../domain/commands.js';

/** A served resource type as data: routes, CapabilityStatement, access and the checks of a request are all made from it. */
export type Interaction = 'read' | 'vread' | 'history-instance' | 'history-type' | 'search-type' | 'create' | 'update' | 'patch' | 'delete';

export type ResourceType = {
  readonly type: string;
  readonly interactions: readonly Interaction[];
  /** UK Core's profile of the type */
  readonly profile?: string;
  /** the domain command that performs the write for clients that the workflow binds; without one it is a plain write */
  readonly commands?: { readonly create?: CreateCommandName; readonly update?: UpdateCommandName };
  /** what the domain says against a plain update by clients that the workflow binds */
  readonly updateCheck?: UpdateCheckName;
  /** what an integrator must know, shown in the CapabilityStatement */
  readonly documentation?: string;
};

const all: readonly Interaction[] = [
  'read',
  'vread',
  'history-instance',
  'history-type',
  'search-type',
  'create',
  'update',
  'patch',
  'delete',
];
const readOnly: readonly Interaction[] = ['read', 'vread', 'history-instance', 'history-type', 'search-type'];
const ukCore = (type: string): string => `https://fhir.hl7.org.uk/StructureDefinition/UKCore-${type}`;

/** Types with nothing of their own. */
const plain = [
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Location',
  'HealthcareService',
  'Task',
  'Communication',
  'CarePlan',
  'Condition',
  'Consent',
  'RelatedPerson',
  'Questionnaire',
  'QuestionnaireResponse',
  'List',
  'Observation',
  'Encounter',
  'EpisodeOfCare',
  'Flag',
  'MessageHeader',
  'OperationOutcome',
].map((type): ResourceType => ({ type, interactions: all, profile: ukCore(type) }));
const withoutProfile = [
  'Endpoint',
  'Group',
  'CodeSystem',
  'ValueSet',
  'ConceptMap',
  'NamingSystem',
  'StructureDefinition',
  'SearchParameter',
  'OperationDefinition',
  'Basic',
].map((type): ResourceType => ({ type, interactions: all }));

const rows: readonly ResourceType[] = [
  ...plain,
  {
    type: 'Schedule',
    interactions: all,
    profile: ukCore('Schedule'),
    updateCheck: 'schedule-in-use',
    documentation: 'A provider changes its own diaries, but not the service of one in which an appointment or a hold has a slot.',
  },
  {
    type: 'Slot',
    interactions: all,
    profile: ukCore('Slot'),
    commands: { create: 'publish-slot' },
    updateCheck: 'slot-in-use',
    documentation: 'A provider changes its own slots, but not the status and time of one that an appointment has or somebody holds.',
  },
  {
    type: 'DocumentReference',
    interactions: all,
    profile: ukCore('DocumentReference'),
    commands: { create: 'attach-document' },
    updateCheck: 'attached-document',
    documentation:
      'A file of the request that context.related names. For clients that act for users, create attaches it under the rules of the files of operations; what it is attached as, by whom and to what stays.',
  },
  ...withoutProfile,
  {
    type: 'ServiceRequest',
    interactions: all,
    profile: ukCore('ServiceRequest'),
    commands: { create: 'create-referral' },
    documentation:
      'A referral has the id r.<uuid> and its UBRN as identifier. For clients that act for users, create makes the referral with a new UBRN in the state NOT_BOOKED.',
  },
  {
    type: 'Appointment',
    interactions: all,
    profile: ukCore('Appointment'),
    commands: { create: 'book-appointment', update: 'change-appointment' },
    documentation:
      'Create books: the slot becomes busy and the referral BOOKED in the same transaction; a slot that somebody else has is 409. Update cancels.',
  },
  {
    type: 'Binary',
    interactions: ['read', 'vread', 'create', 'delete'],
    documentation: 'Raw bytes in their own media type, or Binary as FHIR JSON.',
  },
  {
    type: 'Provenance',
    interactions: ['read', 'vread', 'history-instance', 'history-type', 'search-type', 'create'],
    profile: ukCore('Provenance'),
  },
  {
    type: 'AuditEvent',
    interactions: readOnly,
    profile: ukCore('AuditEvent'),
    documentation: 'Written by the server alone; read by system/AuditEvent.rs alone.',
  },
  {
    type: 'Subscription',
    interactions: all,
    profile: ukCore('Subscription'),
    documentation:
      'Notifications are not offered yet: a Subscription stays requested. One that is sent as active is kept as requested; off and error stay.',
  },
];

export type Registry = ReadonlyMap<string, ResourceType>;
export const registry: Registry = new Map([...rows].sort((a, b) => a.type.localeCompare(b.type)).map((row) => [row.type, row]));
