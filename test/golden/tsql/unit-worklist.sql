set nocount on; set xact_abort on;
declare @done int, @bad int, @what nvarchar(200), @now bigint, @sequence bigint, @floor bigint;
set @now = datediff_big(millisecond, '19700101', sysutcdatetime());
begin transaction;
delete w from worklist w inner join (select top (20) * from openjson(@listed) with (referral nvarchar(64) '$.referral') j) l on w.referral = l.referral collate Latin1_General_BIN2;
insert into worklist (referral, list, owner, authored, service, specialty, until, due, item)
  select p.referral, p.list, p.owner, p.authored, p.service, p.specialty, p.until, p.due, substring(@items, p.start, p.length) from openjson(@places) with (referral nvarchar(64) '$.referral', list nvarchar(50) '$.list', owner nvarchar(50) '$.owner', authored bigint '$.authored', service nvarchar(64) '$.service', specialty nvarchar(100) '$.specialty', until bigint '$.until', due bigint '$.due', start int '$.start', length int '$.length') p;
commit transaction;
