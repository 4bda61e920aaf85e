with q1 as (select c.sequence, c.rid, c.type, c.version from commit_log c where (exists (select 1 as one from access_key a where a.rid = c.rid and "a"."key" in (@1, @2))
    or exists (select 1 as one from access_link l inner loop join access_key a on a.rid = l.root where l.child = c.rid and "a"."key" in (@3, @4))) and c.rid = (select x.rid from resource x where x.type = @5 and x.id = @6) and c.sequence >= coalesce((select min(s.sequence) from commit_log s where s.committed_at >= @7), 9223372036854775807) order by c.sequence desc offset 0 rows fetch next @8 rows only) select c.sequence, r.id, c.type, c.version, case when r.version = c.version then r.last_updated else v.last_updated end as last_updated,
        case when r.version = c.version then r.body else v.body end as body
      from q1 c
      inner join resource r on r.rid = c.rid left join resource_version v on v.rid = c.rid and v.version = c.version
      order by c.sequence desc offset 0 rows fetch next @9 rows only
