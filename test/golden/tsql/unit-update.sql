set nocount on; set xact_abort on;
declare @done int, @bad int, @what nvarchar(200), @now bigint, @sequence bigint, @floor bigint;
declare @row table (n int not null primary key, rid bigint not null, gone int not null);
declare @target table (n int not null primary key, rid bigint not null);
set @now = datediff_big(millisecond, '19700101', sysutcdatetime());
begin transaction;
insert into resource_version (rid, version, last_updated, body) select r.rid, r.version, r.last_updated, r.body
  from (select top (20) * from openjson(@puts) with (n int '$.n', type int '$.type', id nvarchar(64) '$.id', version int '$.version', last_updated bigint '$.last', start int '$.start', length int '$.length') j) p inner join resource r on r.type = p.type and r.id = p.id collate Latin1_General_BIN2 where r.version = p.version and r.version > 0;
update r set version = p.version + 1, last_updated = p.last_updated, body = case when p.length is null then null else substring(@bodies, p.start, p.length) end
  from (select top (20) * from openjson(@puts) with (n int '$.n', type int '$.type', id nvarchar(64) '$.id', version int '$.version', last_updated bigint '$.last', start int '$.start', length int '$.length') j) p inner join resource r on r.type = p.type and r.id = p.id collate Latin1_General_BIN2 where r.version = p.version;
set @done = @@rowcount;
insert into resource (rid, type, id, version, last_updated, body)
  select next value for resource_rid, p.type, p.id, 1, p.last_updated, case when p.length is null then null else substring(@bodies, p.start, p.length) end
  from (select top (20) * from openjson(@puts) with (n int '$.n', type int '$.type', id nvarchar(64) '$.id', version int '$.version', last_updated bigint '$.last', start int '$.start', length int '$.length') j) p where p.version = 0 and not exists (select 1 as one from resource r where r.type = p.type and r.id = p.id collate Latin1_General_BIN2);
set @done = @done + @@rowcount;
if @done <> @written begin
  
  if @@trancount > 0 rollback transaction;
  set @bad = (select min(p.n) from (select top (20) * from openjson(@puts) with (n int '$.n', type int '$.type', id nvarchar(64) '$.id', version int '$.version', last_updated bigint '$.last', start int '$.start', length int '$.length') j) p left join resource r on r.type = p.type and r.id = p.id collate Latin1_General_BIN2 where coalesce(r.version, 0) <> p.version);
  if @bad is null begin; throw 50010, 'again', 1; end;
  set @what = concat('puts ', @bad);
  throw 50001, @what, 1;
end;
insert into @row (n, rid, gone) select p.n, r.rid, case when p.length is null then 1 else 0 end
  from (select top (20) * from openjson(@puts) with (n int '$.n', type int '$.type', id nvarchar(64) '$.id', version int '$.version', last_updated bigint '$.last', start int '$.start', length int '$.length') j) p inner join resource r on r.type = p.type and r.id = p.id collate Latin1_General_BIN2;
insert into live (rid) select w.rid from (select top (20) * from @row j) w where w.gone = 0 and not exists (select 1 as one from live l where l.rid = w.rid);

insert into @target (n, rid) select t.n, r.rid from (select top (20) * from openjson(@targets) with (n int '$.n', type int '$.type', id nvarchar(64) '$.id') j) t inner join resource r on r.type = t.type and r.id = t.id collate Latin1_General_BIN2
  inner join live l on l.rid = r.rid;
if @@rowcount <> @targeted begin
  set @bad = (select min(t.n) from (select top (20) * from openjson(@targets) with (n int '$.n', type int '$.type', id nvarchar(64) '$.id') j) t where not exists (select 1 as one from (select top (20) * from @target j) f where f.n = t.n));
  if @@trancount > 0 rollback transaction;
  
  if @bad is null begin; throw 50010, 'again', 1; end;
  set @what = concat('targets ', @bad);
  throw 50003, @what, 1;
end;
delete s from search_token s inner join (select top (20) * from @row j) o on o.rid = s.rid
  where not exists (select 1 as one from openjson(@token) with (n int '$.n', param int '$.p', code nvarchar(400) '$.c0', system int '$.c1') x inner join (select top (20) * from @row j) w on w.n = x.n where w.rid = s.rid and x.param = s.param and s.code = translate(x.code, @sent_as, @meant) collate Latin1_General_BIN2 and s.system = x.system);
insert into search_token (rid, param, code, system) select w.rid, x.param, translate(x.code, @sent_as, @meant), x.system from openjson(@token) with (n int '$.n', param int '$.p', code nvarchar(400) '$.c0', system int '$.c1') x inner join (select top (20) * from @row j) w on w.n = x.n
  where not exists (select 1 as one from search_token s where s.rid = w.rid and x.param = s.param and s.code = translate(x.code, @sent_as, @meant) collate Latin1_General_BIN2 and s.system = x.system);
delete s from search_reference s inner join (select top (20) * from @row j) o on o.rid = s.rid
  ;

delete s from search_range s inner join (select top (20) * from @row j) o on o.rid = s.rid
  ;

delete s from search_text s inner join (select top (20) * from @row j) o on o.rid = s.rid
  ;

delete s from search_position s inner join (select top (20) * from @row j) o on o.rid = s.rid
  ;

delete s from search_word s inner join (select top (20) * from @row j) o on o.rid = s.rid
  ;

declare @day table (schedule bigint not null, day bigint not null, n int not null);
insert into @day (schedule, day, n) select h.schedule, h.start_at / 86400000, -1
  from slot_index h inner join (select top (20) * from @row j) w on w.rid = h.rid inner join term t on t.id = h.status
  where t.text = 'free' and h.schedule is not null and h.start_at is not null;
delete h from slot_index h inner join (select top (20) * from @row j) w on w.rid = h.rid;
insert into slot_index (rid, schedule, status, start_at) select w.rid, t_schedule.rid, x.status, x.start_at
  from openjson(@slot_index) with (n int '$.n', schedule int '$.schedule', status int '$.status', start_at bigint '$.start_at') x inner join (select top (20) * from @row j) w on w.n = x.n left join (select top (20) * from @target j) t_schedule on t_schedule.n = x.schedule;
insert into @day (schedule, day, n) select h.schedule, h.start_at / 86400000, 1
  from slot_index h inner join (select top (20) * from @row j) w on w.rid = h.rid inner join term t on t.id = h.status
  where t.text = 'free' and h.schedule is not null and h.start_at is not null;
update s set free = s.free + d.n from slot_day s inner join (select top (8) schedule, day, sum(n) as n from @day group by schedule, day) d on d.schedule = s.schedule and d.day = s.day;
insert into slot_day (schedule, day, free) select d.schedule, d.day, d.n from (select top (8) schedule, day, sum(n) as n from @day group by schedule, day) d
  where not exists (select 1 as one from slot_day s where s.schedule = d.schedule and s.day = d.day);
delete a from access_key a inner join (select top (20) * from @row j) o on o.rid = a.rid and o.gone = 0
  where not exists (select 1 as one from openjson(@keys) with (n int '$.n', access_key nvarchar(200) '$.key') x inner join (select top (20) * from @row j) w on w.n = x.n where w.rid = a.rid and a.[key] = x.access_key collate Latin1_General_BIN2);
insert into access_key (rid, [key]) select w.rid, x.access_key from openjson(@keys) with (n int '$.n', access_key nvarchar(200) '$.key') x inner join (select top (20) * from @row j) w on w.n = x.n
  where not exists (select 1 as one from access_key a where a.rid = w.rid and a.[key] = x.access_key collate Latin1_General_BIN2);
delete l from access_link l inner join (select top (20) * from @row j) w on w.rid = l.source and w.gone = 0;

set @floor = case when @latest > @now then @latest else @now end;
update commit_order set sequence = sequence + @written,
  committed_at = case when committed_at >= @floor then committed_at + 1 else @floor end where id = 1;
select @sequence = sequence, @now = committed_at from commit_order where id = 1;
insert into commit_log (sequence, committed_at, type, rid, version)
  select @sequence - @written + p.n + 1, @now, p.type, w.rid, p.version + 1 from (select top (20) * from openjson(@puts) with (n int '$.n', type int '$.type', id nvarchar(64) '$.id', version int '$.version', last_updated bigint '$.last', start int '$.start', length int '$.length') j) p inner join (select top (20) * from @row j) w on w.n = p.n;
commit transaction;
