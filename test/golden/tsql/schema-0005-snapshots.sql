-- where the server takes it
alter database current set allow_snapshot_isolation on;
