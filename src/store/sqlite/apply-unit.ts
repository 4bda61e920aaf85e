import type { AuditChain } from '../audit-chain.js';
import {
  Matched,
  Referenced,
  Stale,
  Unresolved,
  type Claim,
  type EntryPut,
  type Key,
  type Put,
  type Reindex,
  type SearchPlan,
  type Sight,
  type Unit,
} from '../port.js';
import { claimsToWrite, releaseClaims, writeClaims } from './claim-rows.js';
import type { Connection } from './connection.js';
import { slotsMoved } from './free-slots.js';
import { Heads } from './heads.js';
import { nameOfRow, ownedRows, replaceRows, type Cell } from './owned-rows.js';
import { reindexValues, writeValues } from './write-values.js';
import type { Terms } from './terms.js';
import { putPlaces } from './worklist-rows.js';

export type Writer = {
  readonly connection: Connection;
  readonly terms: Terms;
  readonly integrity: boolean;
  readonly matches: (plan: SearchPlan & { readonly sight?: Sight }) => boolean;
  /** the next position in the commit order */
  readonly nextSequence: () => number;
  readonly committedAt: number;
  readonly now: number;
  readonly chain: AuditChain;
};

/** A unit being written. */
type Work = Writer & { readonly heads: Heads };

const staleAt = ({ type, id }: Key): Stale => new Stale({ type, id });

/**
 * Refuses what is out of date or taken before anything is written: nearly all refusals, and these leave nothing to take back. The claims
 * that are to be written.
 */
const check = ({ connection, heads, matches, now }: Work, unit: Unit): readonly Claim[] => {
  for (const expected of unit.expects ?? []) {
    const head = heads.of(expected);
    if (!head?.isLive || head.version !== expected.version) throw staleAt(expected);
  }
  for (const plan of unit.unmatched ?? []) if (matches(plan)) throw new Matched();
  const claims = claimsToWrite(connection, unit, now);
  for (const put of unit.puts ?? []) if ((heads.of(put)?.version ?? 0) !== put.version) throw staleAt(put);
  return claims;
};

/** Writes one unit inside an open transaction; throws the port's errors, after which what it wrote, if anything, is the caller's to take back. */
export const applyUnit = (writer: Writer, unit: Unit): void => {
  const { connection } = writer;
  const work: Work = { ...writer, heads: new Heads(connection, writer.terms) };
  const claims = check(work, unit);
  releaseClaims(connection, unit.releases ?? []);
  writeClaims(connection, claims);
  const puts = unit.puts ?? [];
  // rows first, then what points at them: references inside a unit may go in any direction
  const rids = puts.map((put) => putRow(work, put));
  puts.forEach((put, index) => {
    indexRow(work, put, rids[index] ?? 0);
  });
  for (const put of puts) if (put.body === undefined) refuseWhenReferenced(work, put);
  for (const entry of unit.entries ?? []) putEntry(writer, entry);
  for (const worklist of unit.worklists ?? []) putPlaces(connection, worklist);
  for (const reindex of unit.reindexes ?? []) reindexRow(work, reindex);
  if (unit.audit && unit.audit.length > 0) {
    const { chain, number, hash, body } = writer.chain.append(unit.audit);
    connection.run('insert into audit_link (chain, number, hash, body) values (?, ?, ?, ?)', chain, number, hash, body);
  }
};

const putEntry = ({ connection }: Writer, { kind, key, version, body, expires }: EntryPut): void => {
  // made when it is thrown: an error's stack is dear
  const stale = () => new Stale({ type: kind, id: key });
  if (version === 0 && body !== undefined) {
    const text = 'insert or ignore into entry (kind, key, version, body, expires) values (?, ?, 1, ?, ?)';
    if (connection.run(text, kind, key, body, expires ?? null) !== 1) throw stale();
    return;
  }
  const changed =
    body === undefined
      ? connection.run('delete from entry where kind = ? and key = ? and version = ?', kind, key, version)
      : connection.run(
          'update entry set version = version + 1, body = ?, expires = ? where kind = ? and key = ? and version = ?',
          body,
          expires ?? null,
          kind,
          key,
          version,
        );
  if (changed !== 1) throw stale();
};

const putRow = ({ connection, terms, committedAt, nextSequence, heads }: Work, put: Put): number => {
  const type = terms.intern(put.type);
  const head = heads.of(put);
  const body = put.body ?? null;
  const isLive = body !== null;
  // one unit may hold a record twice by mistake
  if ((head?.version ?? 0) !== put.version) throw staleAt(put);
  if (!head) {
    const rid = connection.insert(
      'insert into resource (type, id, version, last_updated, committed_at, sequence, body) values (?, ?, 1, ?, ?, ?, ?)',
      type,
      put.id,
      put.lastUpdated,
      committedAt,
      nextSequence(),
      body,
    );
    heads.note(put, { rid, version: 1, isLive });
    return rid;
  }
  if (head.version > 0)
    connection.run(
      'insert into resource_version (rid, version, type, last_updated, committed_at, sequence, body) select rid, version, type, last_updated, committed_at, sequence, body from resource where rid = ?',
      head.rid,
    );
  connection.run(
    'update resource set version = ?, last_updated = ?, committed_at = ?, sequence = ?, body = ? where rid = ?',
    head.version + 1,
    put.lastUpdated,
    committedAt,
    nextSequence(),
    body,
    head.rid,
  );
  heads.note(put, { rid: head.rid, version: head.version + 1, isLive });
  return head.rid;
};

const [keyRows, linkRows] = [ownedRows('access_key', 'rid', ['key']), ownedRows('access_link', 'source', ['child', 'root'])];
const named = (rows: readonly (readonly Cell[])[]): ReadonlyMap<string, readonly Cell[]> =>
  new Map(rows.map((cells) => [nameOfRow(cells), cells]));

const indexRow = (writer: Work, put: Put, rid: number): void => {
  writeValues(writer, put, rid, (target) => targetRid(writer, target));
  // a deleted row keeps its keys: 410 is only for who could have read it
  if (put.body === undefined) return;
  const isOld = put.version > 0 ? () => true : undefined;
  replaceRows(writer.connection, keyRows, rid, named(put.accessKeys.map((key) => [key])), isOld);
  const links = put.accessLinks.flatMap(({ child, root }): (readonly Cell[])[] => {
    const ends = [writer.heads.of(child)?.rid, writer.heads.of(root)?.rid];
    return ends.every((end) => end !== undefined) ? [ends] : [];
  });
  replaceRows(writer.connection, linkRows, rid, named(links), isOld);
};

const reindexRow = (writer: Work, reindex: Reindex): void => {
  const head = writer.heads.of(reindex);
  if (!head?.isLive || head.version !== reindex.version) return;
  const values = reindex.values.filter((value) => value.kind !== 'reference' || !writer.integrity || isTarget(writer, value.target));
  const moved = reindexValues(writer, { ...reindex, values }, head.rid, (target) =>
    writer.integrity ? (writer.heads.of(target)?.rid ?? 0) : targetRid(writer, target),
  );
  if ((moved && reindex.type === 'Slot') || reindex.type === 'Schedule') writer.connection.run(slotsMoved);
};

/** What lives, or was referred to before it was there. */
const isTarget = ({ heads }: Work, key: Key): boolean => {
  const head = heads.of(key);
  return head !== undefined && (head.isLive || head.version === 0);
};

const targetRid = ({ connection, terms, heads, integrity }: Work, target: Key): number => {
  const head = heads.of(target);
  if (head && (head.isLive || !integrity)) return head.rid;
  if (integrity) throw new Unresolved(target);
  const rid = connection.insert(
    'insert into resource (type, id, version, last_updated, committed_at, sequence, body) values (?, ?, 0, 0, 0, 0, null)',
    terms.intern(target.type),
    target.id,
  );
  heads.note(target, { rid, version: 0, isLive: false });
  return rid;
};

const refuseWhenReferenced = ({ connection, heads, integrity }: Work, put: Put): void => {
  if (!integrity) return;
  const rid = heads.of(put)?.rid ?? 0;
  const rows = connection.all(
    `select distinct t.text as type, r.id from (
       select rid from search_reference where target = ?1
       union select rid from slot_index where schedule = ?1
       union select rid from service_request_index where subject = ?1) s
     join resource r on r.rid = s.rid join term t on t.id = r.type where r.rid <> ?1 and r.body is not null
       and t.text not like '#%' limit 10`,
    rid,
  ) as readonly Key[];
  if (rows.length > 0)
    throw new Referenced(
      { type: put.type, id: put.id },
      rows.map(({ type, id }) => ({ type, id })),
    );
};
