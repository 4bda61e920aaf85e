import type { DocumentReference, List, Reference } from 'fhir/r4.js';
import type { SearchCriteria } from '../../domain/directory/criteria.js';
import type { GivenFiles } from '../../domain/documents/attachments.js';
import type { ReferenceSystem } from '../../domain/codes.js';
import type { Facts } from '../../domain/command.js';
import { gatherConcept, isInEffect } from '../../domain/reference-data/concept.js';
import type { LetterIntention } from '../../domain/referral/referral.js';
import { refusal } from '../../domain/refusal.js';
import type { Situation } from '../../domain/situation.js';
import { readReference } from '../../fhir/references.js';
import type { Resource } from '../../fhir/resource.js';
import { Inputs, referenceOf, type Given } from '../parameters.js';
import { searchCriteria } from './declare.js';

export const expressionOf = (name: string): string => `Parameters.parameter.where(name='${name}')`;

const referencesIn = (one: Given): readonly Reference[] => {
  const list = one.resource as unknown as List | undefined;
  const single = referenceOf(one);
  return list?.resourceType === 'List'
    ? (list.entry ?? []).flatMap(({ item, deleted }) => (deleted === true ? [] : item))
    : single === undefined
      ? []
      : [single];
};

/** The services of a shortlist: the entries of a List that are not deleted from it, or references one by one. */
export const shortlistOf = (inputs: Inputs): readonly Reference[] => inputs.all('shortlist').flatMap(referencesIn);

/** Whom the List of a shortlist says that it is for. */
export const shortlistForOf = (inputs: Inputs): Reference | undefined =>
  inputs.all('shortlist').flatMap(({ resource }) => (resource as unknown as List | undefined)?.subject ?? [])[0];

/** Where the services of a shortlist stand: each as a parameter, or in the List. */
export const shortlistAt = (inputs: Inputs): string =>
  inputs.all('shortlist').some(({ resource }) => resource?.resourceType === 'List')
    ? `${expressionOf('shortlist')}.resource.entry`
    : expressionOf('shortlist');

/** The search of a shortlist: beside it, or contained in the List as e-RS has it. */
const criteriaInputs = (inputs: Inputs): Inputs | undefined => {
  const contained = inputs
    .all('shortlist')
    .flatMap(({ resource }) => (resource?.['contained'] ?? []) as readonly Resource[])
    .find(({ resourceType }) => resourceType === 'Parameters');
  const declared = searchCriteria(0).part ?? [];
  const beside = inputs.parts('searchCriteria');
  const inside = contained && Inputs.read(declared, contained, `${expressionOf('shortlist')}.resource.contained`);
  const differing = declared.find(({ name }) => beside?.has(name) === true && inside?.has(name) === true && !beside.isSame(inside, name));
  if (differing)
    throw refusal(
      'business-rule',
      'business-rule',
      'CONFLICTING_VALUES',
      `The search of the shortlist says another ${differing.name}.`,
      expressionOf('searchCriteria'),
    );
  return beside ?? inside;
};

/** Of whom or what an input names the number: the type of a literal reference, and the end of the system, which STU3 writes with another host. */
const numbered = {
  Practitioner: '/Id/sds-user-id',
  Organization: '/Id/ods-organization-code',
} as const;

/** The number of who is named; of something else, which has none such, the whole name, which is nobody's. */
const identifierOf = (reference: Reference | undefined, type: keyof typeof numbered): string | undefined => {
  const { system, value } = reference?.identifier ?? {};
  if (value !== undefined) return system === undefined || system.endsWith(numbered[type]) ? value : `${system}|${value}`;
  const key = readReference(reference?.reference ?? '', '');
  return key && (key.type === type ? key.id : `${key.type}/${key.id}`);
};

export const criteriaOf = (inputs: Inputs, requestType: SearchCriteria['requestType']): SearchCriteria | undefined => {
  const given = criteriaInputs(inputs);
  if (!given) return undefined;
  const maybe = <K extends keyof SearchCriteria>(key: K, value: SearchCriteria[K] | undefined) =>
    value === undefined ? {} : { [key]: value };
  return {
    requestType,
    ...maybe('priority', given.code('priority')),
    ageAndGenderAppropriate: given.boolean('ageAndGenderAppropriate') ?? false,
    ...maybe('specialty', given.code('specialty')),
    ...maybe('clinicType', given.code('clinicType')),
    ...maybe('clinicalTerm', given.code('clinicalTerm')),
    ...maybe('namedClinician', identifierOf(given.reference('namedClinician'), 'Practitioner')),
    ...maybe('organisation', identifierOf(given.reference('organisation'), 'Organization')),
    ...maybe('postcode', given.text('postcode')),
    ...maybe('distanceLimit', given.number('distanceLimit')),
    ...maybe('waitLimit', given.number('indicativeAppointmentWaitTimeLimit')),
    ...maybe('bookableType', given.code('bookableType') as SearchCriteria['bookableType']),
    ...maybe('flow', given.code('requestFlowType') as SearchCriteria['flow']),
  };
};

/** A number from 1 to `most`: 400 INVALID_VALUE for another. */
export const numberWithin = (inputs: Inputs, name: string, most: number): number | undefined => {
  const value = inputs.number(name);
  if (value !== undefined && (value < 1 || value > most))
    throw refusal('invalid', 'value', 'INVALID_VALUE', `${name} is from 1 to ${String(most)}.`, expressionOf(name));
  return value;
};

/** A code that must be in effect in its code system: INVALID_CODE when it is not. */
export const codeOf = async (
  inputs: Inputs,
  name: string,
  system: ReferenceSystem,
  { facts, now }: Situation,
): Promise<string | undefined> => {
  const code = inputs.code(name);
  if (code === undefined) return undefined;
  const concept = await gatherConcept(facts, system, code);
  if (!concept || !isInEffect(concept, now))
    throw refusal('business-rule', 'code-invalid', 'INVALID_CODE', `${code} is no code of ${system}.`, expressionOf(name));
  return code;
};

/** Whether a letter follows (eRS-ReferralLetterIntention). */
export const intentionOf = (inputs: Inputs, situation: Situation): Promise<LetterIntention | undefined> =>
  codeOf(inputs, 'intentionToAddReferralLetter', 'eRS-ReferralLetterIntention', situation) as Promise<LetterIntention | undefined>;

/** The files of an operation: DocumentReferences in the request, or references to such that are attached already. */
export const filesOf = async (inputs: Inputs, name: string, facts: Facts): Promise<GivenFiles> => {
  const documents = await Promise.all(
    inputs.all(name).map(async (one): Promise<DocumentReference> => {
      if (one.resource) return one.resource as unknown as DocumentReference;
      const key = readReference(referenceOf(one)?.reference ?? '', '');
      const found = key?.type === 'DocumentReference' ? await facts.find({ type: key.type, id: key.id }) : undefined;
      if (!found)
        throw refusal('business-rule', 'not-found', 'REFERENCE_NOT_FOUND', 'There is no such DocumentReference.', expressionOf(name));
      return found.resource as unknown as DocumentReference;
    }),
  );
  return { documents, expression: expressionOf(name) };
};
