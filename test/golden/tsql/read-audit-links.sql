select chain, number, hash, body from audit_link where chain = @chain and number > @after
       order by number offset 0 rows fetch next @limit rows only
