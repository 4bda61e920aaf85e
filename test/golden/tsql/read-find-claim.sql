select owner, expires from claim where kind = @kind and [key] = @key
