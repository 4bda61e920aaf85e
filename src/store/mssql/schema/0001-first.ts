import type { Step } from './scripts.js';

/**
 * The first schema on SQL Server. Numbered scripts are never edited once released: add the next one.
 *
 * Clustered keys grow with time (rid from a sequence, commit number), so that rows of a write go to the end of a table and the rows
 * of one resource stand together; what is looked up by value has a nonclustered index, which carries the clustered key with it.
 * Texts are nvarchar, as the driver sends them: a varchar column would be converted row by row. Latin1_General_BIN2 compares
 * code by code, as FHIR ids and codes want it. Bodies are varbinary(max) with UTF-8: half of nvarchar(max), byte for byte as sent.
 */
const text = (columns: number): string => `nvarchar(${String(columns)}) collate Latin1_General_BIN2`;

export const steps: readonly Step[] = [
  // row versions instead of read locks: readers do not wait for writers. Refused to logins without the right: reads then wait
  { text: 'alter database current set read_committed_snapshot on with rollback immediate', optional: true },

  // types, "Type.param" names, token systems and codes of narrow columns, as small integers
  {
    text: `create table term (id int identity(1,1) not null, text ${text(400)} not null,
      constraint term_pk primary key clustered (id), constraint term_text unique nonclustered (text))`,
  },

  // one row: the number and time of the last commit. Whoever commits resources holds it until its end, so commits have one order
  {
    text: `create table commit_order (id int not null, sequence bigint not null, committed_at bigint not null,
      constraint commit_order_pk primary key clustered (id))`,
  },
  { text: 'insert into commit_order (id, sequence, committed_at) values (1, 0, 0)' },

  { text: 'create sequence resource_rid as bigint start with 1 increment by 1' },
  // the current versions. body null: deleted; version 0: referred to but never stored (only with referential integrity off)
  {
    text: `create table resource (rid bigint not null, type int not null, id ${text(64)} not null, version int not null,
      last_updated bigint not null, body varbinary(max) null, constraint resource_pk primary key clustered (rid))`,
  },
  // one current version by id; version included: a write checks it without touching the wide row
  { text: 'create unique index resource_type_id on resource (type, id) include (version)' },
  // _lastUpdated as condition and as order
  { text: 'create index resource_updated on resource (type, last_updated, rid)' },
  // a type without any other condition, in the order of creation
  { text: 'create index resource_type_rid on resource (type, rid)' },

  // superseded versions only: a create writes its text once
  {
    text: `create table resource_version (entry bigint identity(1,1) not null, rid bigint not null, version int not null,
      last_updated bigint not null, body varbinary(max) null, constraint resource_version_pk primary key clustered (entry))`,
  },
  // vread and history; unique: two writers of one version cannot both keep its predecessor
  { text: 'create unique index resource_version_rid on resource_version (rid, version)' },

  // every version in the order of commits: history, _since, export
  {
    text: `create table commit_log (sequence bigint not null, committed_at bigint not null, type int not null, rid bigint not null,
      version int not null, constraint commit_log_pk primary key clustered (sequence))`,
  },
  // type history; includes what a page needs before it reads the bodies
  { text: 'create index commit_log_type on commit_log (type, sequence) include (rid, version)' },
  // instance history
  { text: 'create index commit_log_rid on commit_log (rid, sequence) include (version)' },
  // where _since begins
  { text: 'create index commit_log_at on commit_log (committed_at, sequence)' },

  // the rids that may be referred to. Its foreign keys decide the race of a new reference and the deletion of its target
  { text: 'create table live (rid bigint not null, constraint live_pk primary key clustered (rid))' },

  {
    text: `create table search_token (rid bigint not null, param int not null, code ${text(400)} not null, system int not null,
      constraint search_token_pk primary key clustered (rid, param, code, system))`,
  },
  // rid before system: the rows of one code come in the order of rid, whatever their systems
  { text: 'create index search_token_code on search_token (param, code, rid, system)' },
  {
    text: `create table search_reference (rid bigint not null, param int not null, target bigint not null,
      constraint search_reference_pk primary key clustered (rid, param, target),
      constraint search_reference_live foreign key (target) references live (rid))`,
  },
  // searches by reference, and the check of the foreign key when a target goes
  { text: 'create index search_reference_target on search_reference (target, param, rid)' },
  {
    text: `create table search_range (rid bigint not null, param int not null, low float not null, high float not null,
      constraint search_range_pk primary key clustered (rid, param, low, high))`,
  },
  { text: 'create index search_range_low on search_range (param, low, high, rid)' },
  // ranges that reach beyond a moment: an open Period begins long before it
  { text: 'create index search_range_high on search_range (param, high, low, rid)' },
  {
    text: `create table search_text (rid bigint not null, param int not null, value ${text(400)} not null,
      constraint search_text_pk primary key clustered (rid, param, value))`,
  },
  { text: 'create index search_text_value on search_text (param, value, rid)' },
  // cell: a quarter of a degree, numbered by bands of latitude; x, y, z: the point on the unit sphere
  {
    text: `create table search_position (rid bigint not null, param int not null, cell int not null, x float not null, y float not null,
      z float not null, constraint search_position_pk primary key clustered (rid, param, cell, x, y, z))`,
  },
  // x, y and z included: the exact test needs no look-up
  { text: 'create index search_position_cell on search_position (param, cell, rid) include (x, y, z)' },
  {
    text: `create table search_word (rid bigint not null, param int not null, word ${text(400)} not null,
      constraint search_word_pk primary key clustered (rid, param, word))`,
  },
  { text: 'create index search_word_word on search_word (param, word, rid)' },

  // who may see a row: patient:<id>, organisation:<ODS>
  {
    text: `create table access_key (rid bigint not null, [key] ${text(200)} not null,
      constraint access_key_pk primary key clustered (rid, [key]))`,
  },
  { text: 'create index access_key_key on access_key ([key], rid)' },
  // a row that may also be read by who may read another one; source is the row whose write made the link
  {
    text: `create table access_link (child bigint not null, root bigint not null, source bigint not null,
      constraint access_link_pk primary key clustered (child, root, source))`,
  },
  { text: 'create index access_link_source on access_link (source)' },

  // one row, unique by (kind, key): the rule itself for slots, bookings, UBRNs and token ids
  {
    text: `create table claim (kind ${text(30)} not null, [key] ${text(400)} not null, owner ${text(200)} not null, expires bigint null,
      constraint claim_pk primary key clustered (kind, [key]))`,
  },
  // expired claims are swept by this; most never expire
  { text: 'create index claim_expires on claim (expires) where expires is not null' },
  {
    text: `create table entry (kind ${text(30)} not null, [key] ${text(400)} not null, version int not null, body varbinary(max) not null,
      expires bigint null, constraint entry_pk primary key clustered (kind, [key]))`,
  },
  { text: 'create index entry_expires on entry (expires) where expires is not null' },
  // append-only: a chain is written by one connection, its links go to the end of it
  {
    text: `create table audit_link (entry bigint identity(1,1) not null, chain ${text(64)} not null, number int not null,
      hash ${text(64)} not null, body varbinary(max) not null, constraint audit_link_pk primary key clustered (entry))`,
  },
  // unique: a link is written once
  { text: 'create unique index audit_link_chain on audit_link (chain, number) include (hash)' },

  // half the pages for the tables that are all index; not every edition and not every TDS server takes it
  ...['search_token', 'search_reference', 'search_range', 'search_text', 'search_word', 'access_key', 'commit_log'].map((table): Step => ({
    text: `alter index all on ${table} rebuild with (data_compression = page)`,
    optional: true,
  })),
];
