with q1 as (select distinct k.type, k.id from openjson(@1) with (type int '$.t', id nvarchar(64) '$.i') k) select r.rid, r.id, r.type, r.version, r.last_updated, r.body
        from q1 w
        inner loop join resource r on r.type = w.type and r.id = w.id collate Latin1_General_BIN2
        where r.body is not null and (exists (select 1 as one from access_key a where a.rid = r.rid and "a"."key" in (@2, @3))
    or exists (select 1 as one from access_link l inner loop join access_key a on a.rid = l.root where l.child = r.rid and "a"."key" in (@4, @5)))
