import type { Patient, ServiceRequest } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { Taken, type Claim, type Unit } from '../../store/port.js';
import { systems } from '../codes.js';
import type { Found } from '../command.js';
import { nhsNumberOf } from '../demographics/demographics.js';
import { kindOf, stateOf } from '../referral/referral.js';
import { failureClaim, failuresAllowed, failuresOf, findAccessCode } from './access-code.js';

/** What the letter gives a patient, and what he knows. */
export type AccessAttempt = { readonly ubrn: string; readonly accessCode: string; readonly yearOfBirth: string };

export type AccessPorts = {
  /** the requests with this UBRN */
  readonly findRequests: (system: string, ubrn: string) => Promise<readonly Found[]>;
  readonly find: (key: { readonly type: string; readonly id: string }) => Promise<Found | undefined>;
  readonly findClaim: (kind: Claim['kind'], key: string) => Promise<Claim | undefined>;
  readonly commit: (unit: Unit) => Promise<void>;
  readonly newId: () => string;
};

export type AccessAnswer =
  | { readonly outcome: 'granted'; readonly nhsNumber: string; readonly patientId: string }
  /** `left`: how many more failures lock the code */
  | { readonly outcome: 'refused'; readonly left: number }
  | { readonly outcome: 'locked' };

const tidy = (code: string): string => code.toUpperCase().replace(/[^A-Z]/g, '');

/** Compares all letters whatever differs, so that time says nothing about how many were right. */
const same = (a: string, b: string): boolean => {
  let difference = a.length ^ b.length;
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at % Math.max(b.length, 1));
  return difference === 0;
};

const patientOf = async (ports: AccessPorts, ubrn: string): Promise<Patient | undefined> => {
  const requests = await ports.findRequests(systems.ubrn, ubrn);
  const referral = requests.map(({ resource }) => resource as unknown as ServiceRequest).find((request) => kindOf(request) === 'referral');
  if (!referral || stateOf(referral) === 'CANCELLED_REFERRAL') return undefined;
  const key = readReference(referral.subject.reference ?? '', '');
  return key && ((await ports.find(key))?.resource as unknown as Patient | undefined);
};

/** Counts a failure under a key that only one attempt gets: racing guesses are counted one by one. */
const countFailure = async (ports: AccessPorts, ubrn: string): Promise<number> => {
  for (let n = (await failuresOf(ports.findClaim, ubrn)).length; n < failuresAllowed; n++) {
    try {
      await ports.commit({ claims: [failureClaim(ubrn, n, ports.newId())] });
      return n + 1;
    } catch (error) {
      if (!(error instanceof Taken)) throw error;
    }
  }
  return failuresAllowed;
};

/**
 * A patient's second way in: UBRN, access code and year of birth. Five failures lock the code until the practice prints another letter. A
 * UBRN that does not exist is refused like a wrong code, and counted like one, so that nobody learns which exist.
 */
export const checkAccess = async (ports: AccessPorts, { ubrn, accessCode, yearOfBirth }: AccessAttempt): Promise<AccessAnswer> => {
  if (!/^[0-9]{12}$/.test(ubrn)) return { outcome: 'refused', left: failuresAllowed };
  const failures = await failuresOf(ports.findClaim, ubrn);
  if (failures.length >= failuresAllowed) return { outcome: 'locked' };
  const [code, patient] = await Promise.all([findAccessCode(ports.findClaim, ubrn), patientOf(ports, ubrn)]);
  const nhsNumber = patient && nhsNumberOf(patient);
  const right = same(tidy(code ?? '-'), tidy(accessCode)) && code !== undefined && patient?.birthDate?.slice(0, 4) === yearOfBirth;
  if (right && nhsNumber !== undefined) {
    if (failures.length > 0) await ports.commit({ releases: failures });
    return { outcome: 'granted', nhsNumber, patientId: patient.id ?? '' };
  }
  const counted = await countFailure(ports, ubrn);
  return counted >= failuresAllowed ? { outcome: 'locked' } : { outcome: 'refused', left: failuresAllowed - counted };
};
