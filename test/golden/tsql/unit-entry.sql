set nocount on; set xact_abort on;
declare @done int, @bad int, @what nvarchar(200), @now bigint, @sequence bigint, @floor bigint;
set @now = datediff_big(millisecond, '19700101', sysutcdatetime());
begin transaction;
update e set version = e.version + 1, body = substring(@entry_bodies, w.start, w.length), expires = w.expires from (select top (20) * from openjson(@entries) with (n int '$.n', kind nvarchar(30) '$.kind', entry_key nvarchar(400) '$.key', version int '$.version', start int '$.start', length int '$.length', expires bigint '$.expires') j) w
  inner join entry e on e.kind = w.kind collate Latin1_General_BIN2 and e.[key] = translate(w.entry_key, @sent_as, @meant) collate Latin1_General_BIN2 where e.version = w.version and w.length is not null;
set @done = @@rowcount;
delete e from entry e inner join (select top (20) * from openjson(@entries) with (n int '$.n', kind nvarchar(30) '$.kind', entry_key nvarchar(400) '$.key', version int '$.version', start int '$.start', length int '$.length', expires bigint '$.expires') j) w on e.kind = w.kind collate Latin1_General_BIN2 and e.[key] = translate(w.entry_key, @sent_as, @meant) collate Latin1_General_BIN2 where e.version = w.version and w.length is null;
set @done = @done + @@rowcount;
insert into entry (kind, [key], version, body, expires) select w.kind, translate(w.entry_key, @sent_as, @meant), 1, substring(@entry_bodies, w.start, w.length), w.expires from (select top (20) * from openjson(@entries) with (n int '$.n', kind nvarchar(30) '$.kind', entry_key nvarchar(400) '$.key', version int '$.version', start int '$.start', length int '$.length', expires bigint '$.expires') j) w
  where w.version = 0 and w.length is not null and not exists (select 1 as one from entry e where e.kind = w.kind collate Latin1_General_BIN2 and e.[key] = translate(w.entry_key, @sent_as, @meant) collate Latin1_General_BIN2);
set @done = @done + @@rowcount;
if @done <> @entered begin
  
  if @@trancount > 0 rollback transaction;
  set @bad = (select min(w.n) from (select top (20) * from openjson(@entries) with (n int '$.n', kind nvarchar(30) '$.kind', entry_key nvarchar(400) '$.key', version int '$.version', start int '$.start', length int '$.length', expires bigint '$.expires') j) w left join entry e on e.kind = w.kind collate Latin1_General_BIN2 and e.[key] = translate(w.entry_key, @sent_as, @meant) collate Latin1_General_BIN2 where coalesce(e.version, 0) <> w.version
    or (w.version = 0 and w.length is null));
  if @bad is null begin; throw 50010, 'again', 1; end;
  set @what = concat('entries ', @bad);
  throw 50001, @what, 1;
end;
commit transaction;
