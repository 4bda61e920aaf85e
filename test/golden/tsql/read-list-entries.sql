select kind, [key] as entry_key, version, body, expires from entry where kind = @kind order by [key]
