import { accessKeysOf } from '../access/access-keys.js';
import { isOpen } from '../access/policy.js';
import { foundOf } from '../domain/command.js';
import { goesOnAs } from '../domain/demographics/demographics.js';
import { parseJson } from '../fhir/json.js';
import { findReferences } from '../fhir/references.js';
import { referenceTo, type Key, type Resource } from '../fhir/resource.js';
import type { Sight, Stored } from '../store/port.js';
import type { House } from './house.js';
import { identifierKey, resolveLogical } from './logical-references.js';

/** The ids of the patients whose record it is. */
const patientsOf = async (house: House, { type, body }: Stored): Promise<readonly string[]> => {
  if (body === undefined) return [];
  const resource = parseJson(body) as Resource;
  const logical = await resolveLogical(house, findReferences(resource, type), []);
  const keys = accessKeysOf(resource, { organisationOf: () => undefined, keyOf: (identifier) => logical.get(identifierKey(identifier)) });
  return keys.flatMap((key) => (key.startsWith('patient:') ? [key.slice('patient:'.length)] : []));
};

/** What the records say now, or said before they were deleted. */
const lastOf = async ({ store }: House, keys: readonly Key[]): Promise<ReadonlyMap<string, Stored>> => {
  const distinct = new Map(keys.map(({ type, id }) => [referenceTo({ type, id }), { type, id }]));
  const last = new Map((await store.findMany([...distinct.values()], 'all')).map((row) => [referenceTo(row), row]));
  for (const [name, key] of distinct) {
    const deleted = last.has(name) ? undefined : await store.find(key, 'all');
    const before = deleted && (await store.findVersion(key, deleted.version - 1, 'all'));
    if (before) last.set(name, before);
  }
  return last;
};

/** `now`: the patients whose the record is now. */
const isOfAnother = async (house: House, row: Stored, now: readonly string[]): Promise<boolean> => {
  if (row.body === undefined || now.length === 0) return false;
  const before = await patientsOf(house, row);
  const find = async (key: Key) => foundOf(await house.store.find(key, 'all'));
  const patient = (id: string): Key => ({ type: 'Patient', id });
  for (const one of before) {
    const same = now.map(async (other) => one === other || goesOnAs(find, patient(one), patient(other), house.baseUrl));
    if (!(await Promise.all(same)).includes(true)) return true;
  }
  return false;
};

/** Whether versions of a type may be left out for a caller of this sight. */
export const mayHideVersions = (type: string | undefined, sight: Sight): boolean =>
  sight !== 'all' && type !== 'Patient' && (type === undefined || !isOpen(type));

/**
 * Of versions that a caller finds, those about the patients whose the record is now. Who may see a record is told by what it says now:
 * where it was written to the wrong patient and put right, the versions before would show that one to the right one, and to his practice.
 * A patient record that was superseded is of the same person as the one that it goes on as.
 */
export const ofSamePerson = async <Row extends Stored>(house: House, sight: Sight, rows: readonly Row[]): Promise<readonly Row[]> => {
  const bound = rows.filter(({ type }) => mayHideVersions(type, sight));
  if (bound.length === 0) return rows;
  const last = await lastOf(house, bound);
  // many versions of one record are compared with one last one
  const patients = new Map<string, Promise<readonly string[]>>();
  const patientsNow = (name: string, stored: Stored): Promise<readonly string[]> => {
    const known = patients.get(name) ?? patientsOf(house, stored);
    patients.set(name, known);
    return known;
  };
  const others = new Set<Stored>();
  for (const row of bound) {
    const [name, now] = [referenceTo(row), last.get(referenceTo(row))];
    if (now === undefined || now.version === row.version) continue;
    if (await isOfAnother(house, row, await patientsNow(name, now))) others.add(row);
  }
  return others.size === 0 ? rows : rows.filter((row) => !others.has(row));
};
