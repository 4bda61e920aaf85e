import { asAuditText } from '../audit/audit-index.js';
import { auditValues } from '../audit/audit-values.js';
import { findReferences } from '../fhir/references.js';
import type { Key, Resource } from '../fhir/resource.js';
import type { Context } from '../fhir/search/extract.js';
import { linksOf } from '../interactions/access-facts.js';
import { containedPuts, indexedOf } from '../interactions/contained.js';
import type { House } from '../interactions/house.js';
import { identifierKey, logicalReferences } from '../interactions/logical-references.js';
import { otherReferences } from '../interactions/referred-to.js';
import { isContainedType } from '../store/layout.js';
import { Stale, type Put, type Reindex, type Stored, type Value } from '../store/port.js';

type Read = {
  readonly resource: Resource;
  readonly context: Context;
  readonly logical: ReadonlyMap<string, Key>;
  readonly place: readonly Value[];
};

/** A stored row as its writer had it before the values were made. */
const readRow = async (house: House, row: Stored): Promise<Read> => {
  const { resource, fragment, place } = await indexedOf(house, row);
  const logical = await logicalReferences(house, row, resource);
  const { baseUrl, timeZone } = house;
  const context: Context = { fragment, resolve: ({ identifier }) => logical.get(identifierKey(identifier)), baseUrl, timeZone };
  return { resource, context, logical, place };
};

/** New values of some parameters of a row. */
export const someAnew = async (house: House, row: Stored, params: readonly string[]): Promise<Reindex> => {
  const { resource, context } = await readRow(house, row);
  const named = [...new Set(params)];
  return {
    ...{ type: row.type, id: row.id, version: row.version },
    params: named,
    values: named.flatMap((param) => house.extract(resource, context, param)),
  };
};

const valuesOf = (house: House, { type }: Key, { resource, context, place }: Read): readonly Value[] => {
  const extracted = house.extract(resource, context);
  if (isContainedType(type)) return [...extracted, ...place];
  // what its writer was allowed to refer to is no longer asked
  const { searchParameters, baseUrl, registry } = house;
  const lenient = { searchParameters, baseUrl, registry, integrity: false };
  return [...extracted, ...otherReferences(lenient, type, findReferences(resource, resource.resourceType), extracted)];
};

/** All values of rows of one type, resources that others contain among them. */
export const allAnew = async (house: House, rows: readonly Stored[]): Promise<readonly Reindex[]> => {
  const ofAudit = auditValues(house.store, Promise.resolve(house));
  return Promise.all(
    rows.map(async (row): Promise<Reindex> => {
      const read = await readRow(house, row);
      const values = row.type === 'AuditEvent' ? (await ofAudit(read.resource)).map(asAuditText) : valuesOf(house, row, read);
      return { type: row.type, id: row.id, version: row.version, values };
    }),
  );
};

/** The rows that a resource's contained resources should have and have not, as it was written before there were any. */
const lostRows = async (house: House, row: Stored): Promise<readonly Put[]> => {
  if (isContainedType(row.type) || row.body?.includes('"contained":') !== true) return [];
  const { resource, context, logical } = await readRow(house, row);
  const draft = { type: row.type, id: row.id, version: row.version, resource };
  const container: Put = {
    ...{ type: row.type, id: row.id, version: row.version, lastUpdated: row.lastUpdated, body: row.body, values: [] },
    accessKeys: await house.store.keysOf(row),
    accessLinks: linksOf(house, draft, resource, findReferences(resource, resource.resourceType), logical),
  };
  return (await containedPuts(house, draft, container, context)).filter(({ version }) => version === 0);
};

/** Writes them; who wrote the resource meanwhile wrote its rows. What they refer to may be gone, so that comes after. */
export const writeLostRows = async (house: House, rows: readonly Stored[]): Promise<void> => {
  for (const row of rows) {
    const puts = await lostRows(house, row);
    if (puts.length === 0) continue;
    try {
      await house.store.commit({
        expects: [{ type: row.type, id: row.id, version: row.version }],
        puts: puts.map((put) => ({ ...put, values: put.values.filter(({ kind }) => kind !== 'reference') })),
      });
      await house.store.commit({ reindexes: puts.map(({ type, id, values }) => ({ type, id, version: 1, values })) });
    } catch (error) {
      if (!(error instanceof Stale)) throw error;
    }
  }
};
