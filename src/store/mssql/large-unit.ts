import { jsonText } from '../json-text.js';
import type { Key, Put, Unit } from '../port.js';
import { loadedText } from './batch.js';
import { BulkRows, nameOf } from './bulk-rows.js';
import type { Database, Row } from './database.js';
import type { Terms } from './terms.js';
import { byKey, targetsOf, type AuditInput } from './unit-batch.js';

/** From so many new resources on rows travel faster in bulk than in the text of a statement. */
const large = 50;

/** Whether a unit makes many new resources and nothing else: what it writes can then only be refused by a constraint. */
export const isLarge = ({ puts = [], expects = [], unmatched = [], releases = [], reindexes = [], entries = [] }: Unit): boolean =>
  puts.length >= large &&
  expects.length + unmatched.length + releases.length + reindexes.length === 0 &&
  puts.every(({ version, body }) => version === 0 && body !== undefined) &&
  entries.every(({ version, body }) => version === 0 && body !== undefined);

const found = (rows: readonly Row[], keys: readonly Key[]): Map<string, number> =>
  new Map(rows.flatMap((row) => (keys[Number(row['n'])] ? [[nameOf(keys[Number(row['n'])]!), Number(row['rid'])] as const] : [])));

/** Rids for the new rows, and those of what they refer to; undefined when something of that does not live. */
const number = async (database: Database, terms: Terms, puts: readonly Put[]): Promise<ReadonlyMap<string, number> | undefined> => {
  const own = new Set(puts.map(nameOf));
  const targets = targetsOf(puts).filter((key) => !own.has(nameOf(key)));
  const [fresh, known] = await Promise.all([
    database.read("select x.n, next value for resource_rid as rid from openjson(@rows) with (n int '$.n') x", {
      rows: jsonText(puts.map((_, n) => ({ n }))),
    }),
    database.read(
      `select w.n, r.rid from openjson(@targets) with (n int '$.n', type int '$.t', id nvarchar(64) '$.i') w
       inner join resource r on r.type = w.type and r.id = w.id collate Latin1_General_BIN2 inner join live l on l.rid = r.rid`,
      { targets: jsonText(targets.map(({ type, id }, n) => ({ n, t: terms.number(type), i: id }))) },
    ),
  ]);
  const rids = new Map([...found(fresh, puts), ...found(known, targets)]);
  return rids.size === puts.length + targets.length ? rids : undefined;
};

/**
 * Writes a large unit: its rows in bulk, then what gives the commit its place, in one transaction. Constraints are the guards: a row or a claim
 * that is there already, or a target that went, fails it as a whole, and what is in the way is left to the ordinary batch to name.
 *
 * @returns whether it was written; the driver's errors pass through
 */
export const writeLarge = async (database: Database, terms: Terms, unit: Unit, link: AuditInput | undefined): Promise<boolean> => {
  const puts = [...(unit.puts ?? [])].sort(byKey);
  const rids = await number(database, terms, puts);
  if (!rids) return false;
  const rows = new BulkRows(terms);
  const ridOf = (key: Key): number => rids.get(nameOf(key)) ?? 0;
  for (const put of puts) {
    rows.addRow(put, ridOf(put), put.body ?? null, put.lastUpdated);
    rows.addIndex(put, ridOf(put), ridOf);
  }
  for (const claim of unit.claims ?? []) rows.addClaim(claim);
  for (const { kind, key, body, expires } of unit.entries ?? []) if (body !== undefined) rows.addEntry(kind, key, body, expires);
  for (const { referral, places } of unit.worklists ?? []) for (const place of places) rows.addPlace(referral, place);
  const slots = rows.of('slot_index').length > 0;
  await database.load(rows.take(), loadedText({ slots, audit: link !== undefined }), {
    rows: jsonText(puts.map((put, n) => ({ n, rid: ridOf(put) }))),
    puts: jsonText(puts.map(({ type, id, version }, n) => ({ n, type: terms.number(type), id, version }))),
    written: puts.length,
    latest: Math.max(...puts.map(({ lastUpdated }) => lastUpdated)),
    ...(link ? { chain: link.chain, link: link.number, hash: link.hash, audit: Buffer.from(link.body, 'utf8') } : {}),
  });
  return true;
};
