import type { Patient, ServiceRequest } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { Taken, type Claim, type Unit } from '../../store/port.js';
import { systems } from '../codes.js';
import type { Found } from '../command.js';
import { nhsNumberOf } from '../demographics/demographics.js';
import { kindOf, stateOf } from '../referral/referral.js';
import { findAccessCode, spentTries, triesAllowed, tryClaim } from './access-code.js';

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
  /** `left`: how many tries are left */
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

/** Takes one of the tries that are left; each is a row that only one attempt gets, so that racing guesses are counted one by one. */
const takeTry = async (ports: AccessPorts, ubrn: string, spent: readonly Claim[]): Promise<Claim | undefined> => {
  const keys = new Set(spent.map(({ key }) => key));
  for (let n = 0; n < triesAllowed; n++) {
    const taken = tryClaim(ubrn, n, ports.newId());
    if (keys.has(taken.key)) continue;
    try {
      await ports.commit({ claims: [taken] });
      return taken;
    } catch (error) {
      if (!(error instanceof Taken)) throw error;
    }
  }
  return undefined;
};

/**
 * A patient's second way in: UBRN, access code and year of birth. A try is counted durably before anything is compared, and given back when
 * all three are right: however many guesses come at once, five are compared, then the code is locked until the practice prints another
 * letter. A UBRN that does not exist is refused like a wrong code, and counted like one, so that nobody learns which exist.
 */
export const checkAccess = async (ports: AccessPorts, { ubrn, accessCode, yearOfBirth }: AccessAttempt): Promise<AccessAnswer> => {
  if (!/^[0-9]{12}$/.test(ubrn)) return { outcome: 'refused', left: triesAllowed };
  const spent = await spentTries(ports.findClaim, ubrn);
  const own = await takeTry(ports, ubrn, spent);
  if (!own) return { outcome: 'locked' };
  const [code, patient] = await Promise.all([findAccessCode(ports.findClaim, ubrn), patientOf(ports, ubrn)]);
  const nhsNumber = patient && nhsNumberOf(patient);
  const right = same(tidy(code ?? '-'), tidy(accessCode)) && code !== undefined && patient?.birthDate?.slice(0, 4) === yearOfBirth;
  if (right && nhsNumber !== undefined) {
    await ports.commit({ releases: [...spent, own] });
    return { outcome: 'granted', nhsNumber, patientId: patient.id ?? '' };
  }
  const left = triesAllowed - (await spentTries(ports.findClaim, ubrn)).length;
  return left > 0 ? { outcome: 'refused', left } : { outcome: 'locked' };
};
