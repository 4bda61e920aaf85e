import { sql, type RawBuilder } from 'kysely';
import { worklistPage, worklistQuery, worklistRow, worklistRun } from '../queries/worklist.js';
import { columnOf, homeParam } from '../layout.js';
import type {
  AuditLink,
  Claim,
  ClaimKind,
  DiaryAvailability,
  Entry,
  HistoryScope,
  Key,
  Page,
  Reader,
  SearchPlan,
  Sort,
  Sight,
  Stored,
  Window,
  WorklistPage,
  WorklistQuery,
} from '../port.js';
import { availabilityQuery } from '../queries/availability.js';
import { parametersOf, prepare, type Prepared, type Run } from '../queries/bindings.js';
import { tsql, type Statement } from '../queries/dialect.js';
import { labelledQuery } from '../queries/labels.js';
import { decodePosition, encodePosition } from '../queries/position.js';
import { SearchBuilder } from '../queries/search.js';
import { shapeOf } from '../queries/shape.js';
import { sightTest } from '../queries/sight.js';
import { jsonText, meant, sentAs, withoutEscapes } from '../json-text.js';
import { keyText } from '../key-text.js';
import type { Reading, Row } from './database.js';
import { historyPage } from './history-page.js';
import type { Terms } from './terms.js';
import { Together } from './together.js';
import { referenceHomes } from './unit-batch.js';

type EntryName = { readonly kind: Entry['kind']; readonly key: string };
/** a search for which there is no such statement */
const none: Prepared = { text: '', parameters: [] };
type Position = readonly (string | number | null)[];

const bodyOf = (value: unknown): string | undefined => (Buffer.isBuffer(value) ? value.toString('utf8') : undefined);
/** Sort keys that are texts, which may look like numbers. */
const texts: ReadonlySet<Sort['kind']> = new Set<Sort['kind']>(['id', 'token', 'text', 'reference']);
/** A sort key as the position of a page has it: the driver gives bigint as text. */
const cell = ({ kind }: Sort, value: unknown): string | number | null =>
  typeof value === 'string' && !texts.has(kind) ? Number(value) : (value as string | number | null);

/** A list of texts as they stand in an index. What only begins like one is a text itself. */
const listAsKept = (json: string): string => {
  if (keyText(json) === json) return withoutEscapes(json);
  try {
    return jsonText(JSON.parse(json, (_name, value: unknown) => (typeof value === 'string' ? keyText(value) : value)));
  } catch {
    return keyText(json);
  }
};
/** Long texts stand in an index as their beginning with a hash; a list travels as JSON. */
const asKept = ({ text, parameters }: Statement): Statement => ({
  text,
  parameters: parameters.map((value) => (typeof value !== 'string' ? value : value.startsWith('[') ? listAsKept(value) : keyText(value))),
});

/** The reads of the port over one pool. Each call is one statement, so each sees one committed state. */
export class MssqlReader implements Reader {
  private unknown = new Set<string>();
  private readonly rows = new Together<Key, Stored>((keys) => this.findAll(keys));
  private readonly entries = new Together<EntryName, Entry>((wanted) => this.findEntries(wanted));
  private readonly lists = new Together<Entry['kind'], readonly Entry[]>((kinds) => this.findLists(kinds));

  constructor(
    private readonly database: Reading,
    private readonly terms: Terms,
    private readonly prepared = new Map<string, Prepared>(),
  ) {}

  /** The same reads over another connection, with the statements that were made so far. */
  over(database: Reading): MssqlReader {
    return new MssqlReader(database, this.terms, this.prepared);
  }

  at(): Reader {
    return this;
  }

  find(key: Key, sight: Sight): Promise<Stored | undefined> {
    return sight === 'all' ? this.rows.read(key) : this.findOne(key, sight);
  }

  private async findOne(key: Key, sight: Sight): Promise<Stored | undefined> {
    const [row] = await this.run(
      () => sql`select r.rid, r.id, r.version, r.last_updated, r.body from resource r
        where r.type = ${this.term(key.type)} and r.id = ${key.id} and r.version > 0 and ${sightTest(tsql, sight, sql.raw('r.rid'))}`,
    );
    return row && this.stored(row, key.type);
  }

  /** Each of the keys with its current version, also when that is a deletion. */
  private async findAll(keys: readonly Key[]): Promise<readonly (Stored | undefined)[]> {
    const [only] = keys;
    if (only && keys.length === 1) return [await this.findOne(only, 'all')];
    const rows = await this.run(() => {
      const wanted = JSON.stringify(keys.map(({ type, id }) => ({ t: this.term(type), i: id })));
      return sql`select r.rid, r.id, r.type, r.version, r.last_updated, r.body
        from (select distinct k.type, k.id from openjson(${wanted}) with (type int '$.t', id nvarchar(64) '$.i') k) w
        ${tsql.join} resource r on r.type = w.type and r.id = w.id collate Latin1_General_BIN2 where r.version > 0`;
    });
    const found = new Map((await this.storedOfTypes(rows)).map((row) => [`${row.type}/${row.id}`, row]));
    return keys.map(({ type, id }) => found.get(`${type}/${id}`));
  }

  async findVersion(key: Key, version: number, sight: Sight): Promise<Stored | undefined> {
    const [row] = await this.run(
      () => sql`select r.rid, r.id, ${version} as version, case when r.version = ${version} then r.last_updated else v.last_updated end as last_updated,
          case when r.version = ${version} then r.body else v.body end as body
        from resource r left join resource_version v on v.rid = r.rid and v.version = ${version}
        where r.type = ${this.term(key.type)} and r.id = ${key.id} and (r.version = ${version} or v.version = ${version}) and r.version > 0
          and ${sightTest(tsql, sight, sql.raw('r.rid'))}`,
    );
    return row && this.stored(row, key.type);
  }

  async findMany(keys: readonly Key[], sight: Sight): Promise<readonly Stored[]> {
    if (keys.length === 0) return [];
    const rows = await this.run(() => {
      const wanted = JSON.stringify(keys.map(({ type, id }) => ({ t: this.term(type), i: id })));
      return sql`select r.rid, r.id, r.type, r.version, r.last_updated, r.body
        from (select distinct k.type, k.id from openjson(${wanted}) with (type int '$.t', id nvarchar(64) '$.i') k) w
        ${tsql.join} resource r on r.type = w.type and r.id = w.id collate Latin1_General_BIN2
        where r.body is not null and ${sightTest(tsql, sight, sql.raw('r.rid'))}`;
    });
    return this.storedOfTypes(rows);
  }

  async search(plan: SearchPlan, sight: Sight): Promise<Page> {
    const after = plan.after === undefined ? undefined : decodePosition(plan.after);
    if (after && after.length !== plan.sort.length + 1) throw new RangeError('the position of another search');
    // one row more than asked for tells that there is a next page
    const rows = await this.pageRows({ plan, sight, after, limit: plan.count + 1 });
    const shown = rows.slice(0, plan.count);
    const last = shown.at(-1);
    const keysOf = (row: Row): Position => plan.sort.map((sort, index) => cell(sort, row[`k${String(index)}`]));
    const position = (row: Row): Position => [...keysOf(row), Number(row['rid'])];
    return {
      ...(plan.placed === true ? { places: shown.map((row) => ({ keys: keysOf(row), after: encodePosition(position(row)) })) } : {}),
      rows: plan.contained === undefined ? shown.map((row) => this.stored(row, plan.type)) : await this.storedOfTypes(shown),
      next: rows.length > plan.count && last ? encodePosition(position(last)) : undefined,
    };
  }

  async count(plan: SearchPlan, sight: Sight, limit: number): Promise<number> {
    const [row] = await this.searched('count', { plan, sight, after: undefined, limit });
    return Number(row?.['n'] ?? 0);
  }

  /** The plan's "is there a match" as a test inside a batch, among the rows that its sight shows. */
  async test(plan: SearchPlan & { readonly sight?: Sight }): Promise<Statement> {
    const statement = await this.statement('count', { plan, sight: plan.sight ?? 'all', after: undefined, limit: 1 });
    if (statement === undefined) throw new Error('a count has a statement');
    return statement;
  }

  /** What is sorted by one value may be walked in its order, and ends there when the page is full. */
  private async pageRows(run: Run): Promise<readonly Row[]> {
    const valued = run.plan.sort.length === 1 ? await this.searched('valued', run) : [];
    return valued.length === run.limit ? valued : this.searched('page', run);
  }

  private async searched(what: 'page' | 'valued' | 'count', run: Run): Promise<readonly Row[]> {
    const statement = await this.statement(what, run);
    return statement === undefined ? [] : this.database.readCompiled(statement);
  }

  /** Statements are made once for each shape of search; a run that names terms this process never saw looks them up first. */
  private async statement(what: 'page' | 'valued' | 'count', run: Run): Promise<Statement | undefined> {
    const { plan, sight, after } = run;
    const shape = `${what} ${shapeOf(plan, sight, after)}`;
    let prepared = this.prepared.get(shape);
    if (!prepared) {
      const builder = new SearchBuilder((text) => this.term(text), tsql);
      const query = what === 'count' ? builder.count(plan, sight) : builder[what](plan, sight, after);
      prepared = query ? prepare(tsql, query) : none;
      if (this.prepared.size > 1000) this.prepared.clear();
      this.prepared.set(shape, prepared);
    }
    if (prepared === none) return undefined;
    this.unknown = new Set();
    const parameters = parametersOf(prepared, run);
    const wanted = [...this.unknown];
    const { text } = prepared;
    if (wanted.length === 0) return asKept({ text, parameters });
    await this.lookUp(wanted);
    return asKept({ text, parameters: parametersOf(prepared, run) });
  }

  async history(scope: HistoryScope, window: Window, sight: Sight): Promise<Page> {
    const before = window.after === undefined ? undefined : decodePosition(window.after)[0];
    const rows = await this.run(() => historyPage((text) => this.term(text), scope, window, before ?? null, sight));
    const shown = rows.slice(0, window.count);
    const last = shown.at(-1);
    return {
      rows: await this.storedOfTypes(shown),
      next: rows.length > window.count && last ? encodePosition([Number(last['sequence'])]) : undefined,
    };
  }

  async labelled(type: string, limit: number): Promise<readonly Stored[]> {
    const rows = await this.run(() => labelledQuery(tsql, (text) => this.term(text), type, limit));
    return rows.map((row) => this.stored(row, type));
  }

  async referrers(
    target: Key,
    sight: Sight,
    limit: number,
    of?: { readonly type: string; readonly param: string },
  ): Promise<readonly Stored[]> {
    const rows = await this.run(() => {
      const rid = sql`(select x.rid from resource x where x.type = ${this.term(target.type)} and x.id = ${target.id})`;
      const homes = of === undefined ? this.allHomes(rid) : [this.homeOf(rid, of)];
      return sql`select r.rid, r.id, r.type, r.version, r.last_updated, r.body
        from (select distinct u.rid from (${sql.join(homes, sql` union all `)}) u) s ${tsql.join} resource r on r.rid = s.rid
        where r.body is not null and ${sightTest(tsql, sight, sql.raw('r.rid'))} order by r.rid ${tsql.limit(limit)}`;
    });
    return this.storedOfTypes(rows);
  }

  private allHomes(rid: RawBuilder<unknown>): readonly RawBuilder<unknown>[] {
    return referenceHomes().map(({ table, column }) => sql`select h.rid from ${sql.table(table)} h where h.${sql.ref(column)} = ${rid}`);
  }

  private homeOf(rid: RawBuilder<unknown>, of: { readonly type: string; readonly param: string }): RawBuilder<unknown> {
    const column = columnOf(of.type, of.param);
    return column
      ? sql`select h.rid from ${sql.table(column.table)} h where h.${sql.ref(column.column)} = ${rid}`
      : sql`select h.rid from search_reference h where h.target = ${rid} and h.param = ${this.term(`${of.type}.${homeParam(of.type, of.param)}`)}`;
  }

  async keysOf(key: Key): Promise<readonly string[]> {
    const rows = await this.run(
      () => sql`select a.[key] as access_key from resource r inner join access_key a on a.rid = r.rid
        where r.type = ${this.term(key.type)} and r.id = ${key.id} and r.version > 0`,
    );
    return rows.map((row) => String(row['access_key']));
  }

  async findClaim(kind: ClaimKind, key: string): Promise<Claim | undefined> {
    const [row] = await this.database.read('select owner, expires from claim where kind = @kind and [key] = @key', { kind, key });
    if (!row) return undefined;
    return { kind, key, owner: String(row['owner']), ...(row['expires'] === null ? {} : { expires: Number(row['expires']) }) };
  }

  findEntry(kind: Entry['kind'], key: string): Promise<Entry | undefined> {
    return this.entries.read({ kind, key });
  }

  private async findEntries(wanted: readonly EntryName[]): Promise<readonly (Entry | undefined)[]> {
    const [only] = wanted;
    if (only && wanted.length === 1) {
      const [row] = await this.database.read(
        'select kind, [key] as entry_key, version, body, expires from entry where kind = @kind and [key] = @key',
        only,
      );
      return [row && entryOf(row)];
    }
    const rows = await this.database.read(
      `select e.kind, e.[key] as entry_key, e.version, e.body, e.expires
       from openjson(@wanted) with (kind nvarchar(30) '$.kind', entry_key nvarchar(400) '$.key') w
       inner join entry e on e.kind = w.kind collate Latin1_General_BIN2 and e.[key] = translate(w.entry_key, @sent_as, @meant) collate Latin1_General_BIN2`,
      { sent_as: sentAs, meant, wanted: jsonText([...new Map(wanted.map((name) => [`${name.kind} ${name.key}`, name])).values()]) },
    );
    const found = new Map(rows.map((row) => [`${String(row['kind'])} ${String(row['entry_key'])}`, entryOf(row)]));
    return wanted.map(({ kind, key }) => found.get(`${kind} ${key}`));
  }

  async listEntries(kind: Entry['kind']): Promise<readonly Entry[]> {
    return (await this.lists.read(kind)) ?? [];
  }

  private async findLists(kinds: readonly Entry['kind'][]): Promise<readonly (readonly Entry[])[]> {
    const read = async (kind: Entry['kind']): Promise<readonly Entry[]> => {
      const rows = await this.database.read(
        'select kind, [key] as entry_key, version, body, expires from entry where kind = @kind order by [key]',
        { kind },
      );
      return rows.map(entryOf);
    };
    const lists = new Map([...new Set(kinds)].map((kind) => [kind, read(kind)]));
    return Promise.all(kinds.map((kind) => lists.get(kind) ?? Promise.resolve([])));
  }

  async worklist(query: WorklistQuery): Promise<WorklistPage> {
    const rows = await this.run(() => worklistQuery(tsql, worklistRun(query)));
    return worklistPage(
      rows.map((row) => worklistRow(row, (item) => bodyOf(item) ?? '')),
      query,
    );
  }

  async availability(schedules: readonly string[], from: number, until: number): Promise<readonly DiaryAvailability[]> {
    const rows = await this.run(() => availabilityQuery(tsql, (text) => this.term(text), schedules, from, until));
    return rows.map((row) => ({
      schedule: String(row['schedule']),
      count: Number(row['n']),
      first: row['id'] === null ? undefined : this.stored(row, 'Slot'),
    }));
  }

  async auditChains(): Promise<readonly Omit<AuditLink, 'body'>[]> {
    const rows = await this.database.read(
      `select a.chain, a.number, a.hash from audit_link a
       inner join (select chain, max(number) as number from audit_link group by chain) last on last.chain = a.chain and last.number = a.number`,
    );
    return rows.map((row) => ({ chain: String(row['chain']), number: Number(row['number']), hash: String(row['hash']) }));
  }

  async auditLinks(chain: string, after: number, limit: number): Promise<readonly AuditLink[]> {
    const rows = await this.database.read(
      `select chain, number, hash, body from audit_link where chain = @chain and number > @after
       order by number offset 0 rows fetch next @limit rows only`,
      { chain, after, limit },
    );
    return rows.map((row) => ({
      chain: String(row['chain']),
      number: Number(row['number']),
      hash: String(row['hash']),
      body: bodyOf(row['body']) ?? '',
    }));
  }

  /**
   * Numbers of terms that this process never saw. The name of a contained type is written where nobody did so far: searches along
   * references name it, whether there are such resources or not, and each would look for it again.
   */
  private async lookUp(wanted: readonly string[]): Promise<void> {
    await this.terms.intern(wanted.filter((text) => text.startsWith('#') && this.terms.known(text.slice(1)) !== undefined));
    await this.terms.find(wanted);
  }

  private term(text: string): number {
    const number = this.terms.known(text);
    if (number === undefined) this.unknown.add(text);
    // no row has it
    return number ?? 0;
  }

  /** Builds a statement; when it has terms that this process never saw, looks them up and builds it again. */
  private async compiled(build: () => RawBuilder<unknown>): Promise<Statement> {
    this.unknown = new Set();
    const first = tsql.compile(build());
    if (this.unknown.size === 0) return first;
    const wanted = [...this.unknown];
    await this.lookUp(wanted);
    return wanted.some((text) => this.terms.known(text) !== undefined) ? tsql.compile(build()) : first;
  }

  private async run(build: () => RawBuilder<unknown>): Promise<readonly Row[]> {
    return this.database.readCompiled(asKept(await this.compiled(build)));
  }

  private stored(row: Row, type: string): Stored {
    return {
      type,
      id: String(row['id']),
      version: Number(row['version']),
      lastUpdated: Number(row['last_updated']),
      body: bodyOf(row['body']),
    };
  }

  private async storedOfTypes(rows: readonly Row[]): Promise<readonly Stored[]> {
    const typeOf = await this.terms.textOf(rows.map((row) => Number(row['type'])));
    return rows.map((row) => this.stored(row, typeOf(Number(row['type']))));
  }
}

const entryOf = (row: Row): Entry => ({
  kind: row['kind'] as Entry['kind'],
  key: String(row['entry_key']),
  version: Number(row['version']),
  body: bodyOf(row['body']) ?? '',
  ...(row['expires'] === null ? {} : { expires: Number(row['expires']) }),
});
