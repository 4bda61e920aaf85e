/**
 * The Patient compartment (R4 compartmentdefinition-patient.html): for each served type the reference parameters that put a resource
 * into it, and the date parameter by which care happened, for `start` and `end` of $everything.
 */
type Member = { readonly params: readonly string[]; readonly date?: string };

export const patientCompartment: Readonly<Record<string, Member>> = {
  Appointment: { params: ['actor'], date: 'date' },
  Basic: { params: ['patient', 'author'], date: 'created' },
  CarePlan: { params: ['patient', 'performer'], date: 'date' },
  Communication: { params: ['subject', 'sender', 'recipient'], date: 'sent' },
  Condition: { params: ['patient', 'asserter'], date: 'onset-date' },
  Consent: { params: ['patient'], date: 'date' },
  DocumentReference: { params: ['subject', 'author'], date: 'date' },
  Encounter: { params: ['subject'], date: 'date' },
  EpisodeOfCare: { params: ['patient'], date: 'date' },
  Flag: { params: ['patient'], date: 'date' },
  Group: { params: ['member'] },
  List: { params: ['subject', 'source'], date: 'date' },
  Observation: { params: ['subject', 'performer'], date: 'date' },
  Provenance: { params: ['patient'], date: 'recorded' },
  QuestionnaireResponse: { params: ['subject', 'author'], date: 'authored' },
  RelatedPerson: { params: ['patient'] },
  Schedule: { params: ['actor'], date: 'date' },
  ServiceRequest: { params: ['subject', 'performer'], date: 'authored' },
  Task: { params: ['patient', 'focus'], date: 'authored-on' },
};
