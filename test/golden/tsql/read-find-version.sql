select r.rid, r.id, @1 as version, case when r.version = @2 then r.last_updated else v.last_updated end as last_updated,
          case when r.version = @3 then r.body else v.body end as body
        from resource r left join resource_version v on v.rid = r.rid and v.version = @4
        where r.type = @5 and r.id = @6 and (r.version = @7 or v.version = @8) and r.version > 0
          and 1 = 1
