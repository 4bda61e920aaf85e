select r.rid, r.id, r.version, r.last_updated, r.body from resource r
        where r.type = @1 and r.id = @2 and r.version > 0 and (exists (select 1 as one from access_key a where a.rid = r.rid and "a"."key" in (@3, @4))
    or exists (select 1 as one from access_link l inner loop join access_key a on a.rid = l.root where l.child = r.rid and "a"."key" in (@5, @6)))
