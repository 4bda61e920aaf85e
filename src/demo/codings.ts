import type { CodeableConcept, Coding, HumanName, Identifier, Reference } from 'fhir/r4.js';
import { systems } from '../domain/codes.js';
import type { Coded, Specialty } from './facts/specialties.js';
import type { Clinician, Organisation } from './world.js';

export const ers = (name: string): string => `https://fhir.nhs.uk/CodeSystem/eRS-${name}`;
export const practiceSetting = 'https://fhir.hl7.org.uk/CodeSystem/UKCore-PracticeSettingCode';
export const ukCoreSystem = (name: string): string => `https://fhir.hl7.org.uk/CodeSystem/UKCore-${name}`;
export const ukCoreExtension = (name: string): string => `https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-${name}`;

export const coding = (system: string, { code, display }: Coded): Coding => ({ system, code, display });
export const concept = (system: string, coded: Coded): CodeableConcept => ({ coding: [coding(system, coded)] });
export type Priority = 'ROUTINE' | 'URGENT' | 'TWO_WEEK_WAIT';
const priorityNames = { ROUTINE: 'Routine', URGENT: 'Urgent', TWO_WEEK_WAIT: 'Two Week Wait' } as const;
export const priorityCoding = (code: Priority): Coding => coding(systems.priority, { code, display: priorityNames[code] });

export const identifier = (system: string, value: string): Identifier => ({ system, value });

/** One specialty by its three codes: what a search by any of them finds. */
export const specialtyConcept = ({ snomed, treatmentFunction, ers: own }: Specialty): CodeableConcept => ({
  coding: [coding(systems.snomed, snomed), coding(practiceSetting, treatmentFunction), coding(ers('Specialty'), own)],
  text: own.display,
});

/** As UK Core binds it: the treatment function first. */
export const treatmentFunction = (specialty: Specialty): CodeableConcept => concept(practiceSetting, specialty.treatmentFunction);

export const organisationReference = ({ ods, name }: Organisation): Reference => ({
  reference: `Organization/${ods}`,
  identifier: identifier(systems.organisation, ods),
  display: name,
});

export const clinicianName = ({ given, family }: Pick<Clinician, 'given' | 'family'>): HumanName => ({
  use: 'official',
  prefix: ['Dr'],
  given: [given],
  family,
});
export const displayName = ({ given, family }: Pick<Clinician, 'given' | 'family'>): string => `Dr ${given} ${family}`;
