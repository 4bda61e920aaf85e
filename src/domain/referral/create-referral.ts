import type { ServiceRequest } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { systems } from '../codes.js';
import type { Decision, Facts, Found } from '../command.js';
import { refusal } from '../refusal.js';
import { inState, stateOf, ubrnOf } from './referral.js';

type Given = { readonly request: ServiceRequest; readonly baseUrl: string };
type Gathered = { readonly patient: Found | undefined; readonly services: readonly (Found | undefined)[] };
type Made = { readonly id: string; readonly ubrn: string; readonly now: string };

/** Reads the patient and the shortlisted services that the request names. */
export const gatherReferral = async (facts: Facts, { request, baseUrl }: Given): Promise<Gathered> => {
  const subject = readReference(request.subject.reference ?? '', baseUrl);
  const patient = subject
    ? await facts.find(subject)
    : await facts.byIdentifier('Patient', request.subject.identifier?.system ?? '', request.subject.identifier?.value ?? '');
  const services = await Promise.all(
    (request.performer ?? []).map((performer) => {
      const key = readReference(performer.reference ?? '', baseUrl);
      if (key) return facts.find(key, 'all');
      return facts.byIdentifier('HealthcareService', performer.identifier?.system ?? '', performer.identifier?.value ?? '');
    }),
  );
  return { patient, services };
};

/** A011: a new referral with its UBRN, not booked yet. Refuses with the codes of e-RS. */
export const decideReferral = ({ request }: Given, { patient, services }: Gathered, made: Made): Decision => {
  if (ubrnOf(request) !== undefined)
    throw refusal(
      'business-rule',
      'business-rule',
      'FIELD_NOT_PERMITTED',
      'The server gives the UBRN: leave the identifier out.',
      'ServiceRequest.identifier',
    );
  if (stateOf(request) !== undefined)
    throw refusal(
      'business-rule',
      'business-rule',
      'FIELD_NOT_PERMITTED',
      'The server keeps the state: leave the extension out.',
      'ServiceRequest.extension',
    );
  if (patient?.type !== 'Patient')
    throw refusal('business-rule', 'not-found', 'REFERENCE_NOT_FOUND', 'No such patient.', 'ServiceRequest.subject');
  if (services.length === 0)
    throw refusal(
      'business-rule',
      'required',
      'MISSING_VALUE',
      'The shortlist needs 1 to 20 services as performer.',
      'ServiceRequest.performer',
    );
  if (services.length > 20)
    throw refusal(
      'business-rule',
      'business-rule',
      'TOO_MANY_ITEMS',
      'The shortlist takes at most 20 services.',
      'ServiceRequest.performer',
    );
  const ids = services.map((service, index) => {
    if (service?.type !== 'HealthcareService')
      throw refusal(
        'business-rule',
        'not-found',
        'REFERENCE_NOT_FOUND',
        'A shortlisted service does not exist.',
        `ServiceRequest.performer[${String(index)}]`,
      );
    return service.id;
  });
  if (new Set(ids).size !== ids.length)
    throw refusal(
      'business-rule',
      'business-rule',
      'DUPLICATE_SERVICE',
      'A service stands twice on the shortlist.',
      'ServiceRequest.performer',
    );
  const referral = inState(
    {
      ...request,
      id: made.id,
      identifier: [...(request.identifier ?? []), { system: systems.ubrn, value: made.ubrn }],
      status: 'active',
      intent: 'order',
      category: request.category ?? [{ coding: [{ system: systems.snomed, code: '3457005', display: 'Patient referral' }] }],
      priority: request.priority ?? 'routine',
      subject: bothForms(request, patient),
      authoredOn: request.authoredOn ?? made.now,
      performer: ids.map((id) => ({ reference: `HealthcareService/${id}` })),
    },
    'NOT_BOOKED',
  );
  const key = { type: 'ServiceRequest', id: made.id };
  return { drafts: [{ ...key, version: 0, resource: referral as never }], result: key };
};

/** e-RS commands write the patient both ways: as a literal reference and by NHS number. */
const bothForms = (request: ServiceRequest, patient: Found): ServiceRequest['subject'] => {
  const identifiers = patient.resource['identifier'] as readonly { system?: string; value?: string }[] | undefined;
  const number = identifiers?.find(({ system }) => system === systems.nhsNumber)?.value;
  return {
    ...request.subject,
    reference: `Patient/${patient.id}`,
    ...(number === undefined ? {} : { identifier: { system: systems.nhsNumber, value: number } }),
  };
};
