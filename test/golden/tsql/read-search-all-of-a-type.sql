with q1 as (select "r"."rid" as rid from resource "r" where "r"."type" = @1 and r.body is not null and 1 = 1 order by "r"."rid" offset 0 rows fetch next @2 rows only) select r.rid, r.id, r.type, r.version, r.last_updated, r.body
      from q1 d inner loop join resource r on r.rid = d.rid order by "d"."rid" offset 0 rows fetch next @3 rows only
