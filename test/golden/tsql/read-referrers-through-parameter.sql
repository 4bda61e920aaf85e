with q1 as (select h.rid from search_reference h where h.target = (select x.rid from resource x where x.type = @1 and x.id = @2) and h.param = @3), q2 as (select distinct u.rid from q1 u) select r.rid, r.id, r.type, r.version, r.last_updated, r.body
        from q2 s inner loop join resource r on r.rid = s.rid
        where r.body is not null and (exists (select 1 as one from access_key a where a.rid = r.rid and "a"."key" in (@4, @5))
    or exists (select 1 as one from access_link l inner loop join access_key a on a.rid = l.root where l.child = r.rid and "a"."key" in (@6, @7))) order by r.rid offset 0 rows fetch next @8 rows only
