import type { Reference } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { systems } from '../codes.js';
import type { Found } from '../command.js';
import type { Demographic } from '../demographics/demographics.js';
import type { Situation } from '../situation.js';
import { wasFound } from './found-patient.js';

/** The patient that is named by reference or NHS number, if the caller may see him. */
export const gatherPatient = async ({ facts, baseUrl }: Situation, reference: Reference | undefined): Promise<Found | undefined> => {
  const key = readReference(reference?.reference ?? '', baseUrl);
  const found = key
    ? await facts.find(key)
    : await facts.byIdentifier('Patient', reference?.identifier?.system ?? systems.nhsNumber, reference?.identifier?.value ?? '');
  return found?.type === 'Patient' ? found : undefined;
};

/**
 * The patient to refer, with what the demographics say of him: one whom the caller may see, or whom he has just found by NHS number and birth
 * date. Everybody else is not there.
 */
export const gatherPatientToRefer = async (
  situation: Situation,
  reference: Reference | undefined,
): Promise<{ readonly patient: Found | undefined; readonly demographic: Demographic | undefined }> => {
  const patient = (await gatherPatient(situation, reference)) ?? (await gatherFound(situation, reference));
  return { patient, demographic: patient && (await situation.demographics.find(patient)) };
};

const gatherFound = async (situation: Situation, reference: Reference | undefined): Promise<Found | undefined> => {
  const { facts, caller, now } = situation;
  const found = await findAnybody(situation, reference);
  return found && (await wasFound(facts.findClaim, caller, found.id, Date.parse(now))) ? found : undefined;
};

const findAnybody = async ({ facts, baseUrl }: Situation, reference: Reference | undefined): Promise<Found | undefined> => {
  const key = readReference(reference?.reference ?? '', baseUrl);
  if (key) return key.type === 'Patient' ? facts.find(key, 'all') : undefined;
  const { system = systems.nhsNumber, value: code = '' } = reference?.identifier ?? {};
  const where = [{ kind: 'token' as const, param: 'identifier', any: [{ system, code }] }];
  const found = await facts.search({ type: 'Patient', where, count: 2 }, 'all');
  return found.length === 1 ? found[0] : undefined;
};
