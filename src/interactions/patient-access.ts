import { randomUUID } from 'node:crypto';
import { foundOf } from '../domain/command.js';
import { checkAccess, type AccessPorts } from '../domain/patient-access/exchange.js';
import type { Store } from '../store/port.js';

const portsOf = (store: Store): AccessPorts => ({
  findRequests: async (system, ubrn) => {
    const where = [{ kind: 'token' as const, param: 'identifier', any: [{ system, code: ubrn }] }];
    const { rows } = await store.search({ type: 'ServiceRequest', where, sort: [], count: 2 }, 'all');
    return rows.flatMap((row) => foundOf(row) ?? []);
  },
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
