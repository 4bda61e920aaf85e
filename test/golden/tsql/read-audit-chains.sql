select a.chain, a.number, a.hash from audit_link a
       inner join (select chain, max(number) as number from audit_link group by chain) last on last.chain = a.chain and last.number = a.number
