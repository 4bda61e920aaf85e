import type { Patient, Reference } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import type { Key } from '../../fhir/resource.js';
import { systems } from '../codes.js';
import type { Found } from '../command.js';
import { isRestricted } from './restricted.js';

/** What e-RS has to know of a patient before it refers him. */
export type Demographic = {
  readonly deceased: boolean;
  /** the NHS number that replaced this one */
  readonly supersededBy?: string;
  /** the record is sensitive: where the patient lives is shown to nobody */
  readonly restricted: boolean;
  /** the GP practice that the patient is registered with, as a reference or an ODS code */
  readonly registeredPractice?: string;
};

/** The source of demographics: this server's Patient records now, the Personal Demographics Service behind the same port later. */
export type Demographics = { readonly find: (patient: Found) => Promise<Demographic> };

/** What a superseded record goes on as (R4 patient.html, links of merged records). */
const replacementOf = (patient: Patient) => patient.link?.find(({ type }) => type === 'replaced-by')?.other;

/** The id of the record here that a superseded one goes on as. */
export const replacementId = (patient: Patient, baseUrl = ''): string | undefined => {
  const key = readReference(replacementOf(patient)?.reference ?? '', baseUrl);
  return key?.type === 'Patient' ? key.id : undefined;
};

/** R4 lets a general practitioner be a person as well, with whom nobody is registered. */
const isPerson = ({ type, reference = '', identifier }: Reference): boolean =>
  type === 'Practitioner' || /(^|\/)Practitioner\//.test(reference) || identifier?.system === systems.sdsUser;

/** Reads the Patient record itself (UK Core Patient). */
export const demographicOf = (patient: Patient): Demographic => {
  const replaced = replacementOf(patient);
  const practice = patient.generalPractitioner
    ?.filter((reference) => !isPerson(reference))
    .map(({ reference, identifier }) => identifier?.value ?? reference)
    .find(Boolean);
  return {
    deceased: patient.deceasedBoolean === true || patient.deceasedDateTime !== undefined,
    ...(replaced === undefined ? {} : { supersededBy: replaced.identifier?.value ?? replaced.reference ?? 'another record' }),
    restricted: isRestricted(patient),
    ...(practice === undefined ? {} : { registeredPractice: practice }),
  };
};

export const localDemographics: Demographics = {
  find: ({ resource }) => Promise.resolve(demographicOf(resource as unknown as Patient)),
};

export const nhsNumberOf = (patient: Pick<Patient, 'identifier'>): string | undefined =>
  patient.identifier?.find(({ system }) => system === systems.nhsNumber)?.value;

/** e-RS commands write the patient both ways: as a literal reference and by NHS number. */
export const referenceToPatient = (patient: Found): Reference => {
  const number = nhsNumberOf(patient.resource as unknown as Patient);
  return {
    reference: `Patient/${patient.id}`,
    ...(number === undefined ? {} : { identifier: { system: systems.nhsNumber, value: number } }),
  };
};

/** Whether the record of `patient` was superseded and goes on as that of `other`: both are of the same person. */
export const goesOnAs = async (
  find: (key: Key) => Promise<Found | undefined>,
  patient: Key,
  other: Key,
  baseUrl: string,
): Promise<boolean> => {
  const record = await find(patient);
  return other.type === 'Patient' && record !== undefined && replacementId(record.resource as unknown as Patient, baseUrl) === other.id;
};

/** Whether what names `said` as its subject is about somebody else than the patient of a request; what names nobody is not. */
export const isOfOtherPatient = (said: Reference | undefined, subject: Reference, baseUrl: string): boolean => {
  const key = readReference(said?.reference ?? '', baseUrl);
  if (key && `${key.type}/${key.id}` !== subject.reference) return true;
  const { system = systems.nhsNumber, value } = said?.identifier ?? {};
  return (
    value !== undefined && system === systems.nhsNumber && subject.identifier?.value !== undefined && value !== subject.identifier.value
  );
};
