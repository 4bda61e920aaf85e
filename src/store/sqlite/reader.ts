import { bindIn, parametersOf, prepare, type Prepared, type Run } from '../queries/bindings.js';
import { sqlite, type Statement } from '../queries/dialect.js';
import { historyQuery } from '../queries/history.js';
import { labelledQuery } from '../queries/labels.js';
import { decodePosition, encodePosition } from '../queries/position.js';
import { SearchBuilder } from '../queries/search.js';
import { shapeOf } from '../queries/shape.js';
import { sightTest } from '../queries/sight.js';
import {
  gatheredRows,
  gatheredWorklist,
  worklistPage,
  worklistQuery,
  worklistRun,
  worklistShape,
  type WorklistRun,
} from '../queries/worklist.js';
import { columnOf, containedType, homeParam, narrowTables } from '../layout.js';
import { sql } from 'kysely';
import type {
  AuditLink,
  Claim,
  ClaimKind,
  DiaryAvailability,
  Entry,
  HistoryScope,
  Key,
  Page,
  Place,
  SearchPlan,
  Sight,
  Stored,
  Window,
  WorklistPage,
  WorklistQuery,
  WorklistRow,
} from '../port.js';
import type { Connection, Row, Tuple } from './connection.js';
import { FreeSlotSearches, type RidsOf } from './free-slot-searches.js';
import { FreeSlots } from './free-slots.js';
import { Terms } from './terms.js';
import { WorklistPages } from './worklist-pages.js';

/** a search for which there is no such statement */
const none: Prepared = { text: '', parameters: [] };

/** what is read of one record */
type Columns = 'version, last_updated' | 'version, last_updated, body';
/** code systems that are kept */
const mostLarge = 100;

const storedAt = ({ type, id }: Key, [version, lastUpdated, body]: Tuple): Stored => ({
  type,
  id,
  version: version as number,
  lastUpdated: lastUpdated as number,
  body: (body as string | null) ?? undefined,
});

/** of a search: rid, id, type, version, last_updated, body, and the keys of its order */
const firstKey = 6;
const keysOf = (row: Tuple) => row.slice(firstKey) as readonly (string | number | null)[];
const placeOf = (row: Tuple) => [...keysOf(row), row[0] as number];

type RawRow = { rid: number; id: string; version: number; last_updated: number; body: string | null; type?: number };

/** The reads of the port over one connection. Each call is one statement, so each sees one committed state. */
export class SqliteReader {
  private readonly terms: Terms;
  private readonly freeSlots: FreeSlots;
  private readonly worklistPages: WorklistPages;
  private readonly points: Readonly<Record<Columns, Map<number, string>>> = {
    'version, last_updated': new Map(),
    'version, last_updated, body': new Map(),
  };
  private readonly large = new Map<string, { readonly stored: Stored; readonly moment: number }>();
  private readonly prepared = new Map<string, Prepared>();
  private readonly worklists = new Map<string, Prepared<WorklistRun>>();
  /** the newest version of some types, as of a state of the file */
  private readonly newest = new Map<string, { readonly state: unknown; readonly page: Page }>();
  private readonly histories = new Map<string, Statement>();
  /** of a reader that lives long */
  private readonly freeSlotSearches: FreeSlotSearches | undefined;

  /**
   * `guarded`: searches end when the connection's checkpoint says so. `remembering`: it lives long, and answers searches of free slots from
   * the diaries that it keeps
   */
  constructor(
    private readonly connection: Connection,
    private readonly guarded = false,
    remembering = false,
  ) {
    this.terms = new Terms(connection);
    this.freeSlots = new FreeSlots(connection, this.terms);
    const ridsOf: RidsOf = (plan, sight, limit) =>
      this.searched('rids', { plan, sight, after: undefined, limit }).map(([rid]) => rid as number);
    this.freeSlotSearches = remembering ? new FreeSlotSearches(connection, this.terms, this.freeSlots, ridsOf) : undefined;
    this.worklistPages = new WorklistPages(connection, (query) => this.readWorklist(query));
  }

  find(key: Key, sight: Sight): Stored | undefined {
    this.terms.renew();
    if (key.type === 'CodeSystem') return this.findLarge(key, sight);
    const row = this.point('version, last_updated, body', key, sight);
    return row && storedAt(key, row);
  }

  /** A large text that seldom changes, and that many a command asks for: it is read again when its version is another. */
  private findLarge(key: Key, sight: Sight): Stored | undefined {
    const moment = this.connection.moment();
    const known = this.large.get(key.id);
    if (known && known.moment === moment && sight === 'all') return known.stored;
    const [version, lastUpdated] = known ? (this.point('version, last_updated', key, sight) ?? []) : [];
    const isSame = known !== undefined && known.stored.version === version && known.stored.lastUpdated === lastUpdated;
    const row = isSame ? undefined : this.point('version, last_updated, body', key, sight);
    const stored = isSame ? known.stored : row && storedAt(key, row);
    if (!stored) return undefined;
    if (this.large.size >= mostLarge) this.large.clear();
    this.large.set(key.id, { stored, moment });
    return stored;
  }

  private point(columns: Columns, key: Key, sight: Sight): Tuple | undefined {
    const keys = sight === 'all' ? [] : sight.keys;
    return this.connection.tuple(this.pointText(columns, sight), this.terms.find(key.type) ?? 0, key.id, ...keys, ...keys);
  }

  findVersion(key: Key, version: number, sight: Sight): Stored | undefined {
    const current = this.find(key, sight);
    if (!current || current.version === version) return current;
    const row = this.connection.get(
      'select v.rid, r.id, v.version, v.last_updated, v.body from resource r join resource_version v on v.rid = r.rid and v.version = ? where r.type = ? and r.id = ?',
      version,
      this.terms.find(key.type) ?? 0,
      key.id,
    );
    return row && this.stored(row, key.type);
  }

  findMany(keys: readonly Key[], sight: Sight): readonly Stored[] {
    return keys.flatMap((key) => this.find(key, sight) ?? []).filter((row) => row.body !== undefined);
  }

  search(plan: SearchPlan, sight: Sight): Page {
    const after = plan.after === undefined ? undefined : decodePosition(plan.after);
    if (after && after.length !== plan.sort.length + 1) throw new RangeError('the position of another search');
    const free = this.freeSlotSearches?.page(plan, sight, after);
    if (free) return free;
    // one row more than asked for tells that there is a next page
    const run: Run = { plan, sight, after, limit: plan.count + 1 };
    // only what is sorted by one value may be walked in its order
    const valued = plan.sort.length === 1 ? this.searched('valued', run) : [];
    const rows = valued.length > plan.count ? valued : this.searched('page', run);
    const shown = rows.slice(0, plan.count);
    const type = plan.contained === undefined ? plan.type : undefined;
    const page: Page = {
      rows: shown.map((row) => this.found(row, type)),
      next: rows.length > plan.count && shown.length > 0 ? encodePosition(placeOf(shown.at(-1)!)) : undefined,
    };
    if (plan.placed !== true) return page;
    return { ...page, places: shown.map((row): Place => ({ keys: keysOf(row), after: encodePosition(placeOf(row)) })) };
  }

  count(plan: SearchPlan, sight: Sight, limit: number): number {
    const free = this.freeSlotSearches?.count(plan, sight);
    if (free !== undefined) return Math.min(limit, free);
    return Number(this.searched('count', { plan, sight, after: undefined, limit })[0]?.[0] ?? 0);
  }

  /** Statements are made once for each shape of search. */
  private searched(what: 'page' | 'valued' | 'count' | 'rids', run: Run): readonly Tuple[] {
    const { plan, sight, after } = run;
    this.terms.renew();
    // looked at in the state that the statement reads: in a thread each of them has its own
    const isAlone = (type: string) => !this.guarded && this.terms.find(containedType(type)) === undefined;
    const shape = `${what} ${narrowTables[plan.type] && isAlone(plan.type) ? 'alone ' : ''}${shapeOf(plan, sight, after)}`;
    let prepared = this.prepared.get(shape);
    if (!prepared) {
      const builder = new SearchBuilder((text) => this.terms.find(text) ?? 0, sqlite, this.guarded, isAlone);
      const query = builder[what](plan, sight, after);
      prepared = query ? prepare(sqlite, query) : none;
      if (this.prepared.size > 1000) this.prepared.clear();
      this.prepared.set(shape, prepared);
    }
    return prepared === none ? [] : this.connection.tuples(prepared.text, ...parametersOf(prepared, run));
  }

  /** What is newest is asked for before each search of services: it is read again when something was committed since. */
  history(scope: HistoryScope, window: Window, sight: Sight): Page {
    if (window.count !== 1 || window.after !== undefined || sight !== 'all') return this.historyPage(scope, window, sight);
    const state = this.connection.get('pragma data_version')?.['data_version'];
    const key = JSON.stringify([scope, window]);
    const known = this.newest.get(key);
    if (known && known.state === state) return known.page;
    const page = this.historyPage(scope, window, sight);
    if (this.newest.size > 100) this.newest.clear();
    this.newest.set(key, { state, page });
    return page;
  }

  private historyPage(scope: HistoryScope, window: Window, sight: Sight): Page {
    this.terms.renew();
    const { text, parameters } = this.historyStatement(scope, window, sight);
    return this.pageOf(this.connection.all(text, ...parameters), window.count, undefined, (row) => [row['sequence'] as number]);
  }

  /** What is newest of a type is asked for again and again (see interactions/service-directory): the statement is made once. */
  private historyStatement(scope: HistoryScope, window: Window, sight: Sight): Statement {
    const key = sight === 'all' && window.after === undefined ? JSON.stringify([scope, window]) : undefined;
    const known = key === undefined ? undefined : this.histories.get(key);
    if (known) return known;
    const after = window.after === undefined ? undefined : Number(decodePosition(window.after)[0]);
    const unknown: string[] = [];
    const term = (text: string): number => {
      const number = this.terms.find(text);
      if (number === undefined) unknown.push(text);
      return number ?? 0;
    };
    const statement = sqlite.compile(historyQuery(sqlite, term, scope, window, sight, after));
    // a type that was never written may be written yet
    if (key === undefined || unknown.length > 0) return statement;
    if (this.histories.size > 100) this.histories.clear();
    this.histories.set(key, statement);
    return statement;
  }

  referrers(target: Key, sight: Sight, limit: number, of?: { readonly type: string; readonly param: string }): readonly Stored[] {
    this.terms.renew();
    const rid = sql`(select rid from resource where type = ${this.terms.find(target.type) ?? 0} and id = ${target.id})`;
    const sources = of === undefined ? this.allReferrers(rid) : this.referrersThrough(rid, of);
    const { text, parameters } = sqlite.compile(
      sql`select r.rid, r.id, r.type, r.version, r.last_updated, r.body from (${sources}) s cross join resource r on r.rid = s.rid where r.body is not null and ${sightTest(sqlite, sight, sql.raw('r.rid'))} order by r.rid limit ${limit}`,
    );
    return this.connection.all(text, ...parameters).map((row) => this.stored(row, undefined));
  }

  keysOf(key: Key): readonly string[] {
    return this.connection
      .all(
        'select a.key from resource r join access_key a on a.rid = r.rid where r.type = ? and r.id = ? and r.version > 0',
        this.terms.find(key.type) ?? 0,
        key.id,
      )
      .map((row) => String(row['key']));
  }

  labelled(type: string, limit: number): readonly Stored[] {
    const { text, parameters } = sqlite.compile(labelledQuery(sqlite, (name) => this.terms.find(name) ?? 0, type, limit));
    return this.connection.all(text, ...parameters).map((row) => this.stored(row, type));
  }

  findClaim(kind: ClaimKind, key: string): Claim | undefined {
    const row = this.connection.get('select owner, expires from claim where kind = ? and key = ?', kind, key) as
      { owner: string; expires: number | null } | undefined;
    return row && { kind, key, owner: row.owner, ...(row.expires === null ? {} : { expires: row.expires }) };
  }

  findEntry(kind: Entry['kind'], key: string): Entry | undefined {
    const row = this.connection.get('select key, version, body, expires from entry where kind = ? and key = ?', kind, key);
    return row && entryOf(kind, row);
  }

  listEntries(kind: Entry['kind']): readonly Entry[] {
    return this.connection
      .all('select key, version, body, expires from entry where kind = ? order by key', kind)
      .map((row) => entryOf(kind, row));
  }

  worklist(query: WorklistQuery): WorklistPage {
    return this.worklistPages.page(query);
  }

  private readWorklist(query: WorklistQuery): { readonly rows: readonly WorklistRow[]; readonly page: WorklistPage } {
    const run = worklistRun(query);
    const shape = worklistShape(query);
    const prepared = this.worklists.get(shape) ?? prepare<WorklistRun>(sqlite, gatheredWorklist(worklistQuery(sqlite, run, bindIn)));
    this.worklists.set(shape, prepared);
    const rows = gatheredRows(this.connection.tuple(prepared.text, ...parametersOf(prepared, run)) ?? []);
    return { rows, page: worklistPage(rows, query) };
  }

  availability(schedules: readonly string[], from: number, until: number): readonly DiaryAvailability[] {
    this.terms.renew();
    return this.freeSlots.availability(schedules, from, until);
  }

  auditChains(): readonly Omit<AuditLink, 'body'>[] {
    return this.connection.all(
      // from chain to chain by the primary key: never all links
      `with recursive chains(chain) as (
         select min(chain) from audit_link
         union all select (select min(chain) from audit_link where chain > chains.chain) from chains where chain is not null)
       select a.chain, a.number, a.hash from chains
         join audit_link a on a.chain = chains.chain and a.number = (select max(number) from audit_link b where b.chain = chains.chain)`,
    ) as readonly Omit<AuditLink, 'body'>[];
  }

  auditLinks(chain: string, after: number, limit: number): readonly AuditLink[] {
    return this.connection.all(
      'select chain, number, hash, body from audit_link where chain = ? and number > ? order by number limit ? + 0',
      chain,
      after,
      limit,
    ) as readonly AuditLink[];
  }

  private allReferrers(rid: ReturnType<typeof sql>) {
    const columns = Object.values(narrowTables).flatMap(({ table, columns: all }) =>
      all.filter(({ kind }) => kind === 'reference').map(({ column }) => ({ table, column })),
    );
    return sql.join(
      [
        sql`select rid from search_reference where target = ${rid}`,
        ...columns.map(({ table, column }) => sql`select rid from ${sql.table(table)} where ${sql.ref(column)} = ${rid}`),
      ],
      sql` union `,
    );
  }

  private referrersThrough(rid: ReturnType<typeof sql>, of: { readonly type: string; readonly param: string }) {
    const column = columnOf(of.type, of.param);
    return column
      ? sql`select rid from ${sql.table(column.table)} where ${sql.ref(column.column)} = ${rid}`
      : sql`select rid from search_reference where target = ${rid} and param = ${this.terms.find(`${of.type}.${homeParam(of.type, of.param)}`) ?? 0}`;
  }

  /** The hottest statement: compiled once for each number of access keys. */
  private pointText(columns: Columns, sight: Sight): string {
    const count = sight === 'all' ? -1 : sight.keys.length;
    const points = this.points[columns];
    let text = points.get(count);
    if (text === undefined) {
      text = sqlite.compile(
        sql`select ${sql.raw(columns)} from resource r where r.type = ${0} and r.id = ${''} and r.version > 0 and ${sightTest(sqlite, sight, sql.raw('r.rid'))}`,
      ).text;
      points.set(count, text);
    }
    return text;
  }

  private pageOf(
    rows: readonly Row[],
    count: number,
    type: string | undefined,
    position: (row: Row) => readonly (string | number | null)[],
  ): Page {
    const shown = rows.slice(0, count);
    const last = shown.at(-1);
    return {
      rows: shown.map((row) => this.stored(row, type)),
      next: rows.length > count && last ? encodePosition(position(last)) : undefined,
    };
  }

  private found([, id, number, version, lastUpdated, body]: Tuple, type: string | undefined): Stored {
    return {
      type: type ?? this.terms.textOf(number as number),
      id: id as string,
      version: version as number,
      lastUpdated: lastUpdated as number,
      body: (body as string | null) ?? undefined,
    };
  }

  private stored(row: Row, type: string | undefined): Stored {
    const raw = row as RawRow;
    return {
      type: type ?? this.terms.textOf(raw.type ?? 0),
      id: raw.id,
      version: raw.version,
      lastUpdated: raw.last_updated,
      body: raw.body ?? undefined,
    };
  }
}

const entryOf = (kind: Entry['kind'], row: Row): Entry => {
  const { key, version, body, expires } = row as { key: string; version: number; body: string; expires: number | null };
  return { kind, key, version, body, ...(expires === null ? {} : { expires }) };
};
