set nocount on; set xact_abort on;
declare @done int, @bad int, @what nvarchar(200), @now bigint, @sequence bigint, @floor bigint;
set @now = datediff_big(millisecond, '19700101', sysutcdatetime());
begin transaction;
declare @again table (n int not null primary key, rid bigint not null);
declare @renamed table (rid bigint not null, param int not null, primary key (rid, param));
declare @retarget table (n int not null primary key, rid bigint not null);
update r set version = r.version from (select top (50) * from openjson(@re_rows) with (n int '$.n', type int '$.type', id nvarchar(64) '$.id', version int '$.version') j) e inner join resource r on r.type = e.type and r.id = e.id collate Latin1_General_BIN2 where r.version = e.version and r.body is not null;
insert into @again (n, rid) select e.n, r.rid from (select top (50) * from openjson(@re_rows) with (n int '$.n', type int '$.type', id nvarchar(64) '$.id', version int '$.version') j) e inner join resource r on r.type = e.type and r.id = e.id collate Latin1_General_BIN2
  where r.version = e.version and r.body is not null;
insert into @renamed (rid, param) select distinct w.rid, t.id from openjson(@re_params) with (n int '$.n', name nvarchar(400) '$.name') x inner join (select top (50) * from @again j) w on w.n = x.n inner join term t on t.text = x.name collate Latin1_General_BIN2 or left(t.text, len(x.name) + 1) in (concat(x.name collate Latin1_General_BIN2, '|'), concat(x.name collate Latin1_General_BIN2, '$'));

insert into @retarget (n, rid) select t.n, r.rid
  from openjson(@re_targets) with (n int '$.n', type int '$.type', id nvarchar(64) '$.id') t inner join resource r on r.type = t.type and r.id = t.id collate Latin1_General_BIN2
  inner join live l on l.rid = r.rid;
delete s from search_token s inner join (select top (50) * from @again j) w on w.rid = s.rid
  where exists (select 1 as one from @renamed o where o.rid = s.rid and o.param = s.param);
insert into search_token (rid, param, code, system) select w.rid, x.param, translate(x.code, @sent_as, @meant), x.system
  from openjson(@re_token) with (n int '$.n', param int '$.p', code nvarchar(400) '$.c0', system int '$.c1') x inner join (select top (50) * from @again j) w on w.n = x.n;
delete s from search_reference s inner join (select top (50) * from @again j) w on w.rid = s.rid
  where exists (select 1 as one from @renamed o where o.rid = s.rid and o.param = s.param);
insert into search_reference (rid, param, target) select w.rid, x.param, t.rid
  from openjson(@re_reference) with (n int '$.n', param int '$.p', target int '$.c0') x inner join (select top (50) * from @again j) w on w.n = x.n inner join @retarget t on t.n = x.target;
delete s from search_range s inner join (select top (50) * from @again j) w on w.rid = s.rid
  where exists (select 1 as one from @renamed o where o.rid = s.rid and o.param = s.param);
insert into search_range (rid, param, low, high) select w.rid, x.param, x.low, x.high
  from openjson(@re_range) with (n int '$.n', param int '$.p', low float '$.c0', high float '$.c1') x inner join (select top (50) * from @again j) w on w.n = x.n;
delete s from search_text s inner join (select top (50) * from @again j) w on w.rid = s.rid
  where exists (select 1 as one from @renamed o where o.rid = s.rid and o.param = s.param);
insert into search_text (rid, param, value) select w.rid, x.param, translate(x.value, @sent_as, @meant)
  from openjson(@re_text) with (n int '$.n', param int '$.p', value nvarchar(400) '$.c0') x inner join (select top (50) * from @again j) w on w.n = x.n;
delete s from search_position s inner join (select top (50) * from @again j) w on w.rid = s.rid
  where exists (select 1 as one from @renamed o where o.rid = s.rid and o.param = s.param);
insert into search_position (rid, param, cell, x, y, z) select w.rid, x.param, x.cell, x.x, x.y, x.z
  from openjson(@re_position) with (n int '$.n', param int '$.p', cell int '$.c0', x float '$.c1', y float '$.c2', z float '$.c3') x inner join (select top (50) * from @again j) w on w.n = x.n;
commit transaction;
