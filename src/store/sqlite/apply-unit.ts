import type { AuditChain } from '../audit-chain.js';
import {
  Matched,
  Referenced,
  Stale,
  Taken,
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
import type { Connection } from './connection.js';
import { slotsMoved } from './free-slots.js';
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

type Head = { readonly rid: number; readonly version: number; readonly live: number };

const headOf = (writer: Writer, key: Key): Head | undefined => {
  const type = writer.terms.find(key.type);
  if (type === undefined) return undefined;
  return writer.connection.get('select rid, version, body is not null as live from resource where type = ? and id = ?', type, key.id) as
    Head | undefined;
};

/** Writes one unit inside an open transaction; throws the port's errors, after which the caller rolls back to its savepoint. */
export const applyUnit = (writer: Writer, unit: Unit): void => {
  for (const expected of unit.expects ?? []) {
    const head = headOf(writer, expected);
    if (!head?.live || head.version !== expected.version) throw new Stale({ type: expected.type, id: expected.id });
  }
  for (const plan of unit.unmatched ?? []) if (writer.matches(plan)) throw new Matched();
  for (const release of unit.releases ?? [])
    writer.connection.run('delete from claim where kind = ? and key = ? and owner = ?', release.kind, release.key, release.owner);
  for (const claim of unit.claims ?? []) take(writer, claim);
  const puts = unit.puts ?? [];
  // rows first, then what points at them: references inside a unit may go in any direction
  const rids = puts.map((put) => putRow(writer, put));
  puts.forEach((put, index) => {
    indexRow(writer, put, rids[index] ?? 0);
  });
  for (const put of puts) if (put.body === undefined) refuseWhenReferenced(writer, put);
  for (const entry of unit.entries ?? []) putEntry(writer, entry);
  for (const worklist of unit.worklists ?? []) putPlaces(writer.connection, worklist);
  for (const reindex of unit.reindexes ?? []) reindexRow(writer, reindex);
  if (unit.audit && unit.audit.length > 0) {
    const { chain, number, hash, body } = writer.chain.append(unit.audit);
    writer.connection.run('insert into audit_link (chain, number, hash, body) values (?, ?, ?, ?)', chain, number, hash, body);
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

const take = (writer: Writer, claim: Claim): void => {
  const held = writer.connection.get('select owner, expires from claim where kind = ? and key = ?', claim.kind, claim.key) as
    { owner: string; expires: number | null } | undefined;
  const expired = held?.expires !== null && held !== undefined && held.expires <= writer.now;
  if (held && !expired && held.owner !== claim.owner) throw new Taken(claim);
  // the same owner may renew, but a jti is used once
  if (held && !expired && claim.kind === 'jti') throw new Taken(claim);
  // what a record had before and keeps: its number, its slot
  if (held?.owner === claim.owner && held.expires === (claim.expires ?? null)) return;
  writer.connection.run(
    'insert into claim (kind, key, owner, expires) values (?, ?, ?, ?) on conflict (kind, key) do update set owner = excluded.owner, expires = excluded.expires',
    claim.kind,
    claim.key,
    claim.owner,
    claim.expires ?? null,
  );
};

const putRow = (writer: Writer, put: Put): number => {
  const { connection, terms, committedAt } = writer;
  const type = terms.intern(put.type);
  const head = headOf(writer, put);
  const body = put.body ?? null;
  if (!head) {
    if (put.version !== 0) throw new Stale({ type: put.type, id: put.id });
    return connection.insert(
      'insert into resource (type, id, version, last_updated, committed_at, sequence, body) values (?, ?, 1, ?, ?, ?, ?)',
      type,
      put.id,
      put.lastUpdated,
      committedAt,
      writer.nextSequence(),
      body,
    );
  }
  if (head.version !== put.version) throw new Stale({ type: put.type, id: put.id });
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
    writer.nextSequence(),
    body,
    head.rid,
  );
  return head.rid;
};

const [keyRows, linkRows] = [ownedRows('access_key', 'rid', ['key']), ownedRows('access_link', 'source', ['child', 'root'])];
const named = (rows: readonly (readonly Cell[])[]): ReadonlyMap<string, readonly Cell[]> =>
  new Map(rows.map((cells) => [nameOfRow(cells), cells]));

const indexRow = (writer: Writer, put: Put, rid: number): void => {
  writeValues(writer, put, rid, (target) => targetRid(writer, target));
  // a deleted row keeps its keys: 410 is only for who could have read it
  if (put.body === undefined) return;
  const isOld = put.version > 0 ? () => true : undefined;
  replaceRows(writer.connection, keyRows, rid, named(put.accessKeys.map((key) => [key])), isOld);
  const links = put.accessLinks.flatMap(({ child, root }): (readonly Cell[])[] => {
    const ends = [headOf(writer, child)?.rid, headOf(writer, root)?.rid];
    return ends.every((end) => end !== undefined) ? [ends] : [];
  });
  replaceRows(writer.connection, linkRows, rid, named(links), isOld);
};

const reindexRow = (writer: Writer, reindex: Reindex): void => {
  const head = headOf(writer, reindex);
  if (!head?.live || head.version !== reindex.version) return;
  const values = reindex.values.filter((value) => value.kind !== 'reference' || !writer.integrity || isTarget(writer, value.target));
  const moved = reindexValues(writer, { ...reindex, values }, head.rid, (target) =>
    writer.integrity ? (headOf(writer, target)?.rid ?? 0) : targetRid(writer, target),
  );
  if ((moved && reindex.type === 'Slot') || reindex.type === 'Schedule') writer.connection.run(slotsMoved);
};

/** What lives, or was referred to before it was there. */
const isTarget = (writer: Writer, key: Key): boolean => {
  const head = headOf(writer, key);
  return head !== undefined && (head.live !== 0 || head.version === 0);
};

const targetRid = (writer: Writer, target: Key): number => {
  const head = headOf(writer, target);
  if (head && (head.live || !writer.integrity)) return head.rid;
  if (writer.integrity) throw new Unresolved(target);
  return writer.connection.insert(
    'insert into resource (type, id, version, last_updated, committed_at, sequence, body) values (?, ?, 0, 0, 0, 0, null)',
    writer.terms.intern(target.type),
    target.id,
  );
};

const refuseWhenReferenced = (writer: Writer, put: Put): void => {
  if (!writer.integrity) return;
  const rid = headOf(writer, put)?.rid ?? 0;
  const rows = writer.connection.all(
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
