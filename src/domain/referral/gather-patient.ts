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

/** What is said of a patient of whom the caller may know nothing else. */
const unregistered: Demographic = { deceased: false, restricted: false };

/**
 * The patient to refer, with what the demographics say of him: one whom the caller may see, or whom he has just found by NHS number and birth
 * date. Nobody's patient is seen by no practice, and yet the rule of e-RS for him (NO_REG_GP_PRACTICE) is said: then there is a demographic
 * without a record. Everybody else is not there.
 */
export const gatherPatientToRefer = async (
  situation: Situation,
  reference: Reference | undefined,
): Promise<{ readonly patient: Found | undefined; readonly demographic: Demographic | undefined }> => {
  const { facts, caller, now, demographics } = situation;
  const seen = await gatherPatient(situation, reference);
  if (seen) return { patient: seen, demographic: await demographics.find(seen) };
  const hidden = await findAnybody(situation, reference);
  if (!hidden) return { patient: undefined, demographic: undefined };
  const demographic = await demographics.find(hidden);
  if (await wasFound(facts.findClaim, caller, hidden.id, Date.parse(now))) return { patient: hidden, demographic };
  return { patient: undefined, demographic: demographic.registeredPractice === undefined ? unregistered : undefined };
};

const findAnybody = async ({ facts, baseUrl }: Situation, reference: Reference | undefined): Promise<Found | undefined> => {
  const key = readReference(reference?.reference ?? '', baseUrl);
  if (key) return key.type === 'Patient' ? facts.find(key, 'all') : undefined;
  const { system = systems.nhsNumber, value: code = '' } = reference?.identifier ?? {};
  const where = [{ kind: 'token' as const, param: 'identifier', any: [{ system, code }] }];
  const found = await facts.search({ type: 'Patient', where, count: 2 }, 'all');
  return found.length === 1 ? found[0] : undefined;
};
