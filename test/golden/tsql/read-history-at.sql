with q1 as (select c.sequence, c.rid, c.type, c.version from commit_log c where 1 = 1 and c.type in (@1) and coalesce((select o.last_updated from resource_version o where o.rid = c.rid and o.version = c.version),
    (select o.last_updated from resource o where o.rid = c.rid and o.version = c.version)) <= @2 and coalesce(coalesce((select o.last_updated from resource_version o where o.rid = c.rid and o.version = c.version + 1),
    (select o.last_updated from resource o where o.rid = c.rid and o.version = c.version + 1)), 9223372036854775807) > @3 order by c.sequence desc offset 0 rows fetch next @4 rows only) select c.sequence, r.id, c.type, c.version, case when r.version = c.version then r.last_updated else v.last_updated end as last_updated,
        case when r.version = c.version then r.body else v.body end as body
      from q1 c
      inner join resource r on r.rid = c.rid left join resource_version v on v.rid = c.rid and v.version = c.version
      order by c.sequence desc offset 0 rows fetch next @5 rows only
