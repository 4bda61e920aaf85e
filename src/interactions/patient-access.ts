import { randomUUID } from 'node:crypto';
import type { Patient } from 'fhir/r4.js';
import { systems } from '../domain/codes.js';
import { foundOf, type Found } from '../domain/command.js';
import { checkAccess, type AccessPorts } from '../domain/patient-access/exchange.js';
import type { Store } from '../store/port.js';

/** At most two of the type with the identifier: whether it is one's alone. */
const identified = async (store: Store, type: string, system: string, code: string): Promise<readonly Found[]> => {
  const where = [{ kind: 'token' as const, param: 'identifier', any: [{ system, code }] }];
  const { rows } = await store.search({ type, where, sort: [], count: 2 }, 'all');
  return rows.flatMap((row) => foundOf(row) ?? []);
};

const portsOf = (store: Store): AccessPorts => ({
  findRequests: (system, ubrn) => identified(store, 'ServiceRequest', system, ubrn),
  find: async (key) => foundOf(await store.find(key, 'all')),
  findClaim: (kind, key) => store.findClaim(kind, key),
  commit: (unit) => store.commit(unit),
  newId: randomUUID,
});

/** The NHS number of the patient to whom UBRN, access code and year of birth belong; undefined for a refusal and for a locked code. */
export const accessCheck =
  (store: Store) =>
  async (given: { readonly ubrn: string; readonly accessCode: string; readonly yearOfBirth: number }): Promise<string | undefined> => {
    const answer = await checkAccess(portsOf(store), { ...given, yearOfBirth: String(given.yearOfBirth) });
    return answer.outcome === 'granted' ? answer.nhsNumber : undefined;
  };

/** The birth date (YYYY-MM-DD) in the one record of an NHS number. */
export const birthDates =
  (store: Store) =>
  async (nhsNumber: string): Promise<string | undefined> => {
    const [patient, another] = await identified(store, 'Patient', systems.nhsNumber, nhsNumber);
    return another === undefined ? (patient?.resource as unknown as Patient | undefined)?.birthDate : undefined;
  };
