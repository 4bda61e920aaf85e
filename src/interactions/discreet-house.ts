import { isRestricted, withoutWhereabouts } from '../domain/demographics/restricted.js';
import { parseJson, stringifyJson } from '../fhir/json.js';
import { readReference } from '../fhir/references.js';
import type { Key, Resource } from '../fhir/resource.js';
import type { Extractor } from '../fhir/search/extract.js';
import type { Reader, Stored } from '../store/port.js';
import { withReads } from '../store/reads.js';
import { discreetPlan } from './discreet-plan.js';
import type { House } from './house.js';

const resourceOf = ({ body }: Stored): Resource | undefined => (body === undefined ? undefined : (parseJson(body) as Resource));

// most records have no label: only one that may have it is parsed
const mayBeRestricted = (row: Stored | undefined): boolean => row?.body?.includes('/v3-Confidentiality"') === true;

const isLabelled = (row: Stored | undefined): boolean => {
  const resource = row && mayBeRestricted(row) ? resourceOf(row) : undefined;
  return resource !== undefined && isRestricted(resource);
};

const redacted = (row: Stored): Stored => {
  const resource = resourceOf(row);
  return resource === undefined ? row : { ...row, body: stringifyJson(withoutWhereabouts(resource)) };
};

/** The types whose records tell where a patient lives. */
const telling: ReadonlySet<string> = new Set(['Patient', 'RelatedPerson']);

type Reference = { readonly reference?: string; readonly identifier?: { readonly system?: string; readonly value?: string } };

/** The patient that a RelatedPerson, who may live with him, belongs to; whoever may be meant by an identifier. */
const patientsOf = async (reader: Reader, row: Stored): Promise<readonly Key[]> => {
  const { reference, identifier } = (resourceOf(row)?.['patient'] ?? {}) as Reference;
  if (reference !== undefined) return [readReference(reference, '')].flatMap((key) => (key?.type === 'Patient' ? [key] : []));
  const { system = '', value } = identifier ?? {};
  if (value === undefined) return [];
  const where = [{ kind: 'token', param: 'identifier', any: [{ system, code: value }] }] as const;
  return (await reader.search({ type: 'Patient', where, sort: [], count: 10 }, 'all')).rows;
};

const discreetReads = (reader: Reader): Partial<Reader> => {
  /** Whether the record is restricted now, or was when it was deleted. */
  const isRestrictedNow = async ({ type, id }: Key): Promise<boolean> => {
    const now = await reader.find({ type, id }, 'all');
    return isLabelled(now?.body === undefined && now ? await reader.findVersion(now, now.version - 1, 'all') : now);
  };
  const isOfRestricted = async (row: Stored): Promise<boolean> => {
    const patients = row.type === 'RelatedPerson' ? await patientsOf(reader, row) : [];
    return (await Promise.all(patients.map(isRestrictedNow))).some(Boolean);
  };
  const current = async <Row extends Stored | undefined>(row: Row): Promise<Row | Stored> =>
    row !== undefined && telling.has(row.type) && (isLabelled(row) || (await isOfRestricted(row))) ? redacted(row) : row;
  const page = async <P extends { readonly rows: readonly Stored[] }>(found: P): Promise<P> =>
    found.rows.some(({ type }) => telling.has(type)) ? { ...found, rows: await Promise.all(found.rows.map(current)) } : found;
  /** A version from before the label tells as much as one after it. */
  const earlier = async (row: Stored): Promise<Stored> => {
    if (!telling.has(row.type) || row.body === undefined) return row;
    return isLabelled(row) || (await isRestrictedNow(row)) || (await isOfRestricted(row)) ? redacted(row) : row;
  };
  return {
    // of most types there is nothing to look at, and nothing to wait for
    find: (key, sight) => (telling.has(key.type) ? reader.find(key, sight).then(current) : reader.find(key, sight)),
    findVersion: async (key, version, sight) => {
      const row = await reader.findVersion(key, version, sight);
      return row && earlier(row);
    },
    findMany: async (keys, sight) => (await page({ rows: await reader.findMany(keys, sight) })).rows,
    search: async (plan, sight) => page(await reader.search(discreetPlan(plan), sight)),
    count: (plan, sight, limit) => reader.count(discreetPlan(plan), sight, limit),
    history: async (scope, window, sight) => {
      const found = await reader.history(scope, window, sight);
      return found.rows.some(({ type }) => telling.has(type)) ? { ...found, rows: await Promise.all(found.rows.map(earlier)) } : found;
    },
    referrers: async (target, sight, limit, of) => (await page({ rows: await reader.referrers(target, sight, limit, of) })).rows,
    labelled: async (type, limit) => (await page({ rows: await reader.labelled(type, limit) })).rows,
  };
};

/** An index that knows no whereabouts of a restricted record, so that no search, chain or order tells them. */
export const extractDiscreetly =
  (extract: Extractor): Extractor =>
  (resource, context, only) =>
    extract(resource.resourceType === 'Patient' && isRestricted(resource) ? withoutWhereabouts(resource) : resource, context, only);

// one for a house, as what is kept for a store must find it again
const made = new WeakMap<House, House>();

/**
 * A house that shows no restricted record of a patient, nor those of his RelatedPersons, with whereabouts, on whatever path it is read: the store
 * itself leaves them out, so that no interaction needs to think of it.
 */
export const discreet = (house: House): House => {
  const known = made.get(house) ?? Object.assign(Object.create(house) as House, { store: withReads(house.store, discreetReads) });
  made.set(house, known);
  return known;
};
