/** The first schema of the embedded store. Numbered scripts are never edited once released: add the next one. */
export const script = `
-- types, "Type.param" names, token systems and codes of narrow columns, as small integers
create table term (id integer primary key, text text not null unique) strict;

-- body null: deleted; version 0: referred to but never stored (only with referential integrity off)
create table resource (
  rid integer primary key, type integer not null, id text not null, version integer not null,
  last_updated integer not null, committed_at integer not null, sequence integer not null, body text,
  unique (type, id)) strict;
-- type history and the default order of a walk; only the newest versions are here, so a page reads from the end
create index resource_type_sequence on resource (type, sequence);
-- system history
create index resource_sequence on resource (sequence);
-- _lastUpdated as condition and as order
create index resource_updated on resource (type, last_updated, rid);
-- a type without any other condition, in the order of creation
create index resource_type_rid on resource (type, rid);

-- superseded versions only: a create writes its text once
create table resource_version (
  rid integer not null, version integer not null, type integer not null, last_updated integer not null,
  committed_at integer not null, sequence integer not null, body text, unique (rid, version)) strict;
create index resource_version_type_sequence on resource_version (type, sequence);
create index resource_version_sequence on resource_version (sequence);

-- rid before system: the rows of one code come in the order of rid, whatever their systems
create table search_token (param integer not null, code text not null, system integer not null, rid integer not null,
  primary key (param, code, rid, system)) strict, without rowid;
-- tests a token when another condition drives, and finds the old values of an updated row
create index search_token_rid on search_token (rid, param, code, system);
create table search_reference (target integer not null, param integer not null, rid integer not null,
  primary key (target, param, rid)) strict, without rowid;
create index search_reference_rid on search_reference (rid, param, target);
create table search_range (param integer not null, low real not null, high real not null, rid integer not null,
  primary key (param, low, high, rid)) strict, without rowid;
create index search_range_rid on search_range (rid, param, low, high);
-- ranges that reach beyond a moment: an open Period begins long before it
create index search_range_high on search_range (param, high, low, rid);
create table search_text (param integer not null, value text not null, rid integer not null,
  primary key (param, value, rid)) strict, without rowid;
create index search_text_rid on search_text (rid, param, value);
-- cell: a quarter of a degree, numbered by bands of latitude; x, y, z: the point on the unit sphere
create table search_position (param integer not null, cell integer not null, rid integer not null, x real not null, y real not null,
  z real not null, primary key (param, cell, rid)) strict, without rowid;
create index search_position_rid on search_position (rid, param);
create table search_word (param integer not null, word text not null, rid integer not null,
  primary key (param, word, rid)) strict, without rowid;
-- finds the old words of an updated row
create index search_word_rid on search_word (rid);

create table slot_index (rid integer primary key, schedule integer, status integer, start_at integer) strict;
-- free slots of a clinic in a window; status is a column because a bound parameter never matches a partial index
create index slot_schedule on slot_index (schedule, status, start_at, rid);
create index slot_schedule_start on slot_index (schedule, start_at, rid);
-- free slots in a window with no schedule named
create index slot_status on slot_index (status, start_at, rid);
create index slot_start on slot_index (start_at, rid);
create table service_request_index (rid integer primary key, subject integer, status integer, authored real, authored_end real) strict;
create index service_request_subject on service_request_index (subject, status, rid);
create index service_request_status on service_request_index (status, rid);
-- worklists: the newest or oldest of a status, a page at a time
create index service_request_status_authored on service_request_index (status, authored, rid);
create index service_request_authored on service_request_index (authored, rid);

-- who may see a row: patient:<id>, organisation:<ODS>
create table access_key (rid integer not null, key text not null, primary key (rid, key)) strict, without rowid;
create index access_key_key on access_key (key, rid);
-- a row that may also be read by who may read another one; source is the row whose write made the link
create table access_link (child integer not null, root integer not null, source integer not null,
  primary key (child, root, source)) strict, without rowid;
create index access_link_source on access_link (source);

create table claim (kind text not null, key text not null, owner text not null, expires integer,
  primary key (kind, key)) strict, without rowid;
-- expired claims are swept by this
create index claim_expires on claim (expires);
`;
