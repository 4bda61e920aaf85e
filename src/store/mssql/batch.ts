import { narrowTables, type NarrowColumn } from '../layout.js';
import { indexTables, kinds, type Kind } from '../sqlite/write-values.js';
import { sentOf, type Sent, type Size } from './sent-lists.js';
import { thrown } from './server-errors.js';

/** What a unit has of each, which decides the text of its batch: units of one shape share a text, and the server its plan. */
export type Shape = {
  readonly unmatched: readonly string[];
  readonly expects: boolean;
  readonly releases: boolean;
  readonly claims: boolean;
  readonly entries: boolean;
  /** new values of some parameters of rows that stay */
  readonly reindexes: boolean;
  /** new values of all parameters of rows that stay; then there are no puts */
  readonly whole: boolean;
  readonly worklists: boolean;
  readonly audit: boolean;
  readonly puts: boolean;
  /** some puts write over a row: version > 0 */
  readonly updates: boolean;
  readonly deletes: boolean;
  readonly targets: boolean;
  readonly kinds: readonly Kind[];
  readonly narrow: readonly string[];
  readonly accessKeys: boolean;
  readonly accessLinks: boolean;
  /** references must resolve, and what is referred to cannot be deleted */
  readonly integrity: boolean;
  readonly size: Size;
};

// a JSON value has the database's own collation: named here, so that it can be compared with ids and codes, and seeks them
const exact = (value: string): string => `${value} collate Latin1_General_BIN2`;

/** A text as it was before it travelled in JSON: see store/json-text. */
const arrived = (text: string): string => `translate(${text}, @sent_as, @meant)`;

const sameRow = (left: string): string => `r.type = ${left}.type and r.id = ${exact(`${left}.id`)}`;

/** Names the first offender by its place in the list that was sent; when none is found the race has moved on: sent again. */
const refuse = (number: number, list: string, offender: string, before = ''): string => `begin
  ${before}
  if @@trancount > 0 rollback transaction;
  ${offender}
  if @bad is null begin; throw ${String(thrown.again)}, 'again', 1; end;
  set @what = concat('${list} ', @bad);
  throw ${String(number)}, @what, 1;
end;`;

const unmatched = (counts: readonly string[]): string =>
  [
    // whoever commits resources waits for this row: nothing that would match can be committed in between
    'update commit_order set sequence = sequence where id = 1;',
    ...counts.map(
      (count) => `${count.replace('select count(*) as n from', 'select @done = count(*) from')};
if @done > 0 begin; rollback transaction; throw ${String(thrown.matched)}, 'matched', 1; end;`,
    ),
  ].join('\n');

// a conditional update that changes nothing: the row stays as it is until this commits
const expects = (sent: Sent): string => `update r set version = r.version from ${sent.expects} e inner join resource r on ${sameRow('e')}
  where r.version = e.version and r.body is not null;
set @done = @@rowcount;
if @done <> @expected ${refuse(
  thrown.stale,
  'expects',
  `set @bad = (select min(e.n) from ${sent.expects} e left join resource r on ${sameRow('e')}
    where r.rid is null or r.version <> e.version or r.body is null);`,
)}`;

const claimOn = `c.kind = ${exact('w.kind')} and c.[key] = ${exact(arrived('w.claim_key'))}`;
const releases = (sent: Sent): string =>
  `delete c from claim c inner join ${sent.releases} w on ${claimOn} and c.owner = ${exact('w.owner')};`;
const claims = (
  sent: Sent,
): string => `update c set owner = w.owner, expires = w.expires from ${sent.claims} w inner join claim c on ${claimOn}
  where c.expires <= @now or (c.owner = ${exact('w.owner')} and c.kind <> 'jti');
set @done = @@rowcount;
insert into claim (kind, [key], owner, expires) select w.kind, ${arrived('w.claim_key')}, w.owner, w.expires from ${sent.claims} w
  where not exists (select 1 as one from claim c where ${claimOn});
set @done = @done + @@rowcount;
if @done <> @claimed ${refuse(
  thrown.taken,
  'claims',
  `set @bad = (select min(w.n) from ${sent.claims} w inner join claim c on ${claimOn}
    where (c.expires is null or c.expires > @now) and (c.owner <> ${exact('w.owner')} or c.kind = 'jti'));`,
)}`;

const entryOn = `e.kind = ${exact('w.kind')} and e.[key] = ${exact(arrived('w.entry_key'))}`;
const entryBody = 'substring(@entry_bodies, w.start, w.length)';
const entries = (
  sent: Sent,
): string => `update e set version = e.version + 1, body = ${entryBody}, expires = w.expires from ${sent.entries} w
  inner join entry e on ${entryOn} where e.version = w.version and w.length is not null;
set @done = @@rowcount;
delete e from entry e inner join ${sent.entries} w on ${entryOn} where e.version = w.version and w.length is null;
set @done = @done + @@rowcount;
insert into entry (kind, [key], version, body, expires) select w.kind, ${arrived('w.entry_key')}, 1, ${entryBody}, w.expires from ${sent.entries} w
  where w.version = 0 and w.length is not null and not exists (select 1 as one from entry e where ${entryOn});
set @done = @done + @@rowcount;
if @done <> @entered ${refuse(
  thrown.stale,
  'entries',
  `set @bad = (select min(w.n) from ${sent.entries} w left join entry e on ${entryOn} where coalesce(e.version, 0) <> w.version
    or (w.version = 0 and w.length is null));`,
)}`;

const worklists = (sent: Sent): string => `delete w from worklist w inner join ${sent.listed} l on w.referral = ${exact('l.referral')};
insert into worklist (referral, list, owner, authored, service, specialty, until, due, item)
  select p.referral, p.list, p.owner, p.authored, p.service, p.specialty, p.until, p.due, substring(@items, p.start, p.length) from ${sent.places} p;`;

const body = 'case when p.length is null then null else substring(@bodies, p.start, p.length) end';
// version 0: a row that was only referred to so far takes its first version in place
const rows = ({ updates }: Shape, sent: Sent): string => `${
  updates
    ? `insert into resource_version (rid, version, last_updated, body) select r.rid, r.version, r.last_updated, r.body
  from ${sent.puts} p inner join resource r on ${sameRow('p')} where r.version = p.version and r.version > 0;`
    : ''
}
update r set version = p.version + 1, last_updated = p.last_updated, body = ${body}
  from ${sent.puts} p inner join resource r on ${sameRow('p')} where r.version = p.version;
set @done = @@rowcount;
insert into resource (rid, type, id, version, last_updated, body)
  select next value for resource_rid, p.type, p.id, 1, p.last_updated, ${body}
  from ${sent.puts} p where p.version = 0 and not exists (select 1 as one from resource r where ${sameRow('p')});
set @done = @done + @@rowcount;
if @done <> @written ${refuse(
  thrown.stale,
  'puts',
  `set @bad = (select min(p.n) from ${sent.puts} p left join resource r on ${sameRow('p')} where coalesce(r.version, 0) <> p.version);`,
)}
insert into @row (n, rid, gone) select p.n, r.rid, case when p.length is null then 1 else 0 end
  from ${sent.puts} p inner join resource r on ${sameRow('p')};
insert into live (rid) select w.rid from ${sent.row} w where w.gone = 0 and not exists (select 1 as one from live l where l.rid = w.rid);`;

// 2: a row that stays as it is, with its keys and links, and of which only the values are new
const wholeRows = (sent: Sent): string => `update r set version = r.version from ${sent.whole} e inner join resource r on ${sameRow('e')}
  where r.version = e.version and r.body is not null;
insert into @row (n, rid, gone) select e.n, r.rid, 2 from ${sent.whole} e inner join resource r on ${sameRow('e')}
  where r.version = e.version and r.body is not null;`;

const placeholders = (of: string): string => `insert into resource (rid, type, id, version, last_updated, body)
  select next value for resource_rid, t.type, t.id, 0, 0, null from ${of} t
  where not exists (select 1 as one from resource r where ${sameRow('t')});
insert into live (rid) select r.rid from ${of} t inner join resource r on ${sameRow('t')}
  where not exists (select 1 as one from live l where l.rid = r.rid);`;

const foundTargets = ({ integrity }: Shape, sent: Sent): string => `${integrity ? '' : placeholders(sent.targets)}
insert into @target (n, rid) select t.n, r.rid from ${sent.targets} t inner join resource r on ${sameRow('t')}
  inner join live l on l.rid = r.rid;`;
const targets = (shape: Shape, sent: Sent): string => `${foundTargets(shape, sent)}
if @@rowcount <> @targeted ${refuse(
  thrown.unresolved,
  'targets',
  '',
  `set @bad = (select min(t.n) from ${sent.targets} t where not exists (select 1 as one from ${sent.target} f where f.n = t.n));`,
)}`;

const sqlType = (column: string): string => {
  if (['code', 'value', 'word'].includes(column)) return 'nvarchar(400)';
  return ['low', 'high', 'x', 'y', 'z'].includes(column) ? 'float' : 'int';
};

const isText = (column: string): boolean => sqlType(column) === 'nvarchar(400)';
/** A cell of an index row as it is written. */
const cellOf = (column: string): string => (column === 'target' ? 't.rid' : isText(column) ? arrived(`x.${column}`) : `x.${column}`);

const sentRows = (name: string, columns: readonly string[]): string =>
  `openjson(@${name}) with (n int '$.n', param int '$.p', ${columns.map((column, at) => `${column} ${sqlType(column)} '$.c${String(at)}'`).join(', ')})`;

/** Index rows of one kind: after an update only what differs is written. */
const indexRows = (kind: Kind, updates: boolean, some: boolean, sent: Sent): string => {
  const [table, ...columns] = indexTables[kind];
  const from = `${sentRows(kind, columns)} x inner join ${sent.row} w on w.n = x.n${kind === 'reference' ? ` inner join ${sent.target} t on t.n = x.target` : ''}`;
  const equal = [
    'x.param = s.param',
    ...columns.map((column) => `s.${column} = ${isText(column) ? exact(cellOf(column)) : cellOf(column)}`),
  ].join(' and ');
  const remove = `delete s from ${table} s inner join ${sent.row} o on o.rid = s.rid
  ${some ? `where not exists (select 1 as one from ${from} where w.rid = s.rid and ${equal})` : ''};`;
  const add = `insert into ${table} (rid, param, ${columns.join(', ')}) select w.rid, x.param, ${columns.map(cellOf).join(', ')} from ${from}
  ${updates ? `where not exists (select 1 as one from ${table} s where s.rid = w.rid and ${equal})` : ''};`;
  return `${updates ? remove : ''}\n${some ? add : ''}`;
};

/** The columns of a narrow table as they are sent: a span has two. */
export const cellNames = (columns: readonly NarrowColumn[]): readonly { readonly name: string; readonly kind: NarrowColumn['kind'] }[] =>
  columns.flatMap(({ column, kind }) => [
    { name: column, kind },
    ...((kind as string) === 'span' ? [{ name: `${column}_end`, kind }] : []),
  ]);

const cellType = (kind: string): string => (kind === 'span' ? 'float' : kind === 'instant' ? 'bigint' : 'int');

/** The days of the unit's free slots, as their rows stand. */
const slotDays = (
  change: 1 | -1,
  sent: Sent,
): string => `insert into @day (schedule, day, n) select h.schedule, h.start_at / 86400000, ${String(change)}
  from slot_index h inner join ${sent.row} w on w.rid = h.rid inner join term t on t.id = h.status
  where t.text = 'free' and h.schedule is not null and h.start_at is not null;`;
const countDays = (
  sent: Sent,
): string => `update s set free = s.free + d.n from slot_day s inner join ${sent.days} d on d.schedule = s.schedule and d.day = s.day;
insert into slot_day (schedule, day, free) select d.schedule, d.day, d.n from ${sent.days} d
  where not exists (select 1 as one from slot_day s where s.schedule = d.schedule and s.day = d.day);`;

const narrowRows = (table: string, columns: readonly NarrowColumn[], updates: boolean, sent: Sent): string => {
  const cells = cellNames(columns);
  const listed = `openjson(@${table}) with (n int '$.n', ${cells.map(({ name, kind }) => `${name} ${cellType(kind)} '$.${name}'`).join(', ')})`;
  const joins = cells
    .filter(({ kind }) => kind === 'reference')
    .map(({ name }) => ` left join ${sent.target} t_${name} on t_${name}.n = x.${name}`)
    .join('');
  const values = cells.map(({ name, kind }) => (kind === 'reference' ? `t_${name}.rid` : `x.${name}`));
  const isSlot = table === 'slot_index';
  return `${isSlot ? `declare @day table (schedule bigint not null, day bigint not null, n int not null);\n${updates ? slotDays(-1, sent) : ''}` : ''}
${updates ? `delete h from ${table} h inner join ${sent.row} w on w.rid = h.rid;` : ''}
insert into ${table} (rid, ${cells.map(({ name }) => name).join(', ')}) select w.rid, ${values.join(', ')}
  from ${listed} x inner join ${sent.row} w on w.n = x.n${joins};
${isSlot ? `${slotDays(1, sent)}\n${countDays(sent)}` : ''}`;
};

/**
 * New index values of rows that stay. The conditional update that changes nothing keeps each row at its version until the commit; one
 * that moved on is passed over.
 */
const reindexRows = ({ integrity }: Shape, sent: Sent): string => {
  const names = `openjson(@re_params) with (n int '$.n', name nvarchar(400) '$.name')`;
  const name = exact('x.name');
  const kept = `t.text = ${name} or left(t.text, len(x.name) + 1) in (concat(${name}, '|'), concat(${name}, '$'))`;
  return `declare @again table (n int not null primary key, rid bigint not null);
declare @renamed table (rid bigint not null, param int not null, primary key (rid, param));
declare @retarget table (n int not null primary key, rid bigint not null);
update r set version = r.version from ${sent.re_rows} e inner join resource r on ${sameRow('e')} where r.version = e.version and r.body is not null;
insert into @again (n, rid) select e.n, r.rid from ${sent.re_rows} e inner join resource r on ${sameRow('e')}
  where r.version = e.version and r.body is not null;
insert into @renamed (rid, param) select distinct w.rid, t.id from ${names} x inner join ${sent.again} w on w.n = x.n inner join term t on ${kept};
${integrity ? '' : placeholders(sent.re_targets)}
insert into @retarget (n, rid) select t.n, r.rid
  from ${sent.re_targets} t inner join resource r on ${sameRow('t')}
  inner join live l on l.rid = r.rid;
${kinds
  .filter((kind) => kind !== 'word')
  .map((kind) => reindexKind(kind, sent))
  .join('\n')}`;
};

const reindexKind = (kind: Kind, sent: Sent): string => {
  const [table, ...columns] = indexTables[kind];
  return `delete s from ${table} s inner join ${sent.again} w on w.rid = s.rid
  where exists (select 1 as one from @renamed o where o.rid = s.rid and o.param = s.param);
insert into ${table} (rid, param, ${columns.join(', ')}) select w.rid, x.param, ${columns.map(cellOf).join(', ')}
  from ${sentRows(`re_${kind}`, columns)} x inner join ${sent.again} w on w.n = x.n${kind === 'reference' ? ' inner join @retarget t on t.n = x.target' : ''};`;
};

const accessKeys = ({ updates, accessKeys: some }: Shape, sent: Sent): string => {
  const from = `${sent.keys} x inner join ${sent.row} w on w.n = x.n`;
  // a deleted row keeps its keys: 410 is only for who could have read it
  return `${
    updates
      ? `delete a from access_key a inner join ${sent.row} o on o.rid = a.rid and o.gone = 0
  ${some ? `where not exists (select 1 as one from ${from} where w.rid = a.rid and a.[key] = ${exact('x.access_key')})` : ''};`
      : ''
  }
${
  some
    ? `insert into access_key (rid, [key]) select w.rid, x.access_key from ${from}
  where not exists (select 1 as one from access_key a where a.rid = w.rid and a.[key] = ${exact('x.access_key')});`
    : ''
}`;
};

const accessLinks = ({ updates, accessLinks: some }: Shape, sent: Sent): string => `${
  updates ? `delete l from access_link l inner join ${sent.row} w on w.rid = l.source and w.gone = 0;` : ''
}
${
  some
    ? `insert into access_link (child, root, source) select distinct child.rid, root.rid, w.rid from ${sent.links} x
  inner join ${sent.row} w on w.n = x.n
  inner join resource child on child.type = x.child_type and child.id = ${exact('x.child_id')}
  inner join resource root on root.type = x.root_type and root.id = ${exact('x.root_id')};`
    : ''
}`;

const referenceColumns = Object.values(narrowTables).flatMap(({ table, columns }) =>
  columns.filter(({ kind }) => kind === 'reference').map(({ column }) => ({ table, column })),
);
const deletes = (sent: Sent): string => `set @bad = (select min(w.n) from ${sent.row} w where w.gone = 1 and (
  exists (select 1 as one from search_reference s where s.target = w.rid)
  ${referenceColumns.map(({ table, column }) => `or exists (select 1 as one from ${table} h where h.${column} = w.rid)`).join('\n  ')}));
if @bad is not null ${refuse(thrown.referenced, 'puts', '')}
delete l from live l inner join ${sent.row} w on w.rid = l.rid where w.gone = 1;`;

const audit = 'insert into audit_link (chain, number, hash, body) values (@chain, @link, @hash, @audit);';

// last, because whoever commits resources waits here for the one before: the shorter from here to the commit the better
const order = (sent: Sent): string => `update commit_order set sequence = sequence + @written,
  committed_at = case when committed_at >= @floor then committed_at + 1 else @floor end where id = 1;
select @sequence = sequence, @now = committed_at from commit_order where id = 1;
insert into commit_log (sequence, committed_at, type, rid, version)
  select @sequence - @written + p.n + 1, @now, p.type, w.rid, p.version + 1 from ${sent.puts} p inner join ${sent.row} w on w.n = p.n;`;

/** What was there is removed of every kind, what is new is written where there is any. */
const valueSections = ({ kinds: some, narrow }: Shape, updates: boolean, sent: Sent): readonly string[] => [
  ...kinds.filter((kind) => updates || some.includes(kind)).map((kind) => indexRows(kind, updates, some.includes(kind), sent)),
  ...Object.values(narrowTables)
    .filter(({ table }) => narrow.includes(table))
    .map(({ table, columns }) => narrowRows(table, columns, updates, sent)),
];

const putSections = (shape: Shape, sent: Sent): readonly string[] => [
  rows(shape, sent),
  shape.targets ? targets(shape, sent) : '',
  ...valueSections(shape, shape.updates, sent),
  accessKeys(shape, sent),
  accessLinks(shape, sent),
  shape.deletes && shape.integrity ? deletes(sent) : '',
];

/**
 * The one batch, and one round trip, of a unit. XACT_ABORT rolls all of it back with any error. Nothing in it rests on a lock hint:
 * versions are conditional updates, names are unique indexes, references are foreign keys, and the order of commits is a row that
 * each holds to its end.
 */
export const batchText = (shape: Shape): string => {
  const sent = sentOf(shape.size);
  return [
    'set nocount on; set xact_abort on;',
    'declare @done int, @bad int, @what nvarchar(200), @now bigint, @sequence bigint, @floor bigint;',
    shape.puts || shape.whole ? 'declare @row table (n int not null primary key, rid bigint not null, gone int not null);' : '',
    shape.puts || shape.whole ? 'declare @target table (n int not null primary key, rid bigint not null);' : '',
    "set @now = datediff_big(millisecond, '19700101', sysutcdatetime());",
    'begin transaction;',
    shape.unmatched.length > 0 ? unmatched(shape.unmatched) : '',
    shape.expects ? expects(sent) : '',
    shape.releases ? releases(sent) : '',
    shape.claims ? claims(sent) : '',
    ...(shape.puts ? putSections(shape, sent) : []),
    ...(shape.whole ? [wholeRows(sent), foundTargets(shape, sent), ...valueSections(shape, true, sent)] : []),
    shape.entries ? entries(sent) : '',
    shape.worklists ? worklists(sent) : '',
    shape.reindexes ? reindexRows(shape, sent) : '',
    shape.audit ? audit : '',
    shape.puts ? `set @floor = case when @latest > @now then @latest else @now end;\n${order(sent)}` : '',
    'commit transaction;',
  ]
    .filter((section) => section.trim() !== '')
    .join('\n');
};

/**
 * What ends the transaction of a unit whose rows went in by bulk loads: counters of slots, the audit, and the order of commits.
 * `@puts` and `@rows` say what was written.
 */
export const loadedText = ({ slots, audit: audited }: { readonly slots: boolean; readonly audit: boolean }): string =>
  [
    'set nocount on; set xact_abort on;',
    'declare @now bigint, @sequence bigint, @floor bigint;',
    'declare @row table (n int not null primary key, rid bigint not null, gone int not null);',
    "insert into @row (n, rid, gone) select x.n, x.rid, 0 from openjson(@rows) with (n int '$.n', rid bigint '$.rid') x;",
    slots
      ? `declare @day table (schedule bigint not null, day bigint not null, n int not null);\n${slotDays(1, sentOf('many'))}\n${countDays(sentOf('many'))}`
      : '',
    audited ? audit : '',
    "set @now = datediff_big(millisecond, '19700101', sysutcdatetime());",
    'set @floor = case when @latest > @now then @latest else @now end;',
    order(sentOf('many')),
  ]
    .filter((section) => section !== '')
    .join('\n');
