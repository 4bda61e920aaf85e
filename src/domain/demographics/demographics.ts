import type { Patient } from 'fhir/r4.js';
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

/** Reads the Patient record itself (UK Core Patient; R4 patient.html#maturity, links of merged records). */
export const demographicOf = (patient: Patient): Demographic => {
  const replaced = patient.link?.find(({ type }) => type === 'replaced-by')?.other;
  const practice = patient.generalPractitioner?.map(({ reference, identifier }) => identifier?.value ?? reference).find(Boolean);
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

/** The record that a superseded one goes on as, `Patient/…`: both are of the same person. */
export const goesOnAs = (patient: Partial<Patient> | undefined): string | undefined =>
  patient?.link?.find(({ type }) => type === 'replaced-by')?.other.reference;
