with q1 as (select h.rid from "slot_index" h where h."schedule" = (select x.rid from resource x where x.type = @1 and x.id = @2)), q2 as (select distinct u.rid from q1 u) select r.rid, r.id, r.type, r.version, r.last_updated, r.body
        from q2 s inner loop join resource r on r.rid = s.rid
        where r.body is not null and 1 = 1 order by r.rid offset 0 rows fetch next @3 rows only
