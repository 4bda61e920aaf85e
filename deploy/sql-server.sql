-- The database and the login of the servers. Run as an administrator: sqlcmd -b -i sql-server.sql -v password=...
if db_id('referrals') is null create database referrals;
go
-- readers do not wait for writers. The servers turn it on where they may; here it is done once for all
alter database referrals set read_committed_snapshot on with rollback immediate;
alter database referrals set allow_snapshot_isolation on;
alter database referrals set compatibility_level = 150;
-- statements are parameterised as they come: plans are kept by their text
alter database referrals set parameterization simple;
-- what was acknowledged is on disk
alter database referrals set delayed_durability = disabled;
alter database referrals set query_store = on;
go
if suser_id('referrals') is null create login referrals with password = '$(password)', check_policy = off;
go
use referrals;
go
if user_id('referrals') is null create user referrals for login referrals;
-- reads and writes, and the schema at the first start and at an upgrade; who keeps the schema apart runs `referral-server migrate` as
-- another login, and leaves db_ddladmin out
alter role db_datareader add member referrals;
alter role db_datawriter add member referrals;
alter role db_ddladmin add member referrals;
-- numbers of rows come from a sequence
grant update on schema::dbo to referrals;
-- the lock that lets one server at a time change the schema is open to everybody (sp_getapplock)
go
