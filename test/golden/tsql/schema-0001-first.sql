-- where the server takes it
alter database current set read_committed_snapshot on with rollback immediate;

create table term (id int identity(1,1) not null, text nvarchar(400) collate Latin1_General_BIN2 not null,
      constraint term_pk primary key clustered (id), constraint term_text unique nonclustered (text));

create table commit_order (id int not null, sequence bigint not null, committed_at bigint not null,
      constraint commit_order_pk primary key clustered (id));

insert into commit_order (id, sequence, committed_at) values (1, 0, 0);

create sequence resource_rid as bigint start with 1 increment by 1;

create table resource (rid bigint not null, type int not null, id nvarchar(64) collate Latin1_General_BIN2 not null, version int not null,
      last_updated bigint not null, body varbinary(max) null, constraint resource_pk primary key clustered (rid));

create unique index resource_type_id on resource (type, id) include (version);

create index resource_updated on resource (type, last_updated, rid);

create index resource_type_rid on resource (type, rid);

create table resource_version (entry bigint identity(1,1) not null, rid bigint not null, version int not null,
      last_updated bigint not null, body varbinary(max) null, constraint resource_version_pk primary key clustered (entry));

create unique index resource_version_rid on resource_version (rid, version);

create table commit_log (sequence bigint not null, committed_at bigint not null, type int not null, rid bigint not null,
      version int not null, constraint commit_log_pk primary key clustered (sequence));

create index commit_log_type on commit_log (type, sequence) include (rid, version);

create index commit_log_rid on commit_log (rid, sequence) include (version);

create index commit_log_at on commit_log (committed_at, sequence);

create table live (rid bigint not null, constraint live_pk primary key clustered (rid));

create table search_token (rid bigint not null, param int not null, code nvarchar(400) collate Latin1_General_BIN2 not null, system int not null,
      constraint search_token_pk primary key clustered (rid, param, code, system));

create index search_token_code on search_token (param, code, rid, system);

create table search_reference (rid bigint not null, param int not null, target bigint not null,
      constraint search_reference_pk primary key clustered (rid, param, target),
      constraint search_reference_live foreign key (target) references live (rid));

create index search_reference_target on search_reference (target, param, rid);

create table search_range (rid bigint not null, param int not null, low float not null, high float not null,
      constraint search_range_pk primary key clustered (rid, param, low, high));

create index search_range_low on search_range (param, low, high, rid);

create index search_range_high on search_range (param, high, low, rid);

create table search_text (rid bigint not null, param int not null, value nvarchar(400) collate Latin1_General_BIN2 not null,
      constraint search_text_pk primary key clustered (rid, param, value));

create index search_text_value on search_text (param, value, rid);

create table search_position (rid bigint not null, param int not null, cell int not null, x float not null, y float not null,
      z float not null, constraint search_position_pk primary key clustered (rid, param, cell, x, y, z));

create index search_position_cell on search_position (param, cell, rid) include (x, y, z);

create table search_word (rid bigint not null, param int not null, word nvarchar(400) collate Latin1_General_BIN2 not null,
      constraint search_word_pk primary key clustered (rid, param, word));

create index search_word_word on search_word (param, word, rid);

create table access_key (rid bigint not null, [key] nvarchar(200) collate Latin1_General_BIN2 not null,
      constraint access_key_pk primary key clustered (rid, [key]));

create index access_key_key on access_key ([key], rid);

create table access_link (child bigint not null, root bigint not null, source bigint not null,
      constraint access_link_pk primary key clustered (child, root, source));

create index access_link_source on access_link (source);

create table claim (kind nvarchar(30) collate Latin1_General_BIN2 not null, [key] nvarchar(400) collate Latin1_General_BIN2 not null, owner nvarchar(200) collate Latin1_General_BIN2 not null, expires bigint null,
      constraint claim_pk primary key clustered (kind, [key]));

create index claim_expires on claim (expires) where expires is not null;

create table entry (kind nvarchar(30) collate Latin1_General_BIN2 not null, [key] nvarchar(400) collate Latin1_General_BIN2 not null, version int not null, body varbinary(max) not null,
      expires bigint null, constraint entry_pk primary key clustered (kind, [key]));

create index entry_expires on entry (expires) where expires is not null;

create table audit_link (entry bigint identity(1,1) not null, chain nvarchar(64) collate Latin1_General_BIN2 not null, number int not null,
      hash nvarchar(64) collate Latin1_General_BIN2 not null, body varbinary(max) not null, constraint audit_link_pk primary key clustered (entry));

create unique index audit_link_chain on audit_link (chain, number) include (hash);

-- where the server takes it
alter index all on search_token rebuild with (data_compression = page);

-- where the server takes it
alter index all on search_reference rebuild with (data_compression = page);

-- where the server takes it
alter index all on search_range rebuild with (data_compression = page);

-- where the server takes it
alter index all on search_text rebuild with (data_compression = page);

-- where the server takes it
alter index all on search_word rebuild with (data_compression = page);

-- where the server takes it
alter index all on access_key rebuild with (data_compression = page);

-- where the server takes it
alter index all on commit_log rebuild with (data_compression = page);
