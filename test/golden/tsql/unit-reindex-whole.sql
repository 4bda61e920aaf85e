set nocount on; set xact_abort on;
declare @done int, @bad int, @what nvarchar(200), @now bigint, @sequence bigint, @floor bigint;
declare @row table (n int not null primary key, rid bigint not null, gone int not null);
declare @target table (n int not null primary key, rid bigint not null);
set @now = datediff_big(millisecond, '19700101', sysutcdatetime());
begin transaction;
update r set version = r.version from (select top (50) * from openjson(@whole) with (n int '$.n', type int '$.type', id nvarchar(64) '$.id', version int '$.version') j) e inner join resource r on r.type = e.type and r.id = e.id collate Latin1_General_BIN2
  where r.version = e.version and r.body is not null;
insert into @row (n, rid, gone) select e.n, r.rid, 2 from (select top (50) * from openjson(@whole) with (n int '$.n', type int '$.type', id nvarchar(64) '$.id', version int '$.version') j) e inner join resource r on r.type = e.type and r.id = e.id collate Latin1_General_BIN2
  where r.version = e.version and r.body is not null;

insert into @target (n, rid) select t.n, r.rid from openjson(@targets) with (n int '$.n', type int '$.type', id nvarchar(64) '$.id') t inner join resource r on r.type = t.type and r.id = t.id collate Latin1_General_BIN2
  inner join live l on l.rid = r.rid;
delete s from search_token s inner join (select top (50) * from @row j) o on o.rid = s.rid
  where not exists (select 1 as one from openjson(@token) with (n int '$.n', param int '$.p', code nvarchar(400) '$.c0', system int '$.c1') x inner join (select top (50) * from @row j) w on w.n = x.n where w.rid = s.rid and x.param = s.param and s.code = translate(x.code, @sent_as, @meant) collate Latin1_General_BIN2 and s.system = x.system);
insert into search_token (rid, param, code, system) select w.rid, x.param, translate(x.code, @sent_as, @meant), x.system from openjson(@token) with (n int '$.n', param int '$.p', code nvarchar(400) '$.c0', system int '$.c1') x inner join (select top (50) * from @row j) w on w.n = x.n
  where not exists (select 1 as one from search_token s where s.rid = w.rid and x.param = s.param and s.code = translate(x.code, @sent_as, @meant) collate Latin1_General_BIN2 and s.system = x.system);
delete s from search_reference s inner join (select top (50) * from @row j) o on o.rid = s.rid
  ;

delete s from search_range s inner join (select top (50) * from @row j) o on o.rid = s.rid
  ;

delete s from search_text s inner join (select top (50) * from @row j) o on o.rid = s.rid
  ;

delete s from search_position s inner join (select top (50) * from @row j) o on o.rid = s.rid
  ;

delete s from search_word s inner join (select top (50) * from @row j) o on o.rid = s.rid
  ;

declare @day table (schedule bigint not null, day bigint not null, n int not null);
insert into @day (schedule, day, n) select h.schedule, h.start_at / 86400000, -1
  from slot_index h inner join (select top (50) * from @row j) w on w.rid = h.rid inner join term t on t.id = h.status
  where t.text = 'free' and h.schedule is not null and h.start_at is not null;
delete h from slot_index h inner join (select top (50) * from @row j) w on w.rid = h.rid;
insert into slot_index (rid, schedule, status, start_at) select w.rid, t_schedule.rid, x.status, x.start_at
  from openjson(@slot_index) with (n int '$.n', schedule int '$.schedule', status int '$.status', start_at bigint '$.start_at') x inner join (select top (50) * from @row j) w on w.n = x.n left join @target t_schedule on t_schedule.n = x.schedule;
insert into @day (schedule, day, n) select h.schedule, h.start_at / 86400000, 1
  from slot_index h inner join (select top (50) * from @row j) w on w.rid = h.rid inner join term t on t.id = h.status
  where t.text = 'free' and h.schedule is not null and h.start_at is not null;
update s set free = s.free + d.n from slot_day s inner join (select top (100) schedule, day, sum(n) as n from @day group by schedule, day) d on d.schedule = s.schedule and d.day = s.day;
insert into slot_day (schedule, day, free) select d.schedule, d.day, d.n from (select top (100) schedule, day, sum(n) as n from @day group by schedule, day) d
  where not exists (select 1 as one from slot_day s where s.schedule = d.schedule and s.day = d.day);
commit transaction;
