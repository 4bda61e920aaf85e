select r.rid, r.id, r.version, r.last_updated, r.body from resource r
        where r.type = @1 and r.id = @2 and r.version > 0 and 1 = 1
