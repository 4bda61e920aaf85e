set nocount on; set xact_abort on;
declare @done int, @bad int, @what nvarchar(200), @now bigint, @sequence bigint, @floor bigint;
set @now = datediff_big(millisecond, '19700101', sysutcdatetime());
begin transaction;
update c set owner = w.owner, expires = w.expires from (select top (20) * from openjson(@claims) with (n int '$.n', kind nvarchar(30) '$.kind', claim_key nvarchar(400) '$.key', owner nvarchar(200) '$.owner', expires bigint '$.expires') j) w inner join claim c on c.kind = w.kind collate Latin1_General_BIN2 and c.[key] = translate(w.claim_key, @sent_as, @meant) collate Latin1_General_BIN2
  where c.expires <= @now or (c.owner = w.owner collate Latin1_General_BIN2 and c.kind <> 'jti');
set @done = @@rowcount;
insert into claim (kind, [key], owner, expires) select w.kind, translate(w.claim_key, @sent_as, @meant), w.owner, w.expires from (select top (20) * from openjson(@claims) with (n int '$.n', kind nvarchar(30) '$.kind', claim_key nvarchar(400) '$.key', owner nvarchar(200) '$.owner', expires bigint '$.expires') j) w
  where not exists (select 1 as one from claim c where c.kind = w.kind collate Latin1_General_BIN2 and c.[key] = translate(w.claim_key, @sent_as, @meant) collate Latin1_General_BIN2);
set @done = @done + @@rowcount;
if @done <> @claimed begin
  
  if @@trancount > 0 rollback transaction;
  set @bad = (select min(w.n) from (select top (20) * from openjson(@claims) with (n int '$.n', kind nvarchar(30) '$.kind', claim_key nvarchar(400) '$.key', owner nvarchar(200) '$.owner', expires bigint '$.expires') j) w inner join claim c on c.kind = w.kind collate Latin1_General_BIN2 and c.[key] = translate(w.claim_key, @sent_as, @meant) collate Latin1_General_BIN2
    where (c.expires is null or c.expires > @now) and (c.owner <> w.owner collate Latin1_General_BIN2 or c.kind = 'jti'));
  if @bad is null begin; throw 50010, 'again', 1; end;
  set @what = concat('claims ', @bad);
  throw 50002, @what, 1;
end;
commit transaction;
